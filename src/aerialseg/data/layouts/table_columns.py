"""The columns ``mask`` and ``group`` of a table of a split, compared with what is found."""

import logging
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from aerialseg.data.layouts.listing import count
from aerialseg.data.layouts.official_splits import Assigned
from aerialseg.data.layouts.tables import as_id, read_rows
from aerialseg.data.notices import say_once
from aerialseg.errors import DataError
from aerialseg.storage.names import quoted

logger = logging.getLogger(__name__)


def check_columns(path: Path, assigned: Assigned, masks: Mapping[str, Path]) -> None:
    """Compares a CSV file with the masks that were found, and warns of groups on both sides.

    Args:
        path: The file, whose columns ``image`` and ``split`` have been read.
        assigned: The split of each id.
        masks: The mask of each id.

    Raises:
        DataError: If the column ``mask`` names another mask than that of the image's name.
    """
    (_, header), *rows = read_rows(path)
    cells = [dict(zip(header, (cell.strip() for cell in row), strict=False)) for _, row in rows]
    sides: dict[str, set[str]] = {}
    for row in cells:
        key = as_id(row["image"], assigned)
        split, place = assigned[key]
        if split != "test":
            sides.setdefault(row.get("group", ""), set()).add(split)
        said, found = row.get("mask", ""), masks.get(key)
        if said and found is not None and not _is_named(said, found):
            raise DataError(
                f"{path}: {place}: says that the mask of {quoted(row['image'])} is {quoted(said)}, "
                f"but by its name it is {found}; say how masks are named with "
                "data.layout.mask_name, or correct the table"
            )
    if both := sorted(name for name, splits in sides.items() if name and len(splits) > 1):
        say_once(
            logger,
            logging.WARNING,
            f"{path}: {count(both, 'group')} with images to train on and to validate on, so scores "
            "may be too good",
        )


def _is_named(said: str, mask: Path) -> bool:
    """Whether a cell is the end of a mask's path, with any suffix of an image or without."""
    parts = PurePosixPath(as_id(said.replace("\\", "/"))).parts
    names = [part for part in parts if part not in (".", "..")]
    return names == [*mask.parent.parts, mask.stem][-len(names) :] or said == mask.stem
