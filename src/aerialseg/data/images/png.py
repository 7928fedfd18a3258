"""PNG: whether a file has all the rows its header states, which Pillow does not check."""

import struct
import zlib
from collections.abc import Iterator

_SIGNATURE_LENGTH = 8
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
_AT_ONCE = 1 << 18  # bytes; larger buffers take longer to allocate than to fill


def has_all_rows(data: bytes) -> bool:
    """Whether the pixel data of a PNG, whose chunks are whole, hold as many rows as they should.

    Takes as long as decoding.
    """
    wanted, found = _raw_size(data), 0
    inflater = zlib.decompressobj()
    for part in _pixel_data(data):
        rest: bytes | memoryview = part
        # Piece by piece, as a few bytes can inflate to more than fits into memory.
        while found < wanted and (rows := inflater.decompress(rest, _AT_ONCE)):
            found += len(rows)
            rest = inflater.unconsumed_tail
    return found >= wanted


def _pixel_data(data: bytes) -> Iterator[memoryview]:
    """Contents of the IDAT chunks."""
    position = _SIGNATURE_LENGTH
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IDAT":
            yield memoryview(data)[position + 8 : position + 8 + length]
        if kind == b"IEND":
            return
        position += length + 12


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
