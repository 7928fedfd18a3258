"""The layout of the Kaggle drone competition."""

from pathlib import Path

from aerialseg.data.layouts.archives import unpack
from aerialseg.data.layouts.listing import (
    Listing,
    Sample,
    check_not_empty,
    check_pairs,
    count,
    find_files,
    require_folder,
)
from aerialseg.data.layouts.tables import check_disjoint, read_id_column
from aerialseg.errors import DataError

_GET_KAGGLE = (
    "get the archive from the Data page of the Kaggle community competition 'Semantic "
    "segmentation of aerial drone imagery' and give the zip or its folder: data.root=PATH"
)


def kaggle(root: Path, cache_dir: Path) -> Listing:
    """The competition's files, as a folder or as the published zip.

    ``imgs/imgs/ID.jpg``, ``masks/masks/ID.png``, and the ids in the column ``ImageID`` of
    ``train.csv``, which is split here, and ``test.csv``, whose images have no mask.

    Raises:
        DataError: If a file or id is missing, duplicate, or without its counterpart, or if the
            zip is refused.
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
    check_not_empty(samples, train_csv, "one id per row in the column ImageID")
    samples += [Sample(key, images[key], None, "test", place) for key, place in test.items()]
    submission = folder / "sampleSubmission.csv"
    return Listing(tuple(samples), submission if submission.is_file() else None)


def _kaggle_folder(root: Path, cache_dir: Path) -> Path:
    """The folder with the competition's files, unpacked if the root is a zip."""
    folder = unpack(root, cache_dir) if root.is_file() else root
    require_folder(folder, _GET_KAGGLE)
    if not (folder / "train.csv").is_file():
        # Archives often contain one top-level folder.
        inner = [path.parent for path in folder.glob("*/train.csv")]
        folder = inner[0] if len(inner) == 1 else folder
    for name in ("imgs/imgs", "masks/masks"):
        require_folder(folder / name, _GET_KAGGLE)
    return folder
