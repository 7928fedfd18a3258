"""Splits that a data set brings along: in its folders' names, in lists of ids or in a table."""

from collections.abc import Container, Iterable, Mapping
from pathlib import Path, PurePosixPath

from aerialseg.data.layouts.listing import Split, count
from aerialseg.data.layouts.tables import as_id, read_id_lines, read_table
from aerialseg.errors import ConfigError, DataError, did_you_mean
from aerialseg.storage.names import quoted

PARTS: Mapping[str, Split] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}
"""Names of folders, lists and cells that mean a split."""

Assigned = dict[str, tuple[Split, str]]
"""The split of each id, and where it is listed."""


def by_folders(ids: Iterable[str]) -> Assigned | None:
    """The splits of ids such as ``train/001`` and ``val/001``.

    Returns:
        ``None`` if an id lies in another folder or in none, or if nothing is to train or validate.
    """
    parts = {key: PARTS.get(PurePosixPath(key).parts[0]) if "/" in key else None for key in ids}
    found: Assigned = {key: (part, "") for key, part in parts.items() if part is not None}
    splits = {split for split, _ in found.values()}
    return found if len(found) == len(parts) and {"train", "val"} <= splits else None


def by_lists(root: Path, lists: Mapping[str, str], ids: Container[str]) -> Assigned:
    """The splits of the ids in text files, one for each split, with one id a line.

    Args:
        root: The folder of the files.
        lists: A file for each split.
        ids: As in :func:`by_table`.

    Raises:
        ConfigError: If a key means no split.
        DataError: If a file is missing, is not text, or lists an id that another lists too.
    """
    if unknown := [name for name in lists if name not in PARTS]:
        raise ConfigError(
            f"data.layout.split: there is no split '{unknown[0]}'{did_you_mean(unknown[0], PARTS)}"
        )
    found: Assigned = {}
    problems = []
    for name, file in lists.items():
        places = {as_id(text, ids): place for text, place in read_id_lines(root / file).items()}
        if both := [key for key in places if key in found]:
            problems.append(
                f"{root / file}: {count(both, 'id')} also in {found[both[0]][1]}; an image belongs "
                "to one split"
            )
        found |= {key: (PARTS[name], place) for key, place in places.items()}
    if problems:
        raise DataError(*problems)
    return found


def by_table(path: Path, ids: Container[str]) -> Assigned:
    """The splits in a CSV file with the columns ``image``, which holds ids, and ``split``.

    Args:
        path: The file.
        ids: Those of the images that there are: ``a.png`` is that of ``a.png.jpg`` if it is one.

    Raises:
        DataError: If the file cannot be read or has not these columns, if a cell of ``split``
            means no split, or if an image is listed twice, with its suffix and without.
    """
    found: Assigned = {}
    problems = []
    for text, (cell, place) in read_table(path, key="image", value="split").items():
        split, key = PARTS.get(cell), as_id(text, ids)
        if split is None:
            problems.append(f"{path}: {place}: there is no split {quoted(cell)}")
        elif key in found:
            raise DataError(
                f"{path}: {place}: image {quoted(text)} is in {found[key][1]} already; drop one"
            )
        else:
            found[key] = (split, place)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DataError(f"{problems[0]}{more}; write train, val or test")
    return found
