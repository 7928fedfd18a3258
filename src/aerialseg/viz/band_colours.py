"""Images of any number of bands as RGB, to look at."""

import numpy as np

from aerialseg.viz.theme import RGBImage


def as_rgb(image: RGBImage) -> RGBImage:
    """The first three bands of an ``(H, W, B)`` uint8 image; with fewer, the first as grey."""
    if image.shape[2] == 3:
        return image
    if image.shape[2] > 3:
        return np.ascontiguousarray(image[..., :3])
    return np.repeat(image[..., :1], 3, axis=2)
