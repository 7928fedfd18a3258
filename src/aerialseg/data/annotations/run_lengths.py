"""COCO's compressed run lengths, and pixels from run lengths.

``pycocotools`` decodes them too, but only to whole images, and what a damaged text lacks it takes
from memory that holds anything.
"""

import numpy as np
import numpy.typing as npt

from aerialseg.errors import DataError

Counts = npt.NDArray[np.int64]
"""Lengths of runs, by turns outside and inside; the first is outside."""

_ZERO = 48
"""The character that stands for six bits of zero."""
_LONGEST = 12
"""Characters of a number; more would not fit 60 bits."""


def uncompress(text: bytes, where: str) -> Counts:
    """The run lengths that a compressed text stands for.

    Each character has six bits: five of the number, low ones first, and one that says whether it
    goes on. The last five bits of a number have its sign. From the fourth number on it is the
    difference to the last but one.

    Args:
        text: ASCII.
        where: The file and the place in it, for errors.

    Raises:
        DataError: If it is damaged.
    """
    bits = np.frombuffer(text, dtype=np.uint8).astype(np.int64) - _ZERO
    is_last = bits & 32 == 0
    ends = np.flatnonzero(is_last)
    if not len(bits):
        return np.zeros(0, dtype=np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1 if len(ends) else np.array([len(bits)])
    if not is_last[-1] or bits.min() < 0 or bits.max() > 63 or lengths.max() > _LONGEST:
        raise DataError(f"{where}: its compressed run lengths are damaged; export it again")
    places = np.arange(len(bits)) - np.repeat(starts, lengths)
    values = np.add.reduceat((bits & 31) << (5 * places), starts)
    values -= np.where(bits[ends] & 16, np.int64(1) << (5 * lengths), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def pixels_of(
    counts: Counts, height: int, *, from_column: int = 0, width: int
) -> npt.NDArray[np.bool_]:
    """The pixels of runs down the columns of a bitmap, from a column on.

    Args:
        counts: The runs of the bitmap.
        height: Of the bitmap.
        from_column: The first column of the result.
        width: Of the result.

    Returns:
        ``(height, width)`` bool.
    """
    first, last = from_column * height, (from_column + width) * height
    ends = np.clip(np.cumsum(counts), first, last)
    lengths = np.diff(ends, prepend=first)
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, lengths).reshape((height, width), order="F")
