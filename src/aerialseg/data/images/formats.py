"""Which format a file is in, from its first bytes; only known formats reach a decoder."""

import re
from pathlib import Path

from aerialseg.errors import DataError

START = 64
"""Number of bytes at the start of a file that :func:`format_of` looks at."""

_RIFF_HEADER = 12  # bytes before the chunks of a WebP

WANTED = "JPEG, PNG, WebP, BMP, TIFF or GIF"

CUT_SHORT = "the file is cut short"

_KNOWN = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF.{4}WEBP",
    "BMP": rb"BM",
    "TIFF": rb"II[*+]\x00|MM\x00[*+]",
    "GIF": rb"GIF8[79]a",
}
# Other image formats, and files that often take the place of an image.
_FOREIGN = {
    "an icon": rb"\x00\x00[\x01\x02]\x00",
    "Photoshop data": rb"8BPS",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "PDF": rb"%PDF",
    "JPEG 2000": rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\x00\x00\x00\x0cJXL |\xff\x0a",
    "AVIF": rb".{4}ftypavi",
    "HEIC": rb".{4}ftyp(he|mif|msf)",
    "a portable pixmap": rb"P[1-7fF]\s",
    "a zip archive": rb"PK\x03\x04",
    "a Git LFS pointer": rb"version https://git-lfs",
    "a web page or SVG": rb"\s*<",
}


def format_of(start: bytes, path: str | Path) -> str:
    """Pillow's name of a file's format, from its first :data:`START` bytes.

    Raises:
        DataError: If the file is empty, or not in one of the known formats.
    """
    for name, pattern in _KNOWN.items():
        if re.match(pattern, start, re.DOTALL):
            return name
    for name, pattern in _FOREIGN.items():
        if re.match(pattern, start, re.DOTALL):
            raise DataError(
                f"{path}: holds {name}; wanted {WANTED}; convert it, or get it again from its "
                "source"
            )
    if not start:
        raise undecodable(path, "the file is empty")
    raise undecodable(path, f"not an image of any known format ({WANTED})")


def format_at(path: str | Path) -> str:
    """Pillow's name of the format of the file at ``path``.

    Raises:
        DataError: As :func:`format_of`; if the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return format_of(file.read(START), path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def undecodable(path: str | Path, reason: str) -> DataError:
    """The error for an image that cannot be decoded."""
    return DataError(
        f"{path}: cannot be decoded: {reason}; copy it again from its source, or take it out"
    )


def is_lossy_webp(data: bytes) -> bool:
    """Whether the pixels of a WebP are stored by its lossy codec."""
    position = _RIFF_HEADER
    while position + 8 <= len(data):
        kind, length = data[position : position + 4], data[position + 4 : position + 8]
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8 "
        size = int.from_bytes(length, "little")
        position += 8 + size + size % 2  # chunks begin at even places
    return False
