"""An image read row by row, for those that are too large to be held."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Rows:
    """Some rows of an image.

    Attributes:
        first: The first one's number.
        image: ``(h, W, B)`` uint8, as the network was trained on.
        missing: ``(h, W)`` bool, where there is no data; ``None`` if there is everywhere.
    """

    first: int
    image: npt.NDArray[np.uint8]
    missing: npt.NDArray[np.bool_] | None

    @property
    def end(self) -> int:
        """The number after the last one's."""
        return self.first + len(self.image)

    def part(self, first: int, end: int) -> "Rows":
        """Those from ``first`` to ``end``, which are here, as views."""
        rows = slice(first - self.first, end - self.first)
        return Rows(first, self.image[rows], None if self.missing is None else self.missing[rows])

    def followed_by(self, others: "Rows") -> "Rows":
        """These and those after them, as a copy."""
        image = np.concatenate([self.image, others.image])
        if self.missing is None and others.missing is None:
            return Rows(self.first, image, None)
        missing = [
            np.zeros(each.image.shape[:2], dtype=bool) if each.missing is None else each.missing
            for each in (self, others)
        ]
        return Rows(self.first, image, np.concatenate(missing))


class RowSource(Protocol):
    """An image of which rows can be read."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""

    def read(self, first: int, end: int) -> Rows:
        """The rows from ``first`` to ``end``, which exist."""


class HeldImage:
    """An image that is held.

    Args:
        image: ``(H, W, B)`` uint8.
        missing: ``(H, W)`` bool, where there is no data; ``None`` if there is everywhere.
    """

    def __init__(self, image: npt.NDArray[np.uint8], missing: npt.NDArray[np.bool_] | None) -> None:
        self._all = Rows(0, image, missing)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._all.image.shape[0], self._all.image.shape[1]

    def read(self, first: int, end: int) -> Rows:
        """The rows from ``first`` to ``end``."""
        return self._all.part(first, end)
