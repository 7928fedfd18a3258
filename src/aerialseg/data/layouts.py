"""Where the files of a data set lie: from a root folder to a list of samples.

Every layout is called as ``layout(root, cache_dir)``. In YAML::

    layout:
      _target_: aerialseg.data.layouts.folders
      _partial_: true
      images: pictures
"""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from aerialseg.data.archives import unpack
from aerialseg.data.listing import (
    Layout,
    Listing,
    Sample,
    Split,
    check_not_empty,
    check_pairs,
    count,
    find_files,
    require_folder,
)
from aerialseg.data.tables import check_disjoint, read_id_column, read_id_lines
from aerialseg.errors import DataError

__all__ = [
    "Layout",
    "Listing",
    "Sample",
    "Split",
    "aeroscapes",
    "demo",
    "folders",
    "kaggle",
]

_GET_KAGGLE = (
    "get the archive from the Data page of the Kaggle community competition 'Semantic "
    "segmentation of aerial drone imagery' and give the zip or its folder: data.root=PATH"
)
_GET_AEROSCAPES = (
    "get AeroScapes from its authors' page, github.com/ishann/aeroscapes, unpack it and give the "
    "folder that holds JPEGImages: data.root=PATH"
)
_GET_FOLDERS = (
    "put your pictures, masks and classes.yaml there as docs/datasets.md shows, or give their "
    "folder: data.root=PATH"
)


def demo(
    root: Path,
    cache_dir: Path,
    *,
    count: Annotated[int, Ge(1)],
    test_count: Annotated[int, Ge(0)],
    size: tuple[int, int],
    seed: Annotated[int, Ge(0)],
) -> Listing:
    """Generated aerial scenes, drawn when first asked for, in the ``kaggle`` layout.

    Args:
        root: Where the scenes are, or will be.
        cache_dir: Unused; scenes need no unpacking.
        count: Scenes with masks.
        test_count: Scenes without masks.
        size: Height and width in pixels.
        seed: Decides the scenes; not the training's seed, which may vary over the same scenes.

    Raises:
        DataError: If ``root`` holds something else.
    """
    # Drawing is never needed by those who bring pictures.
    from aerialseg.data.demo import write_scenes

    height, width = size
    write_scenes(root, count=count, test_count=test_count, size=(height, width), seed=seed)
    return kaggle(root, cache_dir)


def kaggle(root: Path, cache_dir: Path) -> Listing:
    """The competition's files, as a folder or as the zip it comes in.

    ``imgs/imgs/ID.jpg``, ``masks/masks/ID.png``, and the ids in the column ``ImageID`` of
    ``train.csv``, which is split here, and ``test.csv``, whose pictures have no mask.

    Raises:
        DataError: If something is missing, twice, or without its counterpart, or if the zip
            cannot be trusted.
    """
    folder = _kaggle_folder(root, cache_dir)
    train_csv, test_csv = folder / "train.csv", folder / "test.csv"
    train = read_id_column(train_csv)
    test = read_id_column(test_csv) if test_csv.is_file() else {}
    check_disjoint(train_csv, test_csv, train, test)
    images = find_files(folder / "imgs" / "imgs", {".jpg"})
    masks = find_files(folder / "masks" / "masks", {".png"})
    check_pairs(folder, train, images, {key: masks[key] for key in masks if key not in test})
    if missing := [key for key in test if key not in images]:
        raise DataError(f"{test_csv}: {count(missing, 'id')} without imgs/imgs/ID.jpg; add it")
    samples = [Sample(key, images[key], masks[key], None, place) for key, place in train.items()]
    check_not_empty(samples, train_csv, "an id a row in the column ImageID")
    samples += [Sample(key, images[key], None, "test", place) for key, place in test.items()]
    submission = folder / "sampleSubmission.csv"
    return Listing(tuple(samples), submission if submission.is_file() else None)


def aeroscapes(root: Path, cache_dir: Path) -> Listing:
    """AeroScapes as its authors publish it, with their training and validation lists.

    ``JPEGImages/ID.jpg``, ``SegmentationClass/ID.png``, ``ImageSets/trn.txt`` and
    ``ImageSets/val.txt``. Nigam, Huang and Ramanan, "Ensemble Knowledge Transfer for Semantic
    Segmentation", WACV 2018. There is no test split.

    Raises:
        DataError: If something is missing, twice, or without its counterpart.
    """
    require_folder(root, _GET_AEROSCAPES)
    require_folder(root / "JPEGImages", _GET_AEROSCAPES)
    lists: dict[Split, Path] = {
        "train": root / "ImageSets" / "trn.txt",
        "val": root / "ImageSets" / "val.txt",
    }
    places = {split: read_id_lines(path) for split, path in lists.items()}
    check_disjoint(lists["train"], lists["val"], places["train"], places["val"])
    images = find_files(root / "JPEGImages", {".jpg"})
    masks = find_files(root / "SegmentationClass", {".png"})
    check_pairs(root, {**places["train"], **places["val"]}, images, masks)
    samples = tuple(
        Sample(key, images[key], masks[key], split, place)
        for split in lists
        for key, place in places[split].items()
    )
    check_not_empty(samples, root / "ImageSets", "an id a line in trn.txt and val.txt")
    return Listing(samples)


def folders(
    root: Path,
    cache_dir: Path,
    *,
    images: str = "images",
    masks: str = "masks",
    test_images: str | None = None,
) -> Listing:
    """Your own pictures: a folder of images and a folder of masks with the same names.

    ``images/site/001.jpg`` goes with ``masks/site/001.png``; both have the id ``site/001``.

    Args:
        root: What the other folders are in.
        cache_dir: Unused; nothing needs unpacking.
        images: Folder of pictures: jpg, png, tif, bmp or webp.
        masks: Folder of masks, named like the pictures.
        test_images: Folder of pictures without masks; None if there are none.

    Raises:
        DataError: If a folder is missing or empty, or a picture or a mask is alone or twice.
    """
    require_folder(root, _GET_FOLDERS)
    for name, folder in (("images", images), ("masks", masks), ("test_images", test_images)):
        if folder is not None:
            require_folder(root / folder, f"make it, or name yours: data.layout.{name}=FOLDER")
    found, found_masks = find_files(root / images), find_files(root / masks)
    check_pairs(root, found, found, found_masks)
    samples = [Sample(key, path, found_masks[key], None) for key, path in found.items()]
    check_not_empty(samples, root / images, "pictures: jpg, png, tif, bmp or webp")
    if test_images is not None:
        unseen = find_files(root / test_images)
        check_disjoint(root / test_images, root / images, unseen, found)
        samples += [Sample(key, path, None, "test") for key, path in unseen.items()]
    return Listing(tuple(samples))


def _kaggle_folder(root: Path, cache_dir: Path) -> Path:
    folder = unpack(root, cache_dir) if root.is_file() else root
    require_folder(folder, _GET_KAGGLE)
    if not (folder / "train.csv").is_file():
        # Archives are often packed with the folder that held the files.
        inner = [path.parent for path in folder.glob("*/train.csv")]
        folder = inner[0] if len(inner) == 1 else folder
    for name in ("imgs/imgs", "masks/masks"):
        require_folder(folder / name, _GET_KAGGLE)
    return folder
