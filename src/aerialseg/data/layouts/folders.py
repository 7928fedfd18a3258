"""The layout of your own images: one folder of images, one of masks."""

from pathlib import Path

from aerialseg.data.layouts.listing import (
    Listing,
    Sample,
    check_not_empty,
    check_pairs,
    find_files,
    require_folder,
)
from aerialseg.data.layouts.tables import check_disjoint

_GET_FOLDERS = (
    "put your images, masks and classes.yaml there as docs/datasets.md shows, or give their "
    "folder: data.root=PATH"
)


def folders(
    root: Path,
    cache_dir: Path,
    *,
    images: str = "images",
    masks: str = "masks",
    test_images: str | None = None,
) -> Listing:
    """Your own images: a folder of images and a folder of masks with the same names.

    ``images/site/001.jpg`` goes with ``masks/site/001.png``; both have the id ``site/001``.

    Args:
        root: The parent of the other folders.
        cache_dir: Unused; nothing needs unpacking.
        images: Folder of images (jpg, png, tif, bmp or webp).
        masks: Folder of masks, named like the images.
        test_images: Folder of images without masks; None if there are none.

    Raises:
        DataError: If a folder is missing or empty, or an image or a mask is unpaired or duplicate.
    """
    require_folder(root, _GET_FOLDERS)
    for name, folder in (("images", images), ("masks", masks), ("test_images", test_images)):
        if folder is not None:
            require_folder(root / folder, f"make it, or name yours: data.layout.{name}=FOLDER")
    found, found_masks = find_files(root / images), find_files(root / masks)
    check_pairs(root, found, found, found_masks)
    samples = [Sample(key, path, found_masks[key], None) for key, path in found.items()]
    check_not_empty(samples, root / images, "images: jpg, png, tif, bmp or webp")
    if test_images is not None:
        unseen = find_files(root / test_images)
        check_disjoint(root / test_images, root / images, unseen, found)
        samples += [Sample(key, path, None, "test") for key, path in unseen.items()]
    return Listing(tuple(samples))
