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
    warn_of_unlisted,
)
from aerialseg.data.layouts.listing_faults import ListingFault, note_or_raise
from aerialseg.data.layouts.tables import check_disjoint, read_id_column, under_listed_names

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
    images = under_listed_names(find_files(folder / "imgs" / "imgs", {".jpg"}), {**train, **test})
    masks = under_listed_names(find_files(folder / "masks" / "masks", {".png"}), {**train, **test})
    labelled = {key: masks[key] for key in masks if key not in test}
    paired = check_pairs(folder, train, images, labelled)
    if missing := [key for key in test if key not in images]:
        line = f"{test_csv}: {count(missing, 'id')} without imgs/imgs/ID.jpg; add it"
        note_or_raise([ListingFault("id_without_image", line, tuple(missing))])
    warn_of_unlisted(folder / "imgs" / "imgs", images, {*train, *test})
    samples = [Sample(key, images[key], masks[key], None, train[key]) for key in paired]
    check_not_empty(samples, train_csv, "one id per row in the column ImageID")
    there = {key: place for key, place in test.items() if key in images}
    samples += [Sample(key, images[key], None, "test", place) for key, place in there.items()]
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
