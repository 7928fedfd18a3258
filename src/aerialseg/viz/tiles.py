"""Images and masks of any size, scaled into tiles of one size without distortion."""

from collections.abc import Sequence
from statistics import median

import cv2
import numpy as np
from PIL import Image, ImageDraw

from aerialseg.classes import ClassTable
from aerialseg.viz.colours import (
    as_bytes,
    colourise,
    error_map,
    hatch_ignored,
    one_right_map,
    overlay,
)
from aerialseg.viz.text import load_font, shorten
from aerialseg.viz.theme import MUTED, PANEL, Mask, RGBImage, blank, text_size

TileSize = tuple[int, int]
"""Width and height in pixels."""


def tile_size(shapes: Sequence[tuple[int, ...]], tile_width: int) -> TileSize:
    """The tile size for images of these ``(H, W, ...)`` shapes, by their median aspect ratio.

    The ratio stays within 1:2 and 2:1, so that a few very narrow images do not distort the sheet.

    Raises:
        ValueError: If there is no shape or ``tile_width`` is below 16.
    """
    if not shapes:
        raise ValueError("a sheet needs one row at least")
    if tile_width < 16:
        raise ValueError(f"tile_width is {tile_width}; wanted 16 pixels or more")
    ratio = median(shape[0] / shape[1] for shape in shapes)
    return tile_width, round(tile_width * min(2.0, max(0.5, ratio)))


def image_tile(image: RGBImage, tile: TileSize) -> RGBImage:
    """The image in the middle of a tile."""
    return _centred(_shrink(image, tile), tile)


def mask_tile(mask: Mask, classes: ClassTable, tile: TileSize) -> RGBImage:
    """The painted mask in the middle of a tile, antialiased where classes meet."""
    fitted = _fitted(mask.shape, tile)
    way = cv2.INTER_AREA if fitted[0] < mask.shape[1] else cv2.INTER_NEAREST_EXACT
    painted = cv2.resize(colourise(mask, classes), fitted, interpolation=way)
    shrunk = np.asarray(painted, dtype=np.uint8)
    hatch_ignored(shrunk, _shrink_mask(mask, tile), classes)
    return _centred(shrunk, tile)


def overlay_tile(image: RGBImage, mask: Mask, classes: ClassTable, tile: TileSize) -> RGBImage:
    """The mask over its image, with outlines, in the middle of a tile."""
    small, ids = _shrink(image, tile), _shrink_mask(mask, tile)
    return _centred(overlay(small, ids, classes, opacity=0.45, outline_width=1), tile)


def error_tile(
    image: RGBImage, truth: Mask, prediction: Mask, classes: ClassTable, tile: TileSize
) -> RGBImage:
    """The error map in the middle of a tile."""
    truth, prediction = _shrink_mask(truth, tile), _shrink_mask(prediction, tile)
    return _centred(error_map(_shrink(image, tile), truth, prediction, classes), tile)


def one_right_tile(
    image: RGBImage, truth: Mask, a: Mask, b: Mask, classes: ClassTable, tile: TileSize
) -> RGBImage:
    """Where one of two predictions alone is right, in the middle of a tile."""
    truth, a, b = (_shrink_mask(mask, tile) for mask in (truth, a, b))
    return _centred(one_right_map(_shrink(image, tile), truth, a, b, classes), tile)


def empty_tile(text: str, tile: TileSize) -> RGBImage:
    """A tile without an image, with ``text`` in its middle."""
    sheet = Image.fromarray(blank(*tile, PANEL))
    size = text_size(tile[0])
    text = shorten(text, tile[0] - 8, size)
    middle = (tile[0] / 2, tile[1] / 2)
    ImageDraw.Draw(sheet).text(middle, text, MUTED, load_font(size), anchor="mm")
    return np.array(sheet)


def _fitted(shape: tuple[int, ...], tile: TileSize) -> TileSize:
    height, width = shape[:2]
    scale = min(tile[0] / width, tile[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrink(image: RGBImage, tile: TileSize) -> RGBImage:
    fitted = _fitted(image.shape, tile)
    way = cv2.INTER_AREA if fitted[0] < image.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, fitted, interpolation=way), dtype=np.uint8)


def _shrink_mask(mask: Mask, tile: TileSize) -> Mask:
    fitted = _fitted(mask.shape, tile)
    return np.asarray(cv2.resize(as_bytes(mask), fitted, interpolation=cv2.INTER_NEAREST_EXACT))


def _centred(image: RGBImage, tile: TileSize) -> RGBImage:
    sheet = blank(*tile, PANEL)
    height, width = image.shape[:2]
    left, top = (tile[0] - width) // 2, (tile[1] - height) // 2
    sheet[top : top + height, left : left + width] = image
    return sheet
