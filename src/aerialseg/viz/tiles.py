"""Pictures and masks of any size, scaled into equal tiles without distortion."""

from collections.abc import Sequence
from statistics import median

import cv2
import numpy as np
from PIL import Image, ImageDraw

from aerialseg.classes import ClassTable
from aerialseg.viz.colours import as_bytes, colourise, error_map, hatch_ignored, overlay
from aerialseg.viz.text import font_for, shorten
from aerialseg.viz.theme import MUTED, PANEL, Mask, Picture, blank, text_size

TileSize = tuple[int, int]
"""Width and height in pixels."""


def tile_size(shapes: Sequence[tuple[int, ...]], tile_width: int) -> TileSize:
    """The tile that suits pictures of these ``(H, W, ...)`` shapes: their median aspect.

    The aspect stays within 1:2 and 2:1, so that a few odd strips do not spoil the sheet.

    Raises:
        ValueError: If there is no shape or ``tile_width`` is below 16.
    """
    if not shapes:
        raise ValueError("a sheet needs one row at least")
    if tile_width < 16:
        raise ValueError(f"tile_width is {tile_width}; wanted 16 pixels or more")
    ratio = median(shape[0] / shape[1] for shape in shapes)
    return tile_width, round(tile_width * min(2.0, max(0.5, ratio)))


def image_tile(image: Picture, tile: TileSize) -> Picture:
    """The image in the middle of a tile."""
    return _centred(_shrink(image, tile), tile)


def mask_tile(mask: Mask, classes: ClassTable, tile: TileSize) -> Picture:
    """The painted mask in the middle of a tile, smooth where classes meet."""
    fitted = _fitted(mask.shape, tile)
    way = cv2.INTER_AREA if fitted[0] < mask.shape[1] else cv2.INTER_NEAREST_EXACT
    painted = cv2.resize(colourise(mask, classes), fitted, interpolation=way)
    picture = np.asarray(painted, dtype=np.uint8)
    hatch_ignored(picture, _shrink_mask(mask, tile), classes)
    return _centred(picture, tile)


def overlay_tile(image: Picture, mask: Mask, classes: ClassTable, tile: TileSize) -> Picture:
    """The mask over its image, with outlines, in the middle of a tile."""
    small, ids = _shrink(image, tile), _shrink_mask(mask, tile)
    return _centred(overlay(small, ids, classes, opacity=0.45, outline_width=1), tile)


def error_tile(
    image: Picture, truth: Mask, prediction: Mask, classes: ClassTable, tile: TileSize
) -> Picture:
    """The wrong pixels in the middle of a tile."""
    truth, prediction = _shrink_mask(truth, tile), _shrink_mask(prediction, tile)
    return _centred(error_map(_shrink(image, tile), truth, prediction, classes), tile)


def empty_tile(text: str, tile: TileSize) -> Picture:
    """A tile that says in its middle why nothing is there."""
    sheet = Image.fromarray(blank(*tile, PANEL))
    size = text_size(tile[0])
    text = shorten(text, tile[0] - 8, size)
    middle = (tile[0] / 2, tile[1] / 2)
    ImageDraw.Draw(sheet).text(middle, text, MUTED, font_for(text, size), anchor="mm")
    return np.array(sheet)


def _fitted(shape: tuple[int, ...], tile: TileSize) -> TileSize:
    height, width = shape[:2]
    scale = min(tile[0] / width, tile[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrink(image: Picture, tile: TileSize) -> Picture:
    fitted = _fitted(image.shape, tile)
    way = cv2.INTER_AREA if fitted[0] < image.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, fitted, interpolation=way), dtype=np.uint8)


def _shrink_mask(mask: Mask, tile: TileSize) -> Mask:
    fitted = _fitted(mask.shape, tile)
    return np.asarray(cv2.resize(as_bytes(mask), fitted, interpolation=cv2.INTER_NEAREST_EXACT))


def _centred(picture: Picture, tile: TileSize) -> Picture:
    sheet = blank(*tile, PANEL)
    height, width = picture.shape[:2]
    left, top = (tile[0] - width) // 2, (tile[1] - height) // 2
    sheet[top : top + height, left : left + width] = picture
    return sheet
