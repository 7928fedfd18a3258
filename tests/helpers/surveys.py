"""Pictures of places seen from above, and views of one place that differ as real ones do."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from aerialseg.scenes.camera import Camera
from aerialseg.scenes.noise import noise_tile
from aerialseg.scenes.render import render_frame, sequence_world

SIZE = (640, 860)
WINDOW = (240, 320)
TOP, LEFT = 190, 250  # of the window that the others are compared with


@cache
def place(number):
    """``(640, 860, 3)`` uint8 RGB: a street, a farm or a shore from straight above."""
    world = sequence_world(11, SIZE, number)
    large = (2 * SIZE[0], 2 * SIZE[1])
    camera = Camera((0.0, 0.0, 52.0), 0.3, np.deg2rad(88.0), 0.0, 0.9 * large[1], large)
    image, _ = render_frame(replace(world, camera=camera, other_drone=None), 11, number, 0)
    image.setflags(write=False)
    return image


def window(number, top=TOP, left=LEFT, size=WINDOW):
    """A part of a place."""
    return place(number)[top : top + size[0], left : left + size[1]].copy()


def views(number):
    """By name, images that show the place of ``window(number)`` too."""
    base, (height, width) = window(number), WINDOW
    smaller = (round(height / 0.7), round(width / 0.7))
    return {
        "shifted by half": window(number, left=LEFT + width // 2),
        "shifted down by half": window(number, top=TOP + height // 2),
        "turned by 90": np.rot90(base).copy(),
        "turned by 15": _turned(number, 15),
        "at 0.7 of the scale": _resized(window(number, TOP - 50, LEFT - 60, smaller), 0.7),
        "JPEG of quality 40": _jpeg(base, 40),
        "brighter": np.clip(base * 1.3 + 15.0, 0, 255).astype(np.uint8),
        "darker": np.clip(base * 0.6, 0, 255).astype(np.uint8),
        "mirrored": base[:, ::-1].copy(),
    }


def textures(number):
    """By name, images of textures that look alike and are of another place for each number."""
    rng = np.random.default_rng([5, number])
    rows, columns = np.mgrid[: WINDOW[0], : WINDOW[1]]
    tiles = ((rows + rng.integers(20)) % 14 < 3) | ((columns + rng.integers(20)) % 20 < 3)
    crops = np.sin((columns * np.cos(0.1 * number) + rows * np.sin(0.1 * number)) / 4)
    return {
        "grass": _toned((60, 120, 40), 25 * _noise(1.0, 100 + number), rng),
        "sand": _toned((200, 180, 140), 15 * _noise(0.3, 200 + number), rng),
        "water": _toned((60, 90, 140), 8 * _noise(1.6, 300 + number), rng),
        "roof tiles": _toned((150, 90, 80), np.where(tiles, -60, 0), rng),
        "rows of crops": _toned((80, 110, 50), 30 * crops + 12 * _noise(0.8, 400 + number), rng),
    }


def _turned(number, degrees):
    height, width = WINDOW
    middle = (LEFT + width / 2, TOP + height / 2)
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1)
    matrix[:, 2] += (width / 2 - middle[0], height / 2 - middle[1])
    return cv2.warpAffine(place(number), matrix, (width, height))


def _resized(image, factor):
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def _jpeg(image, quality):
    octets = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(octets, cv2.IMREAD_COLOR)


def _noise(slope, variant):
    return noise_tile(slope, variant)[: WINDOW[0], : WINDOW[1]]


def _toned(colour, light, rng):
    pixels = np.array(colour) + light[..., None] + rng.normal(0, 3, (*WINDOW, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)
