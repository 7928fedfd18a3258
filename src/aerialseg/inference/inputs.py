"""The images that ``input`` refers to, and the names of their masks."""

import glob
import logging
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from aerialseg.durations import counted
from aerialseg.errors import DataError

logger = logging.getLogger(__name__)

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

_ENDINGS = ("_index", "_colour", "_overlay", "_confidence", "_disagreement")
"""Of the names of results."""

_MASKS = "masks"
"""The usual name of a folder of masks, which are images too."""


def find_images(source: str, *, output_dir: str | Path) -> dict[Path, str]:
    """The images that ``input`` refers to, each with the name of its masks.

    Args:
        source: An image, a folder that is searched recursively, hidden files and folders
            left out, or a glob.
        output_dir: Where masks are written. If it lies below the folder of images, what is in it
            are earlier results, which are left out with a warning.

    Raises:
        DataError: If there are none, or two have the same mask name.
    """
    root = Path(source).expanduser()
    if root.is_dir():
        inside = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
        # File managers leave hidden files and folders of what look like images.
        found = sorted(p for p in inside if p.is_file() and not _is_hidden(p.relative_to(root)))
        base = root
    else:
        # Path.glob would need the pattern split from its fixed part.
        matches = glob.glob(str(root), recursive=True) if not root.is_file() else [str(root)]  # noqa: PTH207
        unique = {_resolved(Path(match)): Path(match) for match in matches if Path(match).is_file()}
        found = sorted(unique.values())
        base = Path(os.path.commonpath([_resolved(path.parent) for path in found] or [root]))
    found = _without_results(found, base, Path(output_dir).expanduser())
    if not found:
        raise DataError(f"input: {source} {_why_nothing(root)}")
    # With '..' left in, a name could point outside the output folder.
    names = {
        path: _resolved(path).relative_to(_resolved(base)).with_suffix("").as_posix()
        for path in found
    }
    writers: dict[str, Path] = {}
    one_case = str.casefold if _ignores_case(Path(output_dir).expanduser()) else str
    for path, name in names.items():
        other = writers.setdefault(one_case(name), path)
        if other != path:
            raise DataError(
                f"input: {other} and {path} would both write {name}_index.png; rename one of them"
            )
    _warn_of_masks(base, names.values())
    return names


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _why_nothing(root: Path) -> str:
    """Why there are no images, and what is wanted."""
    reason = "does not exist"
    if root.is_dir():
        reason = "holds no image"
    elif glob.has_magic(str(root)):
        reason = "matches no file"
    kinds = ", ".join(sorted(SUFFIXES))
    return f"{reason}; wanted an image, a folder of images ({kinds}) or a quoted glob of images"


def _without_results(found: Sequence[Path], base: Path, output_dir: Path) -> list[Path]:
    """The images without results: those in their folder, or beside the images they are of."""
    results, stems = _resolved(output_dir), {path.with_suffix("") for path in found}
    kept = [path for path in found if not _is_result(path, stems)]
    if _resolved(base) in results.parents:
        kept = [path for path in kept if not _resolved(path).is_relative_to(results)]
    elif _resolved(base) != results:
        return list(found)
    if left := len(found) - len(kept):
        logger.warning(
            "input: %s in %s, where the masks are written, left out",
            counted(left, "image"),
            output_dir,
        )
    return kept


def _is_result(path: Path, stems: Collection[Path]) -> bool:
    """Whether a file is named as a result, and the image that it would be of is there too."""
    names = (path.stem.removesuffix(ending) for ending in _ENDINGS if path.stem.endswith(ending))
    is_part = any(parent.suffix == ".partial" for parent in path.parents)
    return is_part or any(path.with_name(name) in stems for name in names if name)


def _ignores_case(folder: Path) -> bool:
    """Whether ``a`` and ``A`` are one name on the disk of a folder, which need not be there yet."""
    place = _resolved(folder)
    for existing in (place, *place.parents):
        other = existing.with_name(existing.name.swapcase()) if existing.name else existing
        if existing.exists() and other != existing:
            return other.exists() and other.samefile(existing)
    return False


def _warn_of_masks(base: Path, names: Iterable[str]) -> None:
    """Warns if the images seem to be those of a data set together with their masks."""
    folders = [name.split("/")[:-1] for name in names]
    masks = sum(_MASKS in parts for parts in folders)
    if 0 < masks < len(folders):
        logger.warning(
            "input: %d of %s are in folders named %s; if they are masks, give the folder of images "
            "only, such as input=%s",
            masks,
            counted(len(folders), "image"),
            _MASKS,
            base / "images",
        )


def _resolved(path: Path) -> Path:
    """The absolute path without ``..``."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps '..'
