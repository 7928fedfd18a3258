"""Files of more than 8 bits or three bands: what they hold, and how they are written."""

import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from helpers.broken import png
from helpers.tiff_files import tiff

_SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3}


class Deep(NamedTuple):
    """How values are stored.

    Attributes:
        looks: Which of :data:`LOOKS` it can show.
        bands: Makes RGB colours ``(..., 3)`` uint8 into bands ``(..., B)``.
        limits: The values of black and white.
    """

    looks: str
    bands: Callable
    limits: tuple


def _four(rgb):
    """A band more, in which all classes differ too."""
    mixed = rgb[..., :1] // 2 + rgb[..., 2:] // 2
    return np.concatenate([rgb, mixed], axis=-1)


def _five(rgb):
    return np.concatenate([_four(rgb), 255 - rgb[..., :1]], axis=-1)


DEEP = {
    "16-bit": Deep("grey", lambda rgb: rgb[..., :1] * np.uint16(257), (0, 65535)),
    "16-bit-RGB": Deep("colour", lambda rgb: rgb * np.uint16(257), (0, 65535)),
    "float": Deep("grey", lambda rgb: rgb[..., :1] / np.float32(255), (0, 1)),
    "4-bands": Deep("colour", _four, (0, 255)),
    "5-bands-16-bit": Deep("colour", lambda rgb: _five(rgb) * np.uint16(40), (0, 10200)),
    "3-bands-signed": Deep("colour", lambda rgb: rgb * np.int16(8) - np.int16(1020), (-1020, 1020)),
    "5-bands-float": Deep("colour", lambda rgb: _five(rgb) / np.float32(510) - 0.25, (-0.25, 0.25)),
}


def written(values, kind, options, nodata):
    """An image of ``(H, W, B)`` values, or the bytes of its file where Pillow writes none."""
    if values.shape[2] == 1:
        return Image.fromarray(values[..., 0])
    return _png(values) if kind == "PNG" else _tiff(values, options, nodata)


def _png(values):
    rows = values.astype(">u2")
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    return png(values.shape[1], values.shape[0], bits=16, colour_type=2, rows=data)


def _tiff(values, options, nodata):
    height, width, bands = values.shape
    others = {"planar": options.get("planar", 1)}
    if others["planar"] == 2:
        values = np.moveaxis(values, -1, 0)
    pixels = values.astype(values.dtype.newbyteorder("<")).tobytes()
    if "compression" in options:
        pixels = zlib.compress(pixels)
        others["compression"] = 8
    if nodata is not None:
        others["nodata"] = nodata
    return tiff(
        pixels,
        width=width,
        height=height,
        bits=(8 * values.itemsize,) * bands,
        sample_format=_SAMPLE_FORMATS[values.dtype.kind],
        colours=2,
        extra=bands - 3,
        **others,
    )
