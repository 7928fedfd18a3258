"""The layout of your own images: one folder of images, one of masks."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from aerialseg.data.layouts.folder_files import (
    FolderFiles,
    Places,
    find_folder_files,
    find_test_images,
)
from aerialseg.data.layouts.listing import (
    IMAGE_KINDS,
    IMAGE_SUFFIXES,
    Listing,
    Sample,
    check_not_empty,
    check_pairs,
    count,
    require_folder,
    warn_of_unlisted,
)
from aerialseg.data.layouts.naming import Naming, as_typed
from aerialseg.data.layouts.naming_guess import guess_names
from aerialseg.data.layouts.official_splits import (
    PARTS,
    Assigned,
    by_folders,
    by_lists,
    by_table,
)
from aerialseg.data.layouts.table_columns import check_columns
from aerialseg.data.layouts.tables import check_disjoint
from aerialseg.data.notices import say_once
from aerialseg.errors import ConfigError, DataError, did_you_mean

logger = logging.getLogger(__name__)

_SHOWN = 5  # folders named in one line
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
    mask_name: str | None = None,
    image_name: str | None = None,
    test_images: str | None = None,
    split: str | Mapping[str, str] = "auto",
) -> Listing:
    """Your own images: a folder of images and a folder of masks, which may be the same.

    ``images/site/001.jpg`` goes with ``masks/site/001.png`` and has the id ``site/001``. Without
    such a folder, ``train/images/001.jpg`` goes with ``train/masks/001.png``; its id is
    ``train/001``.

    Args:
        root: The parent of the other folders.
        cache_dir: Unused; nothing needs unpacking.
        images: Folder of images (jpg, png, tif, bmp, gif or webp); ``.`` is root itself.
        masks: Folder of masks; may be that of the images, if ``mask_name`` tells them apart.
        mask_name: The name of an image's mask, such as ``{stem}_lab.png``, or its path below
            ``masks``, such as ``{parent}/gt/{stem}.png``. ``{stem}`` is the image's name without
            suffix, ``{name}`` with it, ``{parent}`` its folder. None: that of the image.
        image_name: The name or path of images, such as ``{stem}_sat.jpg``, if masks lack a part
            of it. None: every file that is no mask is an image.
        test_images: Folder of images without masks; None if there are none.
        split: Where the official split is. ``official``: the folders ``train``, ``val`` (or
            ``valid``, ``validation``) and ``test`` of the images. ``random``: there is none; images
            are divided by ``data.val_fraction``. ``auto``: ``official`` if images lie in such
            folders only, otherwise ``random``. A CSV file below root with the columns ``image``
            and ``split``, or ``{train: train.txt, val: val.txt}`` with an id a line. Images of
            the split ``test`` may have masks or none.

    Raises:
        ConfigError: If ``split`` is none of these, or a name has no field or an unknown one.
        DataError: If a folder is missing or empty, or an image or a mask is unpaired or duplicate.
    """
    naming = Naming(image_name, mask_name)
    require_folder(root, _GET_FOLDERS)
    places = Places(root, images, masks, test_images, _parts(root, images, masks))
    files = find_folder_files(places, naming)
    assigned = _assigned(root, files.images, split)
    samples = _paired(root, files, naming, assigned)
    if assigned is not None and isinstance(split, str) and split.lower().endswith(".csv"):
        check_columns(root / split, assigned, files.masks)
    check_not_empty(samples, root / images, f"images: {IMAGE_KINDS}{naming.remark}")
    return Listing((*samples, *_unseen(places, naming, files)))


def _name_yours(root: Path, key: str) -> str:
    """What to do about a missing folder, with the names of those that there are."""
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name[:1] != ".")
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    there = f"; there: {', '.join(names[:_SHOWN])}{more}" if names else ""
    return f"make it, or name yours: data.layout.{key}=FOLDER{there}"


def _unseen(places: Places, naming: Naming, files: FolderFiles) -> list[Sample]:
    """The images without masks that lie in a folder of their own."""
    if places.test_images is None:
        return []
    folder = places.root / places.test_images
    require_folder(folder, _name_yours(places.root, "test_images"))
    found = find_test_images(folder, places, naming)
    check_disjoint(folder, places.root / places.images, found, files.images)
    return [Sample(key, path, None, "test") for key, path in found.items()]


def _parts(root: Path, images: str, masks: str) -> Sequence[str]:
    """The folders of a split around those of images and masks; ``.`` if it is not around them."""
    around = [part for part in PARTS if (root / part / images).is_dir()]
    if around and not (root / images).is_dir():
        return around
    above = root.parent
    is_too_deep = (above / images).is_dir() and (above / masks).is_dir()
    for key, folder in (("images", images), ("masks", masks)):
        advice = f"{above} has {images} and {masks}: set data.root={above}"
        require_folder(root / folder, advice if is_too_deep else _name_yours(root, key))
    return (".",)


def _assigned(
    root: Path, found: Mapping[str, Path], split: str | Mapping[str, str]
) -> Assigned | None:
    """The official split of each id; ``None`` if there is none."""
    if isinstance(split, Mapping):
        assigned, where = by_lists(root, split, found), ", ".join(split.values())
    elif split.lower().endswith(".csv"):
        assigned, where = by_table(root / split, found), split
    elif split in ("auto", "official"):
        official = by_folders(found)
        if official is None and split == "official":
            tops = Counter(key.partition("/")[0] if "/" in key else "." for key in found)
            raise DataError(
                f"{root}: data.layout.split=official wants its images in the folders train, val "
                f"and perhaps test, and nowhere else; found {', '.join(sorted(tops)[:5])}"
            )
        if official is None:
            _warn_of_other_folders(root, found)
            return None
        assigned, where = official, "the folders of the images"
    elif split == "random":
        return None
    else:
        known = ("auto", "official", "random")
        raise ConfigError(
            f"data.layout.split: '{split}' is no CSV file and none of {', '.join(known)}"
            f"{did_you_mean(split, known)}"
        )
    sizes = Counter(part for part, _ in assigned.values())
    counts = ", ".join(f"{part} {size}" for part, size in sizes.items())
    say_once(logger, logging.INFO, f"{root}: official split by {where}: {counts}")
    return assigned


def _warn_of_other_folders(root: Path, ids: Iterable[str]) -> None:
    """Says why there is no official split although folders look like one."""
    tops = {key.partition("/")[0] if "/" in key else "." for key in ids}
    if {"train", "val"} <= {PARTS[top] for top in tops if top in PARTS}:
        say_once(
            logger,
            logging.WARNING,
            f"{root}: has folders of an official split, but images elsewhere too: "
            f"{', '.join(sorted(tops - PARTS.keys())[:_SHOWN])}; so all images are divided by "
            "data.val_fraction; move these away to keep the split, or say that this is meant with "
            "data.layout.split=random",
        )


def _paired(
    root: Path, files: FolderFiles, naming: Naming, assigned: Assigned | None
) -> list[Sample]:
    """The samples; those of the official split if there is one."""
    found, masks = files.images, files.masks
    ids = found if assigned is None else assigned
    test = {key for key, (part, _) in (assigned or {}).items() if part == "test"}
    needless = set() if test & masks.keys() else test & found.keys()  # a test split without labels
    has_mask = {**masks, **{key: found[key] for key in needless}}
    # An id without an image is named once, not its mask too.
    listed = {files.mask_of(key) for key in ids if key not in found}
    orphans = [orphan for orphan in files.orphans if orphan.place not in listed]
    missing = [key for key in ids if key in found and key not in has_mask]
    if missing and not masks and (guess := guess_names(missing, [each.id for each in orphans])):
        raise DataError(_names_differ(root, missing, [each.file for each in orphans], *guess))
    if naming.is_default:  # one id says where both are
        paired = check_pairs(root, ids, found, has_mask, orphans=[orphan.id for orphan in orphans])
    else:
        wanted = {key: naming.with_suffix(files.mask_of(key)) for key in missing}
        alone = [orphan.file for orphan in orphans]
        paired = check_pairs(root, ids, found, has_mask, orphans=alone, wanted=wanted)
    if assigned is None:
        return [Sample(key, found[key], masks[key], None) for key in paired]
    warn_of_unlisted(root, found, assigned)
    return [Sample(key, found[key], masks.get(key), *assigned[key]) for key in paired]


def _names_differ(
    root: Path, images: Sequence[str], masks: Sequence[str], image_name: str, mask_name: str
) -> str:
    """The line about masks that have other names than their images, with what to type."""
    if PurePosixPath(mask_name).suffix.lower() in IMAGE_SUFFIXES:  # a.jpg.png beside a.jpg
        mask_name += PurePosixPath(masks[0]).suffix
    names = {"image_name": image_name, "mask_name": mask_name}
    typed = " ".join(as_typed(key, name) for key, name in names.items() if name != "{stem}")
    return (
        f"{root}: {count(images, 'image')} without a mask, as masks have other names "
        f"({', '.join(masks[:3])}{', ...' if len(masks) > 3 else ''}); say so by {typed}"
    )
