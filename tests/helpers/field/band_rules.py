"""What is expected of bands, ranges of values and nodata: see ``rules``."""

import numpy as np

from helpers.field.drawing import LOOKS
from helpers.field.image_files import bands_of
from helpers.field.rule import ON_PAPER, Rule

_LOSSY = ("jpeg", "jpeg-444", "progressive", "tiff-jpeg", "webp-lossy")
_RASTER = ("TIFF", "PNG")
_FLOATS = ("float", "5-bands-float")
_NOT_IN_TIFF = ("palette-transparent", "grey-alpha")
_UNREAD_EXIF = ("6-unsaid", "3-unsaid", "8-wrong-way")
_OF_THREE = ("unsaid", "1-2-3", "3-2-1")


def _count(form, mode):
    """How many bands a file has; None for one whose values are other than they seem."""
    if "tiffinfo" in form.options:
        return None
    stored = bands_of(np.array(LOOKS[mode.looks], dtype=np.uint8), form, mode)
    return None if stored is None else stored.shape[-1]


def _lacks_a_band(bands, form, mode):
    count = _count(form, mode)
    return bands is not None and count is not None and max(bands) > count


def _is_alpha_used(bands, form, mode):
    has_alpha = form.kind in _RASTER and _count(form, mode) == 4 and not mode.is_deep
    return bands is not None and has_alpha and 4 in bands


def _needs_range(bands, value_range, form, mode):
    is_deep = mode.limits != (0, 255) and form.kind in _RASTER and _count(form, mode)
    return is_deep and bands is not None and not (value_range.ends or value_range.percentiles)


BAND_RULES = [
    # Values that a lossy format may change, or that are those of a class.
    Rule("=format nodata", lambda form, nodata: form in _LOSSY and nodata.held, ON_PAPER),
    Rule(
        "mode =nodata",
        lambda mode, nodata: mode.looks == "black and white" and nodata != "none",
        ON_PAPER,
    ),
    Rule(
        "mode =nodata",
        lambda mode, nodata: mode.looks == "grey" and nodata == "of-one-band",
        ON_PAPER,
    ),
    Rule("=bands =nodata", lambda b, nodata: b == "1" and nodata == "of-one-band", ON_PAPER),
    Rule(
        "=mode =nodata",
        lambda m, nodata: m not in _FLOATS and ("lowest" in nodata or nodata == "nan"),
        ON_PAPER,
    ),
    Rule("format nodata", lambda form, nodata: nodata.tag and form.kind != "TIFF", ON_PAPER),
    Rule("=format nodata", lambda form, n: n.tag and form == "tiff-inverted", ON_PAPER),
    Rule("=mode nodata", lambda m, nodata: m == "CMYK" and nodata.held, ON_PAPER),
    # What the formats of these cannot hold, or what is refused for a second reason.
    Rule(
        "format nodata",
        lambda form, nodata: (
            {"lowest", "nan"} & set(nodata.held) and not set(_FLOATS) & set(form.modes.split())
        ),
        ON_PAPER,
    ),
    Rule("=format =nodata", lambda f, n: f == "tiff-fax" and n != "none", ON_PAPER),
    Rule("=format =nodata", lambda f, n: f == "tiff-inverted" and n == "of-one-band", ON_PAPER),
    Rule("=mode nodata", lambda m, n: n.tag and m in _NOT_IN_TIFF, ON_PAPER),
    Rule(
        "nodata =exif",
        lambda n, exif: (n.tag or {"lowest", "nan"} & set(n.held)) and exif in _UNREAD_EXIF,
        ON_PAPER,
    ),
    Rule("=bands =exif", lambda b, exif: b == "2-5" and exif in _UNREAD_EXIF, ON_PAPER),
    # Values of transparency are others than those of colours.
    Rule(
        "bands format mode nodata",
        lambda b, form, mode, nodata: _is_alpha_used(b, form, mode) and nodata.held,
        ON_PAPER,
    ),
    # Halved, colours that are not equally far from each other are in doubt at edges.
    Rule("=bands =reading", lambda b, size: b not in _OF_THREE and size == "half", ON_PAPER),
    Rule("=range =reading", lambda r, size: r == "one-a-band" and size == "half", ON_PAPER),
    Rule(
        "bands mode",
        lambda bands, mode: bands is None and mode.is_deep,
        "is no 8-bit RGB but holds",
    ),
    Rule(
        "=bands range", lambda b, r: b == "unsaid" and r.ends + r.percentiles, "data.bands is null"
    ),
    Rule("bands format mode", _lacks_a_band, "; see data.bands"),
    Rule("bands range format mode", _needs_range, "which of its values become 0 and 255"),
    Rule(
        "bands format =mode",
        lambda b, form, m: b is not None and form.kind in _RASTER and "palette" in m,
        "holds numbers of a palette",
    ),
    Rule(
        "=bands =format",
        lambda b, form: b != "unsaid" and form == "tiff-inverted",
        "stores its values inverted",
    ),
    Rule(
        "bands format mode range",
        lambda b, form, mode, r: _is_alpha_used(b, form, mode) and r.percentiles and not mode.hides,
        "both percentiles of band 4 are 255",
    ),
]
