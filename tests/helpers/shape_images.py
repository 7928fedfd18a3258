"""Images of things of four kinds on rough ground, which a network learns in seconds."""

import cv2
import numpy as np

CLASSES = {"ground": [130, 110, 80], "roof": [200, 60, 40], "tree": [40, 140, 60]}
CLASSES |= {"pool": [40, 120, 210]}
SIZE = (64, 96)


def shape_image(rng):
    """An image with four or five things that do not touch, and its mask.

    Returns:
        ``(H, W, 3)`` uint8 RGB and ``(H, W)`` uint8 class ids.
    """
    mask = np.zeros(SIZE, np.uint8)
    taken = np.zeros(SIZE, np.uint8)
    for index in rng.integers(1, 4, 5).tolist():
        height, width = rng.integers(12, 22, 2).tolist()
        top, left = rng.integers(1, SIZE[0] - height), rng.integers(1, SIZE[1] - width)
        thing = np.zeros(SIZE, np.uint8)
        middle = (int(left + width // 2), int(top + height // 2))
        if index == 2:
            cv2.ellipse(thing, middle, (width // 2, height // 2), 0, 0, 360, 1, -1)
        else:
            thing[top : top + height, left : left + width] = 1
        if not (cv2.dilate(thing, np.ones((5, 5), np.uint8)) & taken).any():
            mask[thing == 1] = index
            taken |= thing
    colours = np.array(list(CLASSES.values()))[mask] + rng.normal(0, 12, (4,))[mask][..., None]
    coarse = cv2.resize(rng.normal(0, 14, (8, 12)), SIZE[::-1])
    pixels = colours + coarse[..., None] + rng.normal(0, 8, (*SIZE, 3))
    return pixels.clip(0, 255).astype(np.uint8), mask


def shape_images(count, seed=0):
    """Images and masks by name."""
    rng = np.random.default_rng(seed)
    return {f"site_{number:02}": shape_image(rng) for number in range(count)}
