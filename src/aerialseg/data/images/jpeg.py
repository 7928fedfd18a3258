"""JPEG decoding with simplejpeg, which raises where OpenCV and Pillow paint missing pixels grey."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import simplejpeg

from aerialseg.data.images.formats import CUT_SHORT, START, format_of, undecodable
from aerialseg.data.images.headers import check_pixels, foreign_colours
from aerialseg.data.images.jpeg_scans import lacks_scans
from aerialseg.errors import DataError

END_OF_IMAGE = b"\xff\xd9"
_START_OF_IMAGE = b"\xff\xd8"
_START_OF_SCAN = b"\xff\xda"


def jpeg_size(data: bytes, path: str | Path, *, max_megapixels: float) -> tuple[int, int] | None:
    """Height and width of a JPEG, from its header.

    Returns:
        None for a rare kind that simplejpeg refuses, such as one with unusual chroma subsampling.
        Pillow may read it, though it does not notice missing pixels before an end marker.

    Raises:
        DataError: If the header is cut short, states too many pixels, or print colours.
    """
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, KeyError) as error:  # KeyError: a subsampling without a name
        if _is_cut_short(data, error):
            raise undecodable(path, CUT_SHORT) from None
        return None
    check_pixels(width, height, max_megapixels, path)
    if colours in ("CMYK", "YCCK"):
        raise foreign_colours("CMYK", path)
    return height, width


def decode_jpeg(
    data: bytes, path: str | Path, *, at_least: tuple[int, int] = (0, 0)
) -> npt.NDArray[np.uint8] | None:
    """Decodes a JPEG to ``(H, W, 3)`` uint8 RGB as it is stored, not turned.

    Args:
        data: The file's bytes, whose header :func:`jpeg_size` has read.
        path: The file, for errors.
        at_least: The height and width wanted if half of the full size or less is enough: libjpeg
            then decodes at the smallest of its scales that gives as much. (0, 0) is full size.

    Returns:
        None for a rare kind, as :func:`jpeg_size`.

    Raises:
        DataError: If the pixels are damaged or cut short, or the last scans are missing.
    """
    height, width = at_least
    try:
        image: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data, min_height=height, min_width=width, min_factor=2
        )
    except MemoryError:
        raise undecodable(path, "there is not enough memory for it") from None
    except ValueError as error:
        if _is_cut_short(data, error):
            raise undecodable(path, CUT_SHORT) from None
        if str(error).startswith("Corrupt"):
            raise undecodable(path, str(error)) from None
        return None  # an odd header, such as some phones write; the pixels are whole
    if lacks_scans(data):
        raise undecodable(path, "its last scans are missing")
    return image


def read_jpeg(
    path: str | Path,
    at_least: Callable[[tuple[int, int]], tuple[int, int]],
    max_megapixels: float,
) -> tuple[npt.NDArray[np.uint8], tuple[int, int]] | None:
    """Reads a JPEG as :func:`decode_jpeg` does, and the full height and width.

    Args:
        path: The file.
        at_least: From the full height and width to those that are enough, of :func:`decode_jpeg`.
        max_megapixels: Most millions of pixels.

    Returns:
        None if it is no JPEG, or one of a rare kind, which Pillow has to decode.

    Raises:
        DataError: If the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(START)
            if format_of(start, path) != "JPEG":
                return None
            data = start + file.read()
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    size = jpeg_size(data, path, max_megapixels=max_megapixels)
    if size is None:
        return None
    image = decode_jpeg(data, path, at_least=at_least(size))
    return None if image is None else (image, size)


def check_end(data: bytes, path: str | Path) -> None:
    """Finds a JPEG that was cut short.

    Raises:
        DataError: If its end is missing, or if it had to be decoded for this and is damaged.
    """
    # A second start marker means a thumbnail, whose end marker is no sign of the image's own.
    if data.rfind(END_OF_IMAGE) < 0 or data.rfind(_START_OF_IMAGE, 2) > 0:
        decode_jpeg(data, path, at_least=(1, 1))


def _is_cut_short(data: bytes, error: Exception) -> bool:
    """Whether a JPEG could not be decoded because it ends early."""
    missing = data.rfind(END_OF_IMAGE) <= data.rfind(_START_OF_SCAN)
    return missing or "premature end" in str(error).lower()
