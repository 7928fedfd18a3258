"""TIFF files written byte by byte, of kinds that no library here writes."""

import struct

_TEXT, _SHORT, _LONG = 2, 3, 4
_EXTRA_SAMPLES, _NODATA = 338, 42113


def tiff(pixels, *, width=4, height=2, bits=(8,), sample_format=1, colours=1, **others):
    """An uncompressed TIFF of one strip, or of one for each channel.

    Args:
        pixels: The bytes of all strips.
        width: Pixels of a row.
        height: Number of rows.
        bits: Of each channel.
        sample_format: 1 unsigned, 2 signed, 3 floating point, 6 complex.
        colours: The photometric interpretation: 0 and 1 grey, 2 RGB, 32845 LogLuv, ...
        others: ``compression``, ``planar`` (2: the channels one after the other), ``strips``,
            ``extra`` (channels that are no colours) and ``nodata`` (the text of GDAL's tag).
    """
    channels, planar = len(bits), others.get("planar", 1)
    strips = others.get("strips", channels if planar == 2 else 1)
    length = len(pixels) // strips
    shorts = {
        258: bits,
        259: (others.get("compression", 1),),
        262: (colours,),
        277: (channels,),
        284: (planar,),
        339: (sample_format,) * channels,
    }
    if extra := others.get("extra", 0):
        shorts[_EXTRA_SAMPLES] = (0,) * extra
    texts = {_NODATA: f"{others['nodata']}\0".encode()} if "nodata" in others else {}
    longs = {256: (width,), 257: (height,), 278: (height,), 279: (length,) * strips}
    behind = len(_header(shorts, {**longs, 273: (0,) * strips}, texts))
    places = tuple(behind + length * index for index in range(strips))
    return _header(shorts, {**longs, 273: places}, texts) + pixels


def _header(shorts, longs, texts):
    """All that stands in front of the pixels."""
    tags = {tag: (_SHORT, "H", values) for tag, values in shorts.items()}
    tags |= {tag: (_LONG, "L", values) for tag, values in longs.items()}
    tags |= {tag: (_TEXT, "B", values) for tag, values in texts.items()}
    entries, arrays = b"", b""
    for tag, (kind, letter, values) in sorted(tags.items()):
        content = struct.pack(f"<{len(values)}{letter}", *values)
        if len(content) > 4:
            place = struct.pack("<L", 8 + 2 + 12 * len(tags) + 4 + len(arrays))
            content, arrays = place, arrays + content
        entries += struct.pack("<HHL", tag, kind, len(values)) + content.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<LH", 8, len(tags)) + entries + bytes(4) + arrays
