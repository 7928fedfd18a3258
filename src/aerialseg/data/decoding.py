"""Telling whole pictures from damaged ones."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from aerialseg.errors import DataError

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_END_OF_PNG = b"IEND"
_FRAMES = {b"\xff%c" % code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC)}
_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"
_FAULTS = (
    OSError,
    SyntaxError,  # PIL's word for a malformed header
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@contextmanager
def opened(path: str | Path) -> Iterator[Image.Image]:
    """Opens a picture with PIL; what PIL raises, also while decoding, becomes one clear line.

    Raises:
        DataError: If there is no such file, or it is no picture, or it is damaged.
    """
    try:
        with Image.open(path) as picture:
            yield picture
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except _FAULTS as error:
        raise undecodable(path, _reason(error)) from None


def undecodable(path: str | Path, reason: str) -> DataError:
    """The error for a picture that cannot be decoded."""
    return DataError(
        f"{path}: cannot be decoded: {reason}; copy it again from its source, or take it out"
    )


def is_jpeg(data: bytes) -> bool:
    """Whether these first bytes of a file are those of a JPEG."""
    return data.startswith(_JPEG)


def is_whole_jpeg(data: bytes) -> bool:
    """Whether a JPEG has its end marker.

    Decoders fill what is missing with grey and say nothing that Python could catch. Inside
    the scan the marker's two bytes cannot occur by chance; before it they can, since an EXIF
    thumbnail has an end marker too, so the segments before the scan are stepped over. What
    cameras append after the end marker does no harm.
    """
    for marker, position in _segments(data):
        if marker == _START_OF_SCAN:
            return data.rfind(_END_OF_IMAGE, position) >= 0
    return False


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Height and width in pixels of a JPEG; zeros if its header does not tell."""
    for marker, position in _segments(data):
        if marker in _FRAMES:
            height, width = data[position + 5 : position + 7], data[position + 7 : position + 9]
            return int.from_bytes(height, "big"), int.from_bytes(width, "big")
    return 0, 0


def check_whole(path: str | Path) -> None:
    """Finds a JPEG or PNG that was cut short, as a rule from its last bytes alone.

    Raises:
        DataError: If the end is missing.
    """
    with Path(path).open("rb") as file:
        start = file.read(len(_PNG))
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if is_jpeg(start):
        # A short file's last bytes could be those of its thumbnail.
        if size > _LONGEST_SEGMENT + _TAIL and _END_OF_IMAGE in tail:
            return
        if not is_whole_jpeg(Path(path).read_bytes()):
            raise undecodable(path, CUT_SHORT)
    elif start == _PNG and _END_OF_PNG not in tail:
        with opened(path) as picture:
            picture.load()  # what is missing need not be pixels


CUT_SHORT = "the file is cut short"
_TAIL = 4096
_LONGEST_SEGMENT = 2**16 + 1


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


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not a picture of any known format"
    return " ".join(str(error).split()) or type(error).__name__
