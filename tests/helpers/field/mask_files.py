"""Files of masks: what their pixels hold, what has to be typed for them, and formats."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from helpers.broken import png
from helpers.field.drawing import checkered, repeated_block
from helpers.field.image_files import Format
from helpers.field.typing_texts import mapping

PAINT = [(120, 100, 80), (200, 60, 40), (40, 90, 200)]
"""The colours of the class table, which are not those in images."""
GREYS = [(10,) * 3, (120,) * 3, (230,) * 3]
WITH_WHITE = [(0, 0, 255), (255, 255, 255), (0, 255, 0)]
NO_LABEL = 255


class Masks(NamedTuple):
    """What masks hold.

    Attributes:
        mode: The pixels of their files, as :data:`MASK_FORMATS` names them.
        made: Ids, 255 where there is no label, made into an image or the bytes of a file.
        typed: Class names made into what has to be typed.
        colours: Those of the class table.
        classes: The most classes that it can tell apart.
        has_unlabelled: Whether a block has no label.
    """

    mode: str
    made: Callable
    typed: Callable = lambda names: []
    colours: list = PAINT
    classes: int = 3
    has_unlabelled: bool = False


def _values(*values, dtype=np.uint8, unlabelled=0):
    """Makes the class with id ``i`` the value ``values[i]``."""
    table = np.full(256, unlabelled, dtype=dtype)
    table[: len(values)] = values
    return lambda ids: Image.fromarray(table[ids])


def _said(*values, also=()):
    """Types which value is which class."""
    return lambda names: [mapping("data.mask_values", values, names), *also]


def _painted(colours, *, unlabelled=(255, 255, 255)):
    table = np.full((256, 3), unlabelled, dtype=np.uint8)
    table[: len(colours)] = colours
    return lambda ids: Image.fromarray(table[ids])


def _with_palette(order, colours=PAINT):
    """Index ``order[i]`` for id ``i``, shown in that class's colour."""
    palette = np.full((256, 3), 255, dtype=np.uint8)
    palette[list(order)] = colours

    def made(ids):
        image = _values(*order, unlabelled=NO_LABEL)(ids)
        image.putpalette(palette.tobytes())
        return image

    return made


def _transparent_palette(ids):
    """Ids with a palette of their colours, the first of which is transparent."""
    image = _with_palette((0, 1, 2))(ids)
    image.info["transparency"] = 0
    return image


def _several(ids):
    """Two values for each class, in blocks by turns."""
    return Image.fromarray(2 * ids + checkered(ids))


def _alike(count, **alpha):
    """The same ids in every channel."""
    return lambda ids: Image.fromarray(
        np.dstack([*[ids] * count, *[np.full_like(ids, a) for a in alpha.values()]])
    )


def _half_transparent(ids):
    return Image.fromarray(np.dstack([ids, ids, ids, 255 * checkered(ids).astype(np.uint8)]))


def _two_bits(ids):
    """The bytes of a grey PNG of 2 bits a pixel, which Pillow does not write."""
    parts = ids.reshape(len(ids), -1, 4).astype(np.uint8)
    rows = (parts << np.array([6, 4, 2, 0], dtype=np.uint8)).sum(2).astype(np.uint8)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    return png(ids.shape[1], ids.shape[0], bits=2, rows=data)


def _with_one_more(ids, value):
    return np.where(repeated_block(ids), value, ids).astype(np.uint8)


def _by_colour(*more):
    return lambda names: ["data.mask_format=colour", *more]


MASKS = {
    "ids": Masks("L", Image.fromarray),
    "ids-and-255": Masks("L", Image.fromarray, has_unlabelled=True),
    "ids-2-bit": Masks("2-bit", _two_bits),
    "ids-16-bit": Masks("I;16", _values(0, 1, 2, dtype=np.uint16)),
    "ids-big-endian": Masks("I;16B", _values(0, 1, 2, dtype=">u2")),
    "ids-32-bit": Masks("I", _values(0, 1, 2, dtype=np.int32)),
    "1-bit": Masks("1", lambda ids: Image.fromarray(ids > 0), classes=2),
    "0-and-255": Masks("L", _values(0, 255), _said(0, 255), classes=2),
    "0-and-255-unsaid": Masks("L", _values(0, 255), classes=2),
    "0-128-255": Masks("L", _values(0, 128, 255), _said(0, 128, 255)),
    "from-1": Masks("L", _values(1, 2, 3), _said(1, 2, 3)),
    "from-1-unsaid": Masks("L", _values(1, 2, 3)),
    "from-1-and-0": Masks(
        "L", _values(1, 2, 3), _said(1, 2, 3, also=["data.ignore_values=[0]"]), has_unlabelled=True
    ),
    "above-255": Masks("I;16", _values(7, 1000, 40000, dtype=np.uint16), _said(7, 1000, 40000)),
    "several-values": Masks("L", _several, _said((0, 1), (2, 3), (4, 5))),
    "three-channels": Masks("RGB", _alike(3)),
    "three-and-alpha": Masks("RGBA", _alike(3, alpha=255)),
    "grey-and-alpha": Masks("LA", _alike(1, alpha=255)),
    "transparent": Masks("RGBA", _half_transparent),
    "palette": Masks("P", _with_palette((0, 1, 2))),
    "palette-and-255": Masks("P", _with_palette((0, 1, 2)), has_unlabelled=True),
    "palette-transparent": Masks("P", _transparent_palette),
    "palette-of-others": Masks("P", _with_palette((0, 1, 2), GREYS)),
    "palette-mixed": Masks("P", _with_palette((1, 0, 2))),
    "palette-by-colour": Masks("P", _with_palette((1, 0, 2)), _by_colour()),
    "colours": Masks("RGB", _painted(PAINT), _by_colour()),
    "colours-and-alpha": Masks(
        "RGBA", lambda ids: _painted(PAINT)(ids).convert("RGBA"), _by_colour()
    ),
    "colours-unsaid": Masks("RGB", _painted(PAINT)),
    "colours-with-white": Masks("RGB", _painted(WITH_WHITE), _by_colour(), WITH_WHITE),
    "colours-and-white": Masks("RGB", _painted(PAINT), _by_colour(), has_unlabelled=True),
    "colours-and-black": Masks(
        "RGB",
        _painted(PAINT, unlabelled=(0, 0, 0)),
        _by_colour("data.ignore_values=[[0,0,0]]"),
        has_unlabelled=True,
    ),
    "colours-and-one-more": Masks(
        "RGB", lambda ids: _painted([*PAINT, (1, 2, 3)])(_with_one_more(ids, 3)), _by_colour()
    ),
    "grey-colours": Masks("L", _values(*(grey for grey, _, _ in GREYS)), _by_colour(), GREYS),
    "ids-as-colours": Masks("L", Image.fromarray, _by_colour()),
    "unknown-id": Masks("L", lambda ids: Image.fromarray(_with_one_more(ids, 17))),
    "fractions": Masks("F", _values(0, 0.5, 1, dtype=np.float32)),
    "no-label": Masks("L", lambda ids: Image.fromarray(np.full_like(ids, NO_LABEL))),
}

MASK_FORMATS = {
    "png": Format("PNG", ".png", "L 1 P RGB RGBA LA I;16 2-bit"),
    "tiff": Format("TIFF", ".tif", "L 1 P RGB RGBA I;16 I;16B I F"),
    "tiff-lzw": Format(
        "TIFF", ".tiff", "L 1 P RGB RGBA I;16 I;16B I F", {"compression": "tiff_lzw"}
    ),
    "tiff-fax": Format("TIFF", ".tif", "1", {"compression": "group4"}),
    "bmp": Format("BMP", ".bmp", "L 1 P RGB", has_exif=False),
    "webp": Format("WEBP", ".webp", "RGB RGBA", {"lossless": True, "exact": True}),
    "webp-lossy": Format("WEBP", ".webp", "RGB RGBA"),
    "jpeg": Format("JPEG", ".jpg", "L RGB"),
    "tiff-jpeg": Format("TIFF", ".tif", "L RGB", {"compression": "jpeg"}),
    "tiff-inverted": Format("TIFF", ".tif", "L", {"tiffinfo": {262: 0}}),
    "gif": Format("GIF", ".gif", "L P", has_exif=False),
}
