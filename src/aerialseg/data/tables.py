"""Lists of ids in files: a CSV with a column, or a line each."""

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from aerialseg.data.files import stays_inside
from aerialseg.data.listing import count
from aerialseg.errors import DataError


def read_id_column(path: Path, *, column: str = "ImageID") -> dict[str, str]:
    """Reads the ids of a CSV file.

    They stay text: ``007`` keeps its zeros and ``NA`` is an id like any other.

    Returns:
        From id to its place, as ``train.csv row 12``; the header is row 1.

    Raises:
        DataError: If the file is missing or no text, if the column is absent, or if an id is
            empty, twice, or leads out of the data set's folder.
    """
    rows = csv.DictReader(StringIO(_text(path), newline=""))
    columns = rows.fieldnames or []
    if column not in columns:
        found = ", ".join(repr(name) for name in columns) or "none"
        raise DataError(
            f"{path}: has no column '{column}' (columns: {found}); rename its id column"
        )
    return _checked(path, ((rows.line_num, row[column] or "") for row in rows), "row")


def read_id_lines(path: Path) -> dict[str, str]:
    """Reads a text file with one id a line; empty lines count for nothing.

    Returns:
        From id to its place, as ``trn.txt line 12``.

    Raises:
        DataError: If the file is missing or no text, or if an id is twice or leads out of the
            data set's folder.
    """
    lines = enumerate(_text(path).splitlines(), start=1)
    return _checked(path, ((number, line) for number, line in lines if line.strip()), "line")


def check_disjoint(first: Path, second: Path, ids: Iterable[str], others: Iterable[str]) -> None:
    """Makes sure that no id is in two lists.

    Raises:
        DataError: If one is.
    """
    if both := sorted(set(ids) & set(others)):
        raise DataError(
            f"{first}: {count(both, 'id')} also in {second.name}; a picture belongs to one split"
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # spreadsheets put a mark before the first id
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; it lists the data set's ids") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read as UTF-8 text: {reason}") from None


def _checked(path: Path, rows: Iterable[tuple[int, str]], unit: str) -> dict[str, str]:
    places: dict[str, str] = {}
    problems = []
    for number, text in rows:
        key = text.strip()
        place = f"{path.name} {unit} {number}"
        if not key:
            problems.append(f"{path}: {unit} {number} has no id")
        elif not stays_inside(key):
            problems.append(f"{path}: {unit} {number}: id {key!r} leads out of the folder")
        elif key in places:
            problems.append(f"{path}: id '{key}' is in {unit} {number} and in {places[key]}")
        places.setdefault(key, place)
    if problems:
        raise DataError(*problems[:_SHOWN], *_rest(len(problems)))
    return places


_SHOWN = 5


def _rest(number: int) -> list[str]:
    return [f"and {number - _SHOWN} more problems of this kind"] if number > _SHOWN else []
