"""The layout of AeroScapes."""

from pathlib import Path

from aerialseg.data.layouts.listing import (
    Listing,
    Sample,
    Split,
    check_not_empty,
    check_pairs,
    find_files,
    require_folder,
    warn_of_unlisted,
)
from aerialseg.data.layouts.tables import check_disjoint, read_id_lines, under_listed_names

_GET_AEROSCAPES = (
    "get AeroScapes from its authors' page, github.com/ishann/aeroscapes, unpack it and give the "
    "folder that holds JPEGImages: data.root=PATH"
)


def aeroscapes(root: Path, cache_dir: Path) -> Listing:
    """AeroScapes as its authors publish it, with their training and validation lists.

    ``JPEGImages/ID.jpg``, ``SegmentationClass/ID.png``, ``ImageSets/trn.txt`` and
    ``ImageSets/val.txt``. Nigam, Huang and Ramanan, "Ensemble Knowledge Transfer for Semantic
    Segmentation", WACV 2018. There is no test split.

    Raises:
        DataError: If a file or id is missing, duplicate, or without its counterpart.
    """
    require_folder(root, _GET_AEROSCAPES)
    require_folder(root / "JPEGImages", _GET_AEROSCAPES)
    lists: dict[Split, Path] = {
        "train": root / "ImageSets" / "trn.txt",
        "val": root / "ImageSets" / "val.txt",
    }
    places = {split: read_id_lines(path) for split, path in lists.items()}
    check_disjoint(lists["train"], lists["val"], places["train"], places["val"])
    listed = {**places["train"], **places["val"]}
    images = under_listed_names(find_files(root / "JPEGImages", {".jpg"}), listed)
    masks = under_listed_names(find_files(root / "SegmentationClass", {".png"}), listed)
    paired = set(check_pairs(root, listed, images, masks))
    warn_of_unlisted(root / "JPEGImages", images, listed)
    samples = tuple(
        Sample(key, images[key], masks[key], split, place)
        for split in lists
        for key, place in places[split].items()
        if key in paired
    )
    check_not_empty(samples, root / "ImageSets", "one id per line in trn.txt and val.txt")
    return Listing(samples)
