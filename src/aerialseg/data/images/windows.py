"""Windows: the parts that an image is served in when it is larger than training wants.

The windows of an image overlap by what is left over, so each pixel also belongs to one of them
alone: the share of the window in whose inside it lies deepest. Pixels are counted and scored in
shares, so none counts twice; a network is trained on whole windows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.errors import DataError


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels.

    Attributes:
        top: Its first row.
        left: Its first column.
        height: Its rows, 1 or more.
        width: Its columns, 1 or more.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    def of(self, array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The rectangle of an ``(H, W)`` or ``(H, W, C)`` array, as a view."""
        rows = slice(self.top, self.top + self.height)
        return array[rows, self.left : self.left + self.width]

    def holds(self, other: "Box") -> bool:
        """Whether another rectangle lies in it."""
        rows = self.top <= other.top and other.top + other.height <= self.top + self.height
        columns = self.left <= other.left and other.left + other.width <= self.left + self.width
        return rows and columns

    def grown(self, margin: int, size: tuple[int, ...]) -> "Box":
        """The same with so many pixels around it, as far as an image of this size reaches."""
        top, left = max(0, self.top - margin), max(0, self.left - margin)
        bottom = min(size[0], self.top + self.height + margin)
        right = min(size[1], self.left + self.width + margin)
        return Box(top, left, bottom - top, right - left)

    def shrunk(self, times: int) -> "Box":
        """The same in an image that is so many times smaller, a divisor of all four numbers."""
        return Box(*(number // times for number in (self.top, self.left, *self.size)))


@dataclass(frozen=True, slots=True)
class Window:
    """One window of an image.

    Attributes:
        box: What is served, in pixels of the image, upright if its orientation is applied.
        share: The part of it that no other window has, in the same pixels. The shares of an
            image's windows cover it without overlap.
        number: Its place among the image's windows, row by row from 0.
    """

    box: Box
    share: Box
    number: int

    def cut(self, pixels: npt.NDArray[np.uint8], path: Path) -> npt.NDArray[np.uint8]:
        """The window of an ``(H, W)`` or ``(H, W, C)`` array, as a copy.

        Args:
            pixels: The whole image, which may be cut from again.
            path: Its file, for the error.

        Raises:
            DataError: If the window does not lie in it.
        """
        part = self.box.of(pixels).copy()
        if part.shape[:2] != self.box.size:
            raise changed_since_listing(path, (pixels.shape[0], pixels.shape[1]))
        return part

    def share_of(self, mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """A mask of the window with 255, which is ignored, outside its share.

        Args:
            mask: ``(h, w)`` uint8, resized or not.

        Returns:
            A new array of the same size.
        """
        (first_row, end_row), (first_column, end_column) = (
            (_scaled(start, edge, length), _scaled(start + part, edge, length))
            for start, part, edge, length in (
                (self.share.top - self.box.top, self.share.height, self.box.height, mask.shape[0]),
                (self.share.left - self.box.left, self.share.width, self.box.width, mask.shape[1]),
            )
        )
        result = np.full_like(mask, IGNORE_INDEX)
        inside = np.s_[first_row:end_row, first_column:end_column]
        result[inside] = mask[inside]
        return result


def changed_since_listing(path: str | Path, size: tuple[int, int]) -> DataError:
    """The error for an image that is smaller than it was, with its height and width now."""
    return DataError(
        f"{path}: is {size[1]}x{size[0]} pixels and was larger when it was listed; start again"
    )


def grid(size: tuple[int, int], window: tuple[int, int]) -> tuple[Window, ...]:
    """The windows of an image, row by row: as few as cover it, evenly spread.

    All have exactly the size of ``window``, except that an edge of the image that is shorter stays
    whole.

    Args:
        size: Height and width of the image.
        window: Height and width of a window.
    """
    rows, columns = (list(_spread(*edges)) for edges in zip(size, window, strict=True))
    height, width = (min(edges) for edges in zip(size, window, strict=True))
    return tuple(
        Window(
            Box(top, left, height, width),
            Box(first_row, first_column, end_row - first_row, end_column - first_column),
            number,
        )
        for number, ((top, first_row, end_row), (left, first_column, end_column)) in enumerate(
            product(rows, columns)
        )
    )


def _spread(length: int, edge: int) -> Iterator[tuple[int, int, int]]:
    """For each window along one edge of an image: where it begins, and its share's two ends."""
    if length <= edge:
        yield 0, 0, length
        return
    gaps = -(-length // edge) - 1  # between the windows' beginnings
    starts = [(2 * i * (length - edge) + gaps) // (2 * gaps) for i in range(gaps + 1)]
    borders = [(start + edge + after) // 2 for start, after in pairwise(starts)]
    yield from zip(starts, [0, *borders], [*borders, length], strict=True)


def _scaled(place: int, edge: int, length: int) -> int:
    """Where a place along an edge lies once the edge is resized to another length."""
    return (2 * place * length + edge) // (2 * edge)
