"""Reads tables and lists of ids: CSV files, or text files with one id per line."""

import csv
from collections.abc import Container, Iterable, Mapping
from io import StringIO
from pathlib import Path, PurePosixPath

from aerialseg.data.layouts.listing import IMAGE_SUFFIXES, count
from aerialseg.errors import DataError
from aerialseg.storage.names import composed, quoted, stays_inside

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
    rows, place = _column(path, column, "rename its id column")
    return _checked(path, ((line, "".join(row[place : place + 1])) for line, row in rows), "row")


def read_table(path: Path, *, key: str, value: str) -> dict[str, tuple[str, str]]:
    """Reads two columns of a CSV file.

    Args:
        path: The file.
        key: The column of the ids.
        value: The other.

    Returns:
        For each id the cell of the other column, and where it is, such as ``table.csv row 12``.

    Raises:
        DataError: As :func:`read_id_column`, for either column.
    """
    places = read_id_column(path, column=key)
    rows, place = _column(path, value, "add it or rename one")
    cells = ["".join(row[place : place + 1]).strip() for _, row in rows]
    return {
        name: (cell, origin) for (name, origin), cell in zip(places.items(), cells, strict=True)
    }


def _column(path: Path, column: str, advice: str) -> tuple[list[tuple[int, list[str]]], int]:
    """The rows of a CSV file below its header, and where a column is in them."""
    (_, header), *rows = read_rows(path) or [(1, [])]
    if header.count(column) != 1:
        has = "more than one column" if column in header else "no column"
        found = ", ".join(map(quoted, header[:_SHOWN])) + (", ..." if len(header) > _SHOWN else "")
        raise DataError(f"{path}: has {has} '{column}' (columns: {found or 'none'}); {advice}")
    return rows, header.index(column)


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


def as_id(text: str, ids: Container[str] = ()) -> str:
    """``north/001`` for ``north/001``, and for ``north/001.jpg`` or ``north/001.JPG``; composed.

    Args:
        text: As it is in a list.
        ids: Those of the files that there are: ``1.png`` is that of ``1.png.jpg`` if it is one.
    """
    text = composed(text)
    if text in ids:
        return text
    path = PurePosixPath(text)
    return path.with_suffix("").as_posix() if path.suffix.lower() in IMAGE_SUFFIXES else text


def under_listed_names(found: Mapping[str, Path], listed: Iterable[str]) -> dict[str, Path]:
    """Files by the names under which a list has them, which may end in a suffix of either case.

    Args:
        found: Files by their id, which has no suffix.
        listed: The names in the list.
    """
    names = {as_id(name, found): name for name in listed}
    return {names.get(key, key): path for key, path in found.items()}


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
