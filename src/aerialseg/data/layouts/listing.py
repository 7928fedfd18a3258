"""The samples that a layout finds, and checks for missing and duplicate files."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from aerialseg.errors import DataError
from aerialseg.storage.names import quoted

Split: TypeAlias = Literal["train", "val", "test"]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One image and its mask.

    Attributes:
        id: Its unique id in the data set.
        image: Path of the image.
        mask: Path of the mask; None if there is none.
        split: Its official split; None if there is none.
        origin: Where it is listed, such as ``train.csv row 12``; empty if nowhere.
    """

    id: str
    image: Path
    mask: Path | None
    split: Split | None
    origin: str = ""

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
    """

    samples: tuple[Sample, ...]
    sample_submission: Path | None = None


Layout: TypeAlias = Callable[[Path, Path], Listing]
"""Maps the data set's root and a cache folder to a listing."""


def require_folder(folder: Path, advice: str) -> None:
    """Checks that a folder exists.

    Raises:
        DataError: If not, with ``advice`` on how to get it.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        raise DataError(f"{folder}: {what}; {advice}")


def find_files(folder: Path, suffixes: Collection[str] = IMAGE_SUFFIXES) -> dict[str, Path]:
    """Every file below ``folder`` by id: its path below the folder without the suffix.

    Hidden files and folders are skipped: file managers and archivers create them.

    Raises:
        DataError: If two files have the same id, such as ``a.jpg`` and ``a.png``, or a name is
            not printable.
    """
    found: dict[str, Path] = {}
    duplicates: dict[str, None] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith(".") or path.suffix.lower() not in suffixes:
                continue
            key = path.relative_to(folder).with_suffix("").as_posix()
            if key in found:
                duplicates[key] = None
            found[key] = path
    if odd := [key for key in found if not key.isprintable()]:
        raise DataError(f"{folder}: {count(odd, 'name')} that cannot be printed; rename it")
    if duplicates:
        raise DataError(
            f"{folder}: more than one file for {count(duplicates, 'id')}; keep one of each"
        )
    return found


def check_pairs(
    root: Path, ids: Collection[str], images: Mapping[str, Path], masks: Mapping[str, Path]
) -> None:
    """Checks that each id has an image and a mask.

    Raises:
        DataError: If not, with one line each for images and masks that lists the first ids.
    """
    problems = []
    if no_image := [key for key in ids if key not in images]:
        problems.append(f"{root}: {count(no_image, 'id')} without an image; add it or drop the id")
    if no_mask := [key for key in ids if key in images and key not in masks]:
        problems.append(
            f"{root}: {count(no_mask, 'image')} without a mask; add the mask or take the image out"
        )
    if orphans := [key for key in masks if key not in images and key not in ids]:
        problems.append(
            f"{root}: {count(orphans, 'mask')} without an image; add the image or take it out"
        )
    if problems:
        raise DataError(*problems)


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
    names = (name if quoted(name)[1:-1] == name else quoted(name) for name in ids[:3])
    shown = ", ".join(names) + (", ..." if len(ids) > 3 else "")
    return f"{len(ids)} {noun}{'' if len(ids) == 1 else 's'} ({shown})"
