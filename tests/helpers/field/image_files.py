"""Files of images: formats, and what their pixels are stored as."""

from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from PIL import Image

from helpers.field.deep_files import DEEP, written

ORIENTATION = 274
GDAL_NODATA = 42113


class Mode(NamedTuple):
    """How pixels are stored.

    Attributes:
        looks: Which of :data:`LOOKS` it can show.
        made: Makes an image of an RGB array and of which pixels to hide; None: see ``deep``.
        bands: Makes RGB colours ``(..., 3)`` uint8 into the bands ``(..., B)`` that a TIFF or a PNG
            has of them; None if it has none.
        hides: Whether it hides pixels by transparency.
        limits: The values of black and white in ``bands``.
        is_deep: Whether it is more than 8-bit RGB, so that its files are written as ``bands``.
    """

    looks: str
    made: Callable | None
    bands: Callable | None
    hides: bool = False
    limits: tuple = (0, 255)
    is_deep: bool = False


class Format(NamedTuple):
    """Pillow's name, the usual suffix, the modes it is written in, and how."""

    kind: str
    suffix: str
    modes: str
    options: Mapping = MappingProxyType({})
    has_exif: bool = True


def _palette(rgb):
    """A palette image whose colours are in another order than the classes."""
    colours, places = np.unique(rgb.reshape(-1, 3), axis=0, return_inverse=True)
    image = Image.fromarray(places.reshape(rgb.shape[:2]).astype(np.uint8))
    image.putpalette(colours.astype(np.uint8).tobytes())
    return image


def _palette_with_transparency(rgb, hidden):
    """A palette image that has each colour twice, once transparent."""
    image = _palette(rgb)
    doubled = np.array(image.getpalette()).reshape(-1, 3).repeat(2, 0).astype(np.uint8)
    twin = Image.fromarray((2 * np.array(image) + hidden).astype(np.uint8))
    twin.putpalette(doubled.tobytes())
    twin.info["transparency"] = bytes([255, 0]) * (len(doubled) // 2)
    return twin


def _plain(made):
    """What hides nothing."""
    return lambda rgb, hidden: made(rgb)


def _with_alpha(rgb, alpha):
    alpha = np.broadcast_to(np.array(alpha, dtype=np.uint8), rgb.shape[:2])
    return Image.fromarray(np.dstack([rgb, alpha]))


def _grey(rgb):
    return rgb[..., :1]


def _and_opaque(bands):
    return lambda rgb: np.concatenate([bands(rgb), np.full_like(rgb[..., :1], 255)], axis=-1)


def _rgb(rgb):
    return rgb


_OPAQUE = _and_opaque(_rgb)
MODES = {
    "RGB": Mode("colour", _plain(Image.fromarray), _rgb),
    "grey": Mode("grey", _plain(lambda rgb: Image.fromarray(rgb[..., 0])), _grey),
    "1-bit": Mode(
        "black and white",
        _plain(lambda rgb: Image.fromarray(rgb[..., 0] > 127)),
        lambda rgb: _grey(rgb) // 255,
        limits=(0, 1),
    ),
    "palette": Mode("colour", _plain(_palette), None),
    "palette-transparent": Mode("colour", _palette_with_transparency, None, hides=True),
    "opaque": Mode("colour", _plain(lambda rgb: _with_alpha(rgb, 255)), _OPAQUE),
    "transparent": Mode(
        "colour", lambda rgb, hidden: _with_alpha(rgb, 255 * ~hidden), _OPAQUE, hides=True
    ),
    "grey-alpha": Mode(
        "grey",
        _plain(lambda rgb: Image.fromarray(rgb[..., 0]).convert("LA")),
        _and_opaque(_grey),
    ),
    "CMYK": Mode("colour", _plain(lambda rgb: Image.fromarray(rgb).convert("CMYK")), None),
    **{
        name: Mode(deep.looks, None, deep.bands, limits=deep.limits, is_deep=True)
        for name, deep in DEEP.items()
    },
}

_PNG = "RGB grey grey-alpha 1-bit palette palette-transparent opaque transparent"
_TIFF = "RGB grey 1-bit palette opaque transparent 16-bit float CMYK"
_BANDS = "16-bit-RGB 4-bands 5-bands-16-bit 3-bands-signed 5-bands-float"
FORMATS = {
    "jpeg": Format("JPEG", ".jpg", "RGB grey CMYK"),
    "jpeg-444": Format("JPEG", ".jpeg", "RGB", {"subsampling": 0, "quality": 95}),
    "progressive": Format("JPEG", ".jpg", "RGB grey", {"progressive": True}),
    "png": Format("PNG", ".png", f"{_PNG} 16-bit 16-bit-RGB"),
    "tiff": Format("TIFF", ".tif", f"{_TIFF} {_BANDS}"),
    "tiff-lzw": Format("TIFF", ".tiff", _TIFF, {"compression": "tiff_lzw"}),
    "tiff-deflate": Format(
        "TIFF", ".tif", f"{_TIFF} {_BANDS}", {"compression": "tiff_adobe_deflate"}
    ),
    "tiff-packbits": Format("TIFF", ".tif", _TIFF, {"compression": "packbits"}),
    "tiff-jpeg": Format("TIFF", ".tif", "RGB grey", {"compression": "jpeg", "quality": 95}),
    "tiff-big": Format("TIFF", ".tif", _TIFF, {"big_tiff": True}),
    "tiff-inverted": Format("TIFF", ".tif", "grey 1-bit", {"tiffinfo": {262: 0}}),
    "tiff-fax": Format("TIFF", ".tif", "1-bit", {"compression": "group4"}),
    "tiff-planar": Format("TIFF", ".tif", _BANDS, {"planar": 2}),
    "bmp": Format("BMP", ".bmp", "RGB grey 1-bit palette opaque", has_exif=False),
    # Without `exact` the encoder forgets the colours behind transparent pixels.
    "webp": Format("WEBP", ".webp", "RGB opaque transparent", {"lossless": True, "exact": True}),
    "webp-lossy": Format("WEBP", ".webp", "RGB opaque", {"quality": 90}),
    "gif": Format("GIF", ".gif", "palette grey 1-bit", has_exif=False),
}

_IN_ORDER = ("TIFF", "PNG")
"""The formats whose bands are counted as they are stored; others are RGB."""


def bands_of(rgb, form, mode):
    """The bands that a file has of RGB colours ``(..., 3)``; None for numbers of a palette."""
    if form.kind not in _IN_ORDER:
        return rgb
    return None if mode.bands is None else mode.bands(rgb)


def limits_of(form, mode):
    """The values of black and white in the bands of a file."""
    return mode.limits if form.kind in _IN_ORDER else (0, 255)


def image_bytes(rgb, hidden, holes, form, mode, *, orientation=None, nodata=None):
    """The file of an image.

    Args:
        rgb: ``(H, W, 3)`` uint8, what it shows.
        hidden: ``(H, W)`` bool, what is transparent where the mode allows it.
        holes: ``(H, W)`` bool arrays by the value that is stored there in all bands.
        form: Its format.
        mode: Its mode.
        orientation: The EXIF orientation; None for none.
        nodata: The text of GDAL's tag; None for none.
    """
    if mode.is_deep:
        values = mode.bands(rgb)
        for value, hole in holes.items():
            values[hole] = value
        image = written(values, form.kind, form.options, nodata)
    else:
        rgb = rgb.copy()
        for value, hole in holes.items():
            rgb[hole] = value
        image = mode.made(rgb, hidden)
    return image if isinstance(image, bytes) else encoded(image, form, orientation, nodata)


def encoded(image, form, orientation, nodata=None):
    """An image in a format, with an EXIF orientation unless that is None."""
    options = dict(form.options)
    if form.kind == "TIFF":
        tags = {ORIENTATION: orientation, GDAL_NODATA: nodata}
        tags = {tag: value for tag, value in tags.items() if value is not None}
        options["tiffinfo"] = {**tags, **options.get("tiffinfo", {})}
    elif orientation is not None:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        options["exif"] = exif
    buffer = BytesIO()
    image.save(buffer, format=form.kind, **options)
    return buffer.getvalue()
