"""One region of an image to judge by eye: where it is, what is there, and what two masks say."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.viz.colours import overlay
from aerialseg.viz.strips import header_strip, tile_strip
from aerialseg.viz.theme import Mask, RGBImage, blank
from aerialseg.viz.tiles import TileSize, image_tile

_TILE_WIDTH = 360
_MARGIN = 10
_GAP = 8


@dataclass(frozen=True, slots=True, eq=False)
class RegionView:
    """What is drawn of a region.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, the whole image.
        rectangle: Of the crop: top, left, height and width in pixels.
        mask: ``(h, w)`` class ids of the crop.
        predicted: ``(h, w)`` class ids of the crop by the network.
        region: ``(h, w)`` bool, the region in the crop.
        headings: Of the four tiles.
    """

    image: RGBImage
    rectangle: tuple[int, int, int, int]
    mask: Mask
    predicted: Mask
    region: npt.NDArray[np.bool_]
    headings: tuple[str, str, str, str]


def draw_region(view: RegionView, classes: ClassTable) -> RGBImage:
    """Two rows of two tiles: the image with the crop framed, the crop, and both masks over it.

    The region is outlined in white on black in the three tiles of the crop.

    Args:
        view: The region.
        classes: Names and colours of both masks.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    top, left, height, width = view.rectangle
    crop = view.image[top : top + height, left : left + width]
    ratio = min(1.5, max(0.6, (view.image.shape[0] / view.image.shape[1] + height / width) / 2))
    tile = (_TILE_WIDTH, round(_TILE_WIDTH * ratio))
    covered = [overlay(crop, ids, classes, opacity=0.5) for ids in (view.mask, view.predicted)]
    tiles = [
        _framed(view, tile),
        *(_outlined(each, view.region, tile) for each in (crop, *covered)),
    ]
    rows = []
    for first in (0, 2):
        heading = header_strip(view.headings[first : first + 2], tile)
        strip = tile_strip(tiles[first : first + 2])
        rows += [heading, blank(strip.shape[1], _GAP // 2), strip, blank(strip.shape[1], _GAP)]
    sheet = np.concatenate(rows[:-1], axis=0)
    framed = blank(sheet.shape[1] + 2 * _MARGIN, sheet.shape[0] + 2 * _MARGIN)
    framed[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = sheet
    return framed


def _framed(view: RegionView, tile: TileSize) -> RGBImage:
    """The whole image with the rectangle of the crop."""
    scale = min(tile[0] / view.image.shape[1], tile[1] / view.image.shape[0])
    size = tuple(max(1, round(edge * scale)) for edge in view.image.shape[1::-1])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.ascontiguousarray(cv2.resize(view.image, size, interpolation=way), dtype=np.uint8)
    top, left, height, width = (round(number * scale) for number in view.rectangle)
    corners = (left, top), (left + max(2, width) - 1, top + max(2, height) - 1)
    for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        cv2.rectangle(small, *corners, colour, thickness)
    return image_tile(small, tile)


def _outlined(crop: RGBImage, region: npt.NDArray[np.bool_], tile: TileSize) -> RGBImage:
    """A crop as large as the tile holds it, with the outline of the region."""
    scale = min(tile[0] / crop.shape[1], tile[1] / crop.shape[0])
    size = tuple(max(1, round(edge * scale)) for edge in crop.shape[1::-1])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    large = np.ascontiguousarray(cv2.resize(crop, size, interpolation=way), dtype=np.uint8)
    inside = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)
    # Without the frame, a region that the crop cuts would have no outline there.
    padded = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    contours, _ = cv2.findContours(padded, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(-1, -1))
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.drawContours(large, contours, -1, colour, thickness)
    return image_tile(large, tile)
