"""Tables and lists of ids in text files: CSV, or an id a line."""

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from aerialseg.data.layouts.listing import count
from aerialseg.errors import DataError
from aerialseg.storage.names import quoted, stays_inside

_SHOWN = 5  # problems of one file


def read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Reads a CSV file: the line each row ends in, counted from 1, and its cells.

    Cells stay text: ``007`` keeps its zeros, ``NA`` is a word like any other, and ``=1+1`` is not
    worked out. Empty rows are left out.

    Raises:
        DataError: If the file is missing, or is no text or no CSV.
    """
    rows = csv.reader(StringIO(_text(path), newline=""))
    try:
        return [(rows.line_num, row) for row in rows if row]
    except csv.Error as error:
        raise DataError(f"{path}: line {rows.line_num}: is no CSV: {error}; correct it") from None


def read_id_column(path: Path, *, column: str = "ImageID") -> dict[str, str]:
    """Reads the ids of a CSV file.

    Returns:
        From id to its place, as ``train.csv row 12``; the header is row 1.

    Raises:
        DataError: If the file is missing or no CSV, if the column is absent or there twice, or if
            an id is empty, twice, cannot be printed, or leads out of the data set's folder.
    """
    (_, header), *rows = read_rows(path) or [(1, [])]
    if header.count(column) != 1:
        has = "more than one column" if column in header else "no column"
        found = ", ".join(map(quoted, header[:_SHOWN])) + (", ..." if len(header) > _SHOWN else "")
        raise DataError(
            f"{path}: has {has} '{column}' (columns: {found or 'none'}); rename its id column"
        )
    place = header.index(column)
    return _checked(path, ((line, "".join(row[place : place + 1])) for line, row in rows), "row")


def read_id_lines(path: Path) -> dict[str, str]:
    """Reads a text file with one id a line; empty lines count for nothing.

    Returns:
        From id to its place, as ``trn.txt line 12``.

    Raises:
        DataError: If the file is missing or no text, or if an id is twice, cannot be printed, or
            leads out of the data set's folder.
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
            f"{first}: {count(both, 'id')} also in {second.name}; an image belongs to one split"
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # spreadsheets put a mark before the first id
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; it lists the data set's ids") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(
            f"{path}: cannot be read as UTF-8 text: {reason}; save it as UTF-8"
        ) from None


def _checked(path: Path, rows: Iterable[tuple[int, str]], unit: str) -> dict[str, str]:
    places: dict[str, str] = {}
    problems = []
    for number, text in rows:
        key = text.strip()
        here = f"{path}: {unit} {number}"
        if not key:
            problems.append(f"{here} has no id; write one or drop the {unit}")
        elif not key.isprintable():
            problems.append(f"{here}: id {quoted(key)} cannot be printed; correct it")
        elif not stays_inside(key):
            problems.append(f"{here}: id {quoted(key)} leads out of the folder; correct it")
        elif key in places:
            problems.append(f"{here}: id {quoted(key)} is in {places[key]} already; drop one")
        places.setdefault(key, f"{path.name} {unit} {number}")
    if problems:
        raise DataError(*problems[:_SHOWN], *_rest(len(problems)))
    return places


def _rest(number: int) -> list[str]:
    return [f"and {number - _SHOWN} more problems of this kind"] if number > _SHOWN else []
