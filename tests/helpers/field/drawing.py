"""What images and masks show: areas of one class each, whose colours leave no doubt."""

import numpy as np
from PIL import Image

BLOCK = 16
"""Pixels of a block, so that none of JPEG and WebP holds two classes."""
ROWS, COLUMNS = 3, 4

LOOKS = {
    "colour": [(30, 125, 220), (220, 30, 125), (125, 220, 30)],
    "grey": [(40,) * 3, (128,) * 3, (215,) * 3],
    "black and white": [(0,) * 3, (255,) * 3],
}
"""The colours of the classes in images; no two have the same red, green or blue."""

_TO_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""What a camera does to the upright image before it stores it with an orientation."""


def class_maps(count, classes, *, seed):
    """``count`` different ``(48, 64)`` uint8 maps; each has every class and no symmetry."""
    dice = np.random.default_rng(seed)
    coarse = []
    while len(coarse) < count:
        ids = dice.integers(0, classes, (ROWS, COLUMNS), dtype=np.uint8)
        turned = [ids[::-1], ids[:, ::-1], ids[::-1, ::-1], *coarse]
        if len(np.unique(ids)) == classes and not any((ids == other).all() for other in turned):
            coarse.append(ids)
    return [enlarged(ids) for ids in coarse]


def enlarged(blocks):
    """Each value as a block of pixels."""
    return blocks.repeat(BLOCK, 0).repeat(BLOCK, 1)


def repeated_block(ids):
    """True in the first block whose class has another block, so that no class is lost with it."""
    coarse = ids[::BLOCK, ::BLOCK]
    counts = np.bincount(coarse.ravel())
    chosen = np.zeros(coarse.size, dtype=bool)
    chosen[np.flatnonzero(counts[coarse.ravel()] > 1)[0]] = True
    return enlarged(chosen.reshape(coarse.shape))


def checkered(ids):
    """True in every second block."""
    rows, columns = np.indices((ids.shape[0] // BLOCK, ids.shape[1] // BLOCK))
    return enlarged((rows + columns) % 2 == 1)


def stored(pixels, orientation):
    """An upright array as a camera stores it with an EXIF orientation."""
    if orientation not in _TO_STORED:
        return pixels
    return np.array(Image.fromarray(pixels).transpose(_TO_STORED[orientation]))
