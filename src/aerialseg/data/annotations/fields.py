"""Reading JSON files, and values in them with a line for each that is not what it should be."""

import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aerialseg.data.annotations.shapes import Points
from aerialseg.errors import DataError

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = 60


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        DataError: If it cannot be read or is in another encoding: labels would be garbled.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is not UTF-8 (byte {error.start}), so its labels cannot be read for sure; "
            "save it as UTF-8"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """The content of a JSON file.

    Raises:
        DataError: If it cannot be read, or is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: is not valid JSON: {reason}; export it again") from None


class Entry:
    """A JSON object whose values are checked as they are taken out.

    Args:
        value: What should be an object.
        where: The file and the place in it, for errors.

    Raises:
        DataError: If it is no object; as every method does if its value is not as wanted.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise DataError(f"{where}: is {_BRIEF.repr(value)}; wanted an object, {{...}}")
        self._value = value
        self.where = where

    def get(self, key: str) -> Any:  # noqa: ANN401 - whatever the file holds
        """The value as it is; None if there is none."""
        return self._value.get(key)

    def entries(self, key: str) -> list["Entry"]:
        """A list of objects."""
        values = self._value.get(key)
        if not isinstance(values, list):
            raise self.error(key, "a list")
        return [Entry(each, f"{self.where}: {key}[{index}]") for index, each in enumerate(values)]

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self._value.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "a text")
        return value

    def key(self, key: str) -> int | str:
        """An id: a whole number or a text."""
        value = self._value.get(key)
        if not isinstance(value, int | str) or isinstance(value, bool):
            raise self.error(key, "an id")
        return value

    def size(self, height: str, width: str) -> tuple[int, int] | None:
        """Height and width in pixels; None if both are missing or null."""
        if self.get(height) is None and self.get(width) is None:
            return None
        return self._side(height), self._side(width)

    def _side(self, key: str) -> int:
        value = self.get(key)
        if not is_number(value) or value != int(value) or value < 1:
            raise self.error(key, "a whole number from 1")
        return int(value)

    def error(self, key: str, wanted: str) -> DataError:
        """The error for a value that is not as wanted."""
        found = _BRIEF.repr(self._value[key]) if key in self._value else "missing"
        return DataError(f"{self.where}: {key} is {found}; wanted {wanted}")


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def points_of(values: object, where: str) -> Points:
    """Corners from ``[[x, y], ...]``.

    Raises:
        DataError: If it is anything else.
    """
    if isinstance(values, list):
        pairs = [pair for pair in values if isinstance(pair, list) and len(pair) == 2]
        if len(pairs) == len(values) and all(is_number(x) and is_number(y) for x, y in pairs):
            return np.array(pairs, dtype=np.float64).reshape(-1, 2)
    raise DataError(f"{where}: points are {_BRIEF.repr(values)}; wanted [[x, y], ...]")


def counts_of(values: Sequence[object], height: int, width: int, where: str) -> npt.NDArray[Any]:
    """Run lengths, if they are whole numbers that add up to the pixels of a bitmap.

    Raises:
        DataError: If they are not.
    """
    whole = all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in values)
    total = sum(v for v in values if isinstance(v, int)) if whole else 0
    if not whole or total != height * width:
        found = f"add up to {total}" if whole else "are not whole numbers from 0"
        raise DataError(
            f"{where}: its run lengths {found}; wanted the {height * width} pixels of a bitmap of "
            f"{width}x{height}; export it again"
        )
    return np.array(values, dtype=np.int64)
