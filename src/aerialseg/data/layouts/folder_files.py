"""The files of the layout ``folders``: images, masks, and which mask is whose by their names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from typing import Literal

from aerialseg.data.layouts.listing import IMAGE_SUFFIXES, find_files
from aerialseg.data.layouts.naming import Naming, as_typed
from aerialseg.errors import ConfigError

_OF_NO_FILE = ".jpg"  # the suffix of an image that is not there


@dataclass(frozen=True, slots=True)
class Places:
    """Where images and masks are.

    Attributes:
        root: The parent of the other folders.
        images: The folder of images, below ``root`` or below each of ``parts``.
        masks: The folder of masks, likewise; may be that of the images.
        test_images: The folder of images without masks, below ``root``; None if there is none.
        parts: The folders of a split around those of images and masks; ``.`` if there are none.
    """

    root: Path
    images: str
    masks: str
    test_images: str | None
    parts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Orphan:
    """A mask of no image.

    Attributes:
        place: Its path below the root, without suffix.
        id: The id that an image of the same name would have.
        file: Its path below the root.
    """

    place: str
    id: str
    file: str


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """Images and masks that belong together.

    Attributes:
        images: By id.
        masks: By the id of their image.
        orphans: Masks of no image.
        mask_of: The path of an image's mask, by the image's id, below the root without suffix.
    """

    images: dict[str, Path]
    masks: dict[str, Path]
    orphans: list[Orphan]
    mask_of: Callable[[str], str]


def find_folder_files(places: Places, naming: Naming) -> FolderFiles:
    """Finds images and masks and pairs them by their names.

    Raises:
        ConfigError: If images and masks lie in one folder under the same names, or if one mask is
            that of two images.
        DataError: As :func:`find_files` does.
    """
    images: dict[str, Path] = {}
    masks: dict[str, Path] = {}
    unpaired: dict[str, Orphan] = {}
    for part in places.parts:
        found, found_masks = _in_part(places, part, naming)
        images |= {normpath(f"{part}/{key}"): path for key, path in found.items()}
        for key, path in found_masks.items():
            place = normpath(f"{part}/{places.masks}/{key}")
            masks[place] = path
            file = path.relative_to(places.root).as_posix()
            unpaired[place] = Orphan(place, normpath(f"{part}/{key}"), file)

    def mask_of(key: str) -> str:
        part, inner = (".", key) if "." in places.parts else key.split("/", 1)
        suffix = images[key].suffix if key in images else _OF_NO_FILE
        return normpath(f"{part}/{places.masks}/{naming.mask_of(inner + suffix)}")

    wanted = {key: mask_of(key) for key in images}
    naming.check_distinct(wanted)
    paired = {key: masks[place] for key, place in wanted.items() if place in masks}
    for place in wanted.values():
        unpaired.pop(place, None)
    return FolderFiles(images, paired, list(unpaired.values()), mask_of)


def find_test_images(folder: Path, places: Places, naming: Naming) -> dict[str, Path]:
    """Images without masks by id; next to masks by name, these are left out and named."""
    if not _is_one_folder(places.root / places.images, places.root / places.masks):
        return find_files(folder)
    named = "named as a mask"
    return find_files(folder, skip=lambda path: named if naming.kind_of(path) == "mask" else None)


@dataclass(frozen=True, slots=True)
class _Skipping:
    """Why a file is not used, as :func:`find_files` asks.

    Attributes:
        kind: What is looked for.
        folder: Where.
        root: The data set's root, where the class table and lists of a split lie.
        others: Folders of other kinds.
        naming: What files are by their names.
        is_mixed: Whether images and masks lie in one folder.
    """

    kind: Literal["image", "mask"]
    folder: Path
    root: Path
    others: Sequence[Path]
    naming: Naming
    is_mixed: bool

    def __call__(self, name: str) -> str | None:
        path = self.folder / name
        if any(path.is_relative_to(other) for other in self.others if other != self.folder):
            return ""
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            return "" if path.parent == self.root else None
        if self.is_mixed:
            kind = self.naming.kind_of(name)
            return None if kind == self.kind else "" if kind else "named as no image and no mask"
        is_named = self.naming.is_image if self.kind == "image" else self.naming.is_mask
        return None if is_named(name) else f"not named as data.layout.{self.kind}_name says"


def _in_part(places: Places, part: str, naming: Naming) -> tuple[dict[str, Path], dict[str, Path]]:
    """Images and masks of one part, by their paths below their folders without suffix."""
    root = places.root
    images, masks = root / part / places.images, root / part / places.masks
    is_mixed = _is_one_folder(images, masks)
    if is_mixed and naming.is_default:
        raise ConfigError(
            f"data.layout.masks: {masks} is the folder of the images too; say which of its files "
            f"are masks, as in {as_typed('mask_name', '{stem}_lab.png')}"
        )
    unseen = [root / places.test_images] if places.test_images is not None else []
    # A folder inside another is left out there, but not the one around it.
    other_images = [other for other in (masks, *unseen) if other.is_relative_to(images)]
    other_masks = [other for other in (images, *unseen) if other.is_relative_to(masks)]
    found = find_files(
        images, skip=_Skipping("image", images, root, other_images, naming, is_mixed)
    )
    if not masks.is_dir():  # test images may have no masks
        return found, {}
    skip = _Skipping("mask", masks, root, other_masks, naming, is_mixed)
    return found, find_files(masks, skip=skip)


def _is_one_folder(first: Path, second: Path) -> bool:
    """Whether two paths are one folder, by another name or on a disk that ignores case too."""
    return first.is_dir() and second.is_dir() and first.samefile(second)
