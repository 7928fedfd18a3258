"""JPEG: what its header says, whether it is whole, and its pixels."""

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.data.images.headers import check_pixels, foreign_colours, undecodable
from aerialseg.errors import DataError

CUT_SHORT = "the file is cut short"
LONGEST_SEGMENT = 2**16 + 1
END_OF_IMAGE = b"\xff\xd9"

_FRAMES = {b"\xff%c" % code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC)}
_START_OF_SCAN = b"\xff\xda"
_RGB_AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
_HALF = cv2.IMREAD_REDUCED_GRAYSCALE_2  # a bit that means half size; with the above it is not grey
_MID_GREY = 128
_ANY_SCAN = bytes(range(1, 128)) * 32


class Frame(NamedTuple):
    """What a JPEG says of its pixels: bits a channel, height, width, channels."""

    bits: int
    height: int
    width: int
    channels: int


def check_jpeg(data: bytes, path: str | Path, *, max_megapixels: float) -> Frame:
    """Makes sure, before decoding, that a JPEG is whole and becomes 8-bit RGB without a guess.

    Raises:
        DataError: If it is cut short, has too many pixels, more than 8 bits, or print colours.
    """
    frame = _frame(data)
    if frame is None or not is_whole_jpeg(data):
        raise undecodable(path, CUT_SHORT)
    check_pixels(frame.width, frame.height, max_megapixels, path)
    if frame.channels == 4:
        raise foreign_colours("CMYK", path)
    if frame.bits != 8 or frame.channels not in (1, 3):
        raise DataError(
            f"{path}: has {frame.channels} channels of {frame.bits} bits; write it as 8-bit RGB"
        )
    return frame


def decode_jpeg(data: bytes, path: str | Path, *, half: bool) -> npt.NDArray[np.uint8]:
    """Decodes a whole JPEG, its orientation ignored, to ``(H, W, 3)`` uint8 RGB.

    Args:
        data: The file's bytes, which :func:`check_jpeg` has seen.
        path: Where they are from.
        half: Whether height and width are halved, which takes less time.

    Raises:
        DataError: If it is damaged, or has fewer pixels than it says.
    """
    flags = _RGB_AS_STORED | (_HALF if half else 0)
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error as error:
        raise undecodable(path, " ".join(str(error).split())) from None
    if image is None:
        raise undecodable(path, "the JPEG is damaged")
    if (image[-1, -1] == _MID_GREY).all() and _ends_early(data):
        raise undecodable(path, CUT_SHORT)
    return image.astype(np.uint8, copy=False)


def is_whole_jpeg(data: bytes) -> bool:
    """Whether a JPEG has its end marker.

    Decoders fill what is missing with grey and say nothing that Python could catch. Inside
    the scan the marker's two bytes cannot occur by chance; before it they can, since an EXIF
    thumbnail has an end marker too, so the segments before the scan are stepped over. What
    cameras append after the end marker does no harm.
    """
    return _end(data) >= 0


def _end(data: bytes) -> int:
    """Position of the end marker; -1 if there is none."""
    scans = (position for marker, position in _segments(data) if marker == _START_OF_SCAN)
    return data.find(END_OF_IMAGE, next(scans, len(data)))


def _frame(data: bytes) -> Frame | None:
    for marker, position in _segments(data):
        if marker in _FRAMES and len(data) >= position + 10:
            return Frame(*struct.unpack_from(">BHHB", data, position + 4))
    return None


def _segments(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Marker and position of the segments of a JPEG, up to the scan and not beyond it."""
    position = 2
    while data[position : position + 1] == b"\xff":
        marker = data[position : position + 2]
        yield marker, position
        if marker == _START_OF_SCAN:
            return
        padded = marker == b"\xff\xff"
        length = 0 if padded else int.from_bytes(data[position + 2 : position + 4], "big")
        position += 1 if padded else 2 + length


def _ends_early(data: bytes) -> bool:
    """Whether the scan of a JPEG ends before its last pixel, end marker or not.

    The rest is painted mid-grey then. A picture may end in that colour too; but putting more
    into its scan changes nothing, where a scan that lacks something takes it for pixels.
    """
    end = _end(data)
    longer = data[:end] + _ANY_SCAN + data[end:]
    try:
        return not np.array_equal(_eighth(data), _eighth(longer))
    except OSError:  # damaged in a way that OpenCV does not mind
        return True


def _eighth(data: bytes) -> npt.NDArray[np.uint8]:
    """The picture at an eighth of its size; by Pillow, as OpenCV would print its doubts."""
    with Image.open(BytesIO(data), formats=["JPEG"]) as picture:
        picture.draft(None, (1, 1))
        return np.asarray(picture)
