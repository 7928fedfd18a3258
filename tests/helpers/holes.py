"""Images with a hole, each kind of file with its own way to say so."""

import numpy as np
from PIL import Image

from helpers.rasters import write_tiff
from helpers.tiny_data import random_image, save

HOLE = np.zeros((24, 32), dtype=bool)
HOLE[3:9, :5] = True


def alpha(of_hole=0, elsewhere=255):
    return np.where(HOLE, of_hole, elsewhere).astype(np.uint8)


def rgba(opacity):
    return np.dstack([random_image(), opacity])


def _palette(path):
    """Index 0 is transparent."""
    indices = np.where(HOLE, 0, 1 + random_image()[..., 0] // 64).astype(np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(list(range(256)) * 3)
    image.save(path, transparency=0)


def _key_colour(path):
    pixels = np.maximum(random_image(), 1)
    pixels[HOLE] = (0, 0, 0)
    Image.fromarray(pixels).save(path, transparency=(0, 0, 0))


FILES = {
    "rgba.png": lambda path: save(path, rgba(alpha())),
    "rgba.webp": lambda path: save(path, rgba(alpha()), lossless=True),
    "rgba.tif": lambda path: save(path, rgba(alpha())),
    "la.png": lambda path: Image.fromarray(np.dstack([alpha(9, 7), alpha()])).save(path),
    "palette.png": _palette,
    "key.png": _key_colour,
    "nodata.tif": lambda path: write_tiff(
        path, np.where(HOLE[..., None], 7, np.maximum(random_image(), 8)), nodata=7
    ),
}
