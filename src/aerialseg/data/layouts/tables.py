"""Reads tables and lists of ids: CSV files, or text files with one id per line."""

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from aerialseg.data.layouts.listing import count
from aerialseg.errors import DataError
from aerialseg.storage.names import quoted, stays_inside

_SHOWN = 5  # problems shown per file


def read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Reads a CSV file: for each row, the line number it ends in (from 1) and its cells.

    Cells are not converted: ``007`` keeps its zeros, ``NA`` and ``=1+1`` are plain text. Empty rows
    are skipped.

    Raises:
        DataError: If the file is missing, not text or not CSV.
    """
    rows = csv.reader(StringIO(_text(path), newline=""))
    try:
        return [(rows.line_num, row) for row in rows if row]
    except csv.Error as error:
        raise DataError(f"{path}: line {rows.line_num}: is not CSV: {error}; correct it") from None


def read_id_column(path: Path, *, column: str = "ImageID") -> dict[str, str]:
    """Reads the ids of a CSV file.

    Returns:
        Each id with its origin, such as ``train.csv row 12``; the header is row 1.

    Raises:
        DataError: If the file is missing or not CSV, if the column is absent or duplicate, or if an
            id is empty, duplicate, not printable, or a path outside the data set's folder.
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
    """Reads a text file with one id per line; empty lines are skipped.

    Returns:
        Each id with its origin, such as ``trn.txt line 12``.

    Raises:
        DataError: If the file is missing or not text, or if an id is duplicate, not printable, or a
            path outside the data set's folder.
    """
    lines = enumerate(_text(path).splitlines(), start=1)
    return _checked(path, ((number, line) for number, line in lines if line.strip()), "line")


def check_disjoint(first: Path, second: Path, ids: Iterable[str], others: Iterable[str]) -> None:
    """Checks that no id is in both lists.

    Raises:
        DataError: If one is.
    """
    if both := sorted(set(ids) & set(others)):
        raise DataError(
            f"{first}: {count(both, 'id')} also in {second.name}; an image belongs to one split"
        )


def _text(path: Path) -> str:
    """The text of a UTF-8 file without its byte order mark."""
    try:
        return path.read_text(encoding="utf-8-sig")  # spreadsheets write a byte order mark
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; it lists the data set's ids") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(
            f"{path}: cannot be read as UTF-8 text: {reason}; save it as UTF-8"
        ) from None


def _checked(path: Path, rows: Iterable[tuple[int, str]], unit: str) -> dict[str, str]:
    """The ids with their origins; raises DataError with the first problems."""
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
            problems.append(f"{here}: id {quoted(key)} points outside the folder; correct it")
        elif key in places:
            problems.append(f"{here}: id {quoted(key)} is in {places[key]} already; drop one")
        places.setdefault(key, f"{path.name} {unit} {number}")
    if problems:
        raise DataError(*problems[:_SHOWN], *_rest(len(problems)))
    return places


def _rest(number: int) -> list[str]:
    return [f"and {number - _SHOWN} more problems of this kind"] if number > _SHOWN else []
