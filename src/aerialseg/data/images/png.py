"""PNG: whether a file is whole, which decoders do not ask."""

import struct
import zlib
from pathlib import Path

from aerialseg.data.images.headers import undecodable
from aerialseg.data.images.jpeg import CUT_SHORT

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"IEND"

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_ONE_PASS = ((0, 0, 1, 1),)  # first column and row, steps between columns and rows
_INTERLACED = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_ANCILLARY = 0x20  # a bit of the first letter: decoding needs no such chunk
_AT_ONCE = 1 << 18  # bytes; larger buffers take longer to make than to fill


def check_png(data: bytes, path: str | Path, *, rows: bool) -> None:
    """Compares every chunk that matters with its checksum.

    Args:
        data: The file's bytes.
        path: Where they are from.
        rows: Whether to count the rows too, which takes as long as decoding.

    Raises:
        DataError: If the file is damaged or cut short, or ends before its last row.
    """
    pixels = []
    position, kind = len(SIGNATURE), b""
    while kind != END:
        start, length = position + 8, int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : start]
        position = start + length + 4
        if len(data) < position:
            raise undecodable(path, CUT_SHORT)
        content = memoryview(data)[start : start + length]
        checksum = int.from_bytes(data[position - 4 : position], "big")
        if not kind[0] & _ANCILLARY and zlib.crc32(content, zlib.crc32(kind)) != checksum:
            raise undecodable(path, f"its part {kind.decode('latin-1')} is damaged")
        if kind == b"IDAT":
            pixels.append(content)
    if rows and not _has_bytes(pixels, _raw_size(data)):
        raise undecodable(path, "the file has fewer rows than its header says")


def _raw_size(data: bytes) -> int:
    """Bytes of all rows before compression, by the header."""
    width, height, bits, colour_type = struct.unpack(">IIBB", data[16:26])
    bits_per_pixel = bits * _CHANNELS[colour_type]
    size = 0
    for left, top, across, down in _INTERLACED if data[28] else _ONE_PASS:
        columns, rows = -((left - width) // across), -((top - height) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + (columns * bits_per_pixel + 7) // 8)
    return size


def _has_bytes(parts: list[memoryview], wanted: int) -> bool:
    inflater, found = zlib.decompressobj(), 0
    for part in parts:
        rest: bytes | memoryview = part
        # Piece by piece, as a few bytes can inflate to more than any memory holds.
        while found < wanted and (rows := inflater.decompress(rest, _AT_ONCE)):
            found += len(rows)
            rest = inflater.unconsumed_tail
    return found >= wanted
