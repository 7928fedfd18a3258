"""The samples that a layout finds, and checks for missing and duplicate files."""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from aerialseg.data.images.windows import Window
from aerialseg.data.layouts.listing_faults import ListingFault, note_or_raise
from aerialseg.data.notices import say_once
from aerialseg.durations import counted
from aerialseg.errors import ConfigError, DataError
from aerialseg.storage.names import composed, quoted

logger = logging.getLogger(__name__)

Split: TypeAlias = Literal["train", "val", "test"]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp"})
IMAGE_KINDS = "jpg, png, tif, bmp, gif or webp"


@dataclass(frozen=True, slots=True)
class Sample:
    """One image and its mask, or a window of both.

    Attributes:
        id: Its unique id in the data set.
        image: Path of the image.
        mask: Path of the mask; None if there is none.
        split: Its official split; None if there is none.
        origin: Where it is listed, such as ``train.csv row 12``; empty if nowhere.
        window: The part of the image that is meant; None for all of it. Layouts list whole images.
        data_set: Name of its data set where several are read together; empty if there is one.
    """

    id: str
    image: Path
    mask: Path | None
    split: Split | None
    origin: str = ""
    window: Window | None = None
    data_set: str = ""

    @property
    def name(self) -> str:
        """The sample's name in errors: id, and where it is listed."""
        return f"sample '{self.id}'" + (f" ({self.origin})" if self.origin else "")


@dataclass(frozen=True, slots=True)
class Listing:
    """All samples of a data set.

    Attributes:
        samples: In listed order, or sorted by id.
        sample_submission: Path of the competition's sample submission, if there is one.
        is_part: Whether it is a part of another listing, so that classes may be missing.
    """

    samples: tuple[Sample, ...]
    sample_submission: Path | None = None
    is_part: bool = False


Layout: TypeAlias = Callable[[Path, Path], Listing]
"""Maps the data set's root and a cache folder to a listing."""


def listed(layout: Layout, root: Path, cache_dir: Path) -> Listing:
    """What a layout finds, if it is a listing of samples: the layout may be anybody's.

    Raises:
        ConfigError: If it is anything else.
        DataError: As the layout raises it.
    """
    listing: object = layout(root, cache_dir)
    if not isinstance(listing, Listing):
        raise ConfigError(
            f"data.layout: returns a {type(listing).__name__}; wanted an "
            "aerialseg.data.layouts.listing.Listing"
        )
    if wrong := [each for each in listing.samples if not isinstance(each, Sample)]:
        raise ConfigError(
            f"data.layout: returns a Listing with a {type(wrong[0]).__name__} among its samples; "
            "wanted aerialseg.data.layouts.listing.Sample only"
        )
    return listing


def require_folder(folder: Path, advice: str) -> None:
    """Checks that a folder exists.

    Raises:
        DataError: If not, with ``advice`` on how to get it.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        raise DataError(f"{folder}: {what}; {advice}")


def find_files(
    folder: Path,
    suffixes: Collection[str] = IMAGE_SUFFIXES,
    *,
    skip: Callable[[str], str | None] = lambda _: None,
) -> dict[str, Path]:
    """Every file below ``folder`` by id: its path below the folder without the suffix, composed.

    Hidden files and folders are skipped: file managers and archivers create them. Whatever else is
    not used is counted and named in one warning.

    Args:
        folder: The folder.
        suffixes: Those of the files that are used, in lower case; files may have either case.
        skip: Why a file is not used, by its path below the folder; None if it is. Files that are
            skipped for an empty reason are not worth a warning.

    Raises:
        DataError: If two files have the same id, such as ``a.jpg`` and ``a.png``, or a name is
            not printable.
    """
    found: dict[str, Path] = {}
    duplicates: dict[str, None] = {}
    unused = Unused(folder)
    for path in _files_below(folder, unused):
        reason = skip(path.relative_to(folder).as_posix())
        if reason is None:
            reason = _reason_to_skip(path, suffixes)
        if reason is not None:
            unused.add(reason, path)
            continue
        key = composed(path.relative_to(folder).with_suffix("").as_posix())
        if key in found:
            duplicates[key] = None
        found[key] = path
    if odd := [key for key in found if not key.isprintable()]:
        raise DataError(f"{folder}: {count(odd, 'name')} that cannot be printed; rename it")
    if duplicates:
        line = f"{folder}: more than one file for {count(duplicates, 'id')}; keep one of each"
        note_or_raise([ListingFault("id_is_ambiguous", line, tuple(duplicates))])
    unused.warn()
    return found


class Unused:
    """What lies in a folder and is not used, by reason.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, list[str]] = {}

    def add(self, reason: str, path: Path) -> None:
        """Notes one file or folder; an empty reason is not worth a word."""
        if not reason:
            return
        name = path.relative_to(self._folder).as_posix()
        self._found.setdefault(reason, []).append(name if name != "." else self._folder.name)

    def add_error(self, error: OSError) -> None:
        """Notes a folder that ``os.walk`` cannot read."""
        reason = (error.strerror or "cannot be read").lower()
        self.add(f"unreadable folder ({reason})", Path(error.filename))

    def warn(self) -> None:
        """Says in one line, once, how many there are, why, and the first names."""
        if not self._found:
            return
        reasons = "; ".join(
            f"{reason}: {len(names)} ({_first(names)})" for reason, names in self._found.items()
        )
        line = f"{self._folder}: some of it is not used: {reasons}"
        say_once(logger, logging.WARNING, line)


def warn_of_unlisted(folder: Path, found: Mapping[str, Path], listed: Collection[str]) -> None:
    """Says in one line, once, how many files of a folder are in no list of the data set."""
    unused = Unused(folder)
    for key, path in found.items():
        if key not in listed:
            unused.add("in no list of the data set", path)
    unused.warn()


def _files_below(folder: Path, unused: Unused) -> Iterator[Path]:
    """All files that are not hidden, in order; notes folders that cannot be entered."""
    for place, folders, names in os.walk(folder, onerror=unused.add_error):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if Path(place, name).is_symlink():
                unused.add("link to a folder, which is not followed", Path(place, name))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _reason_to_skip(path: Path, suffixes: Collection[str]) -> str | None:
    """Why a file is not used; None if it is."""
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        return f"suffix {quoted(suffix)[1:-1]}" if suffix else "no suffix"
    return "broken link" if path.is_symlink() and not path.exists() else None


def check_pairs(
    root: Path,
    ids: Collection[str],
    images: Mapping[str, Path],
    masks: Mapping[str, Path],
    *,
    orphans: Collection[str] | None = None,
    wanted: Mapping[str, str] | None = None,
) -> list[str]:
    """Checks that each id has an image and a mask.

    Args:
        root: The folder of the data set, for errors.
        ids: What is to have both.
        images: By id.
        masks: By id.
        orphans: Names of masks without an image; None for the ids of such masks.
        wanted: Where the mask of each image should be; None if it has the name of the image.

    Returns:
        The ids that have both: all of them, unless :func:`noting_faults` lets others pass.

    Raises:
        DataError: If not, with one line each for images and masks that lists the first ids.
    """
    if orphans is None:
        orphans = [key for key in masks if key not in images and key not in ids]
    faults = []
    if no_image := [key for key in ids if key not in images]:
        line = f"{root}: {count(no_image, 'id')} without an image; {_case_hint(no_image, images)}"
        line = f"{line}add it or drop the id"
        faults.append(ListingFault("id_without_image", line, tuple(no_image)))
    if no_mask := [key for key in ids if key in images and key not in masks]:
        names = [wanted[key] for key in no_mask] if wanted else no_mask
        hint = _case_hint(names, orphans) or (f"wanted {_first(names)}; " if wanted else "")
        line = f"{root}: {count(no_mask, 'image')} without a mask; {hint}"
        line = f"{line}add the mask or take the image out"
        faults.append(ListingFault("image_without_mask", line, tuple(no_mask)))
    if orphans:
        line = f"{root}: {count(orphans, 'mask')} without an image; add the image or take it out"
        faults.append(ListingFault("mask_without_image", line, tuple(orphans)))
    note_or_raise(faults)
    return [key for key in ids if key in images and key in masks]


def _case_hint(names: Iterable[str], others: Iterable[str]) -> str:
    """Says it if a name that is missing is there in another case."""
    known = {other.casefold(): other for other in others}
    for name in names:
        if other := known.get(name.casefold()):
            return f"{quoted(name)} and {quoted(other)} differ in upper and lower case; "
    return ""


def check_not_empty(samples: Collection[Sample], where: Path, wanted: str) -> None:
    """Checks that samples were found.

    Raises:
        DataError: If not; ``wanted`` describes the expected content.
    """
    if not samples:
        raise DataError(f"{where}: lists nothing; wanted {wanted}")


def count(ids: Iterable[str], noun: str) -> str:
    """``2 ids (a, b)`` or ``9 ids (a, b, c, ...)``: how many, and the first three."""
    ids = list(ids)
    return f"{counted(len(ids), noun)} ({_first(ids)})"


def _first(names: Sequence[str]) -> str:
    shown = (name if quoted(name)[1:-1] == name else quoted(name) for name in names[:3])
    return ", ".join(shown) + (", ..." if len(names) > 3 else "")
