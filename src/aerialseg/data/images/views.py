"""Images to look at: smaller where that is quicker, and with a range where none is known yet."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.band_settings import to_bytes
from aerialseg.data.images.reading import read_part, read_stored
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.windows import Box

_SHRINKS = (8, 4, 2)  # how many times smaller a JPEG is decoded where that is enough
_PERCENTILES = (2, 98)  # of an image whose range is not known, for what is compared by eye


def viewed(
    path: Path, size: tuple[int, int], reading: Reading, *, longest: int
) -> npt.NDArray[np.uint8]:
    """A whole image, which may be smaller than its file's.

    Args:
        path: The file, of which every pixel is decoded.
        size: Its height and width in pixels, upright if orientations are applied.
        reading: How it is read. Where the range of its values follows from percentiles of other
            images, the image has those of itself.
        longest: Pixels of the longer edge that are enough.

    Returns:
        ``(h, w, B)`` uint8; ``size`` or a whole number of times less.

    Raises:
        DataError: As :func:`~aerialseg.data.images.reading.read_image`.
    """
    if has_open_range(reading):
        return with_own_range(*stored_values(path, reading))
    # A divisor of both edges, so that the part is the whole image.
    shrink = next((n for n in _SHRINKS if _is_enough(size, n, longest)), 1)
    return read_part(path, Box(0, 0, *size), shrink, reading)


def has_open_range(reading: Reading) -> bool:
    """Whether the values that become 0 and 255 are known only once all images were read."""
    return reading.bands is not None and reading.percentiles is not None


def stored_values(
    path: Path, reading: Reading
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """``(H, W, B)`` values as they are stored, and ``(N, B)`` those of pixels that are numbers."""
    values = read_stored(path, reading)[0].astype(np.float32)
    return values, values[np.isfinite(values).all(axis=-1)]


def with_own_range(
    values: npt.NDArray[np.float32], known: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint8]:
    """``(H, W, B)`` uint8 by percentiles of the image itself; black if no pixel is a number."""
    if not len(known):
        return np.zeros(values.shape, dtype=np.uint8)
    found: npt.NDArray[Any] = np.percentile(known, _PERCENTILES, axis=0)
    pairs = zip(*found.tolist(), strict=True)
    ranges = tuple((low, max(high, low + 1e-6)) for low, high in pairs)
    return to_bytes(np.nan_to_num(values), ranges)


def _is_enough(size: tuple[int, int], times: int, longest: int) -> bool:
    return max(size) >= times * longest and not any(edge % times for edge in size)
