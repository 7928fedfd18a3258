"""Sheets of images: samples with their augmented versions, and predictions beside the truth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from aerialseg.classes import ClassTable
from aerialseg.viz.colours import as_bytes
from aerialseg.viz.legend import draw_legend
from aerialseg.viz.strips import caption_strip, header_strip, stack, tile_strip
from aerialseg.viz.theme import DASH, Mask, RGBImage, text_size
from aerialseg.viz.tiles import (
    TileSize,
    empty_tile,
    error_tile,
    image_tile,
    mask_tile,
    overlay_tile,
    tile_size,
)


@dataclass(frozen=True, slots=True, eq=False)
class SampleRow:
    """One sample as stored and as augmented for training.

    Args:
        id: Text of the caption.
        image: ``(H, W, 3)`` uint8 RGB.
        mask: ``(H, W)`` class ids, or ``None`` where the sample has no mask.
        augmented: Image and mask of each augmented version, of any size.
    """

    id: str
    image: RGBImage
    mask: Mask | None
    augmented: Sequence[tuple[RGBImage, Mask | None]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PredictionRow:
    """One image, its true mask and its predicted mask.

    Args:
        id: Text of the caption.
        image: ``(H, W, 3)`` uint8 RGB.
        truth: ``(H, W)`` class ids, or ``None`` where there is no mask.
        prediction: ``(H, W)`` class ids.
        dice: Score of this image, 0 to 1; ``None`` leaves it out of the caption.
        iou: Likewise.
        accuracy: Likewise.
    """

    id: str
    image: RGBImage
    truth: Mask | None
    prediction: Mask
    dice: float | None = None
    iou: float | None = None
    accuracy: float | None = None


def sample_sheet(
    rows: Sequence[SampleRow], classes: ClassTable, *, tile_width: int = 320
) -> RGBImage:
    """Draws each sample and its augmented versions, with mask overlays in a second line.

    Where no sample has an augmented version, the overlay is beside the image.

    Args:
        rows: The samples, one row each.
        classes: Names and colours, for the masks and the legend.
        tile_width: Width in pixels of one image of the sheet.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: If there is no row, or an image and its mask differ in shape.
    """
    tile = tile_size([row.image.shape for row in rows], tile_width)
    versions = max(len(row.augmented) for row in rows)
    masks = [mask for row in rows for _, mask in _versions(row) if mask is not None]
    if masks and not versions:
        headings = ["image", "mask"]
        blocks = [_plain_block(row, classes, tile) for row in rows]
    else:
        headings = ["original", *_numbered("augmented", versions)]
        blocks = [_sample_block(row, versions, classes, tile) for row in rows]
    width = header_strip(headings, tile).shape[1]
    legend = draw_legend(
        classes, width=width, present=present_ids(masks), size=text_size(tile_width)
    )
    return stack(header_strip(headings, tile), blocks, legend)


def prediction_sheet(
    rows: Sequence[PredictionRow],
    classes: ClassTable,
    *,
    tile_width: int = 320,
    with_errors: bool = False,
) -> RGBImage:
    """Draws input, truth and prediction side by side with the scores of each image.

    Args:
        rows: The images, one row each.
        classes: Names and colours, for the masks and the legend.
        tile_width: Width in pixels of one image of the sheet.
        with_errors: Whether a fourth column shows the wrong pixels in red.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: If there is no row, or an image and its masks differ in shape where
            errors are shown.
    """
    tile = tile_size([row.image.shape for row in rows], tile_width)
    headings = ["input", "truth", "prediction", *(["errors"] if with_errors else [])]
    header = header_strip(headings, tile)
    blocks = [_prediction_block(row, classes, tile, with_errors) for row in rows]
    masks = [m for row in rows for m in (row.truth, row.prediction) if m is not None]
    legend = draw_legend(
        classes,
        width=header.shape[1],
        present=present_ids(masks),
        with_errors=with_errors and any(row.truth is not None for row in rows),
        size=text_size(tile_width),
    )
    return stack(header, blocks, legend)


def _plain_block(row: SampleRow, classes: ClassTable, tile: TileSize) -> list[RGBImage]:
    """The caption of a sample without augmented versions, its image and its overlay."""
    strip = tile_strip([image_tile(row.image, tile), _overlay(row.image, row.mask, classes, tile)])
    return [caption_strip(row.id, [], strip.shape[1], text_size(tile[0])), strip]


def _sample_block(
    row: SampleRow, versions: int, classes: ClassTable, tile: TileSize
) -> list[RGBImage]:
    """The caption of a sample, its images and, if any version has a mask, its overlays."""
    pairs = _versions(row)
    images = [image_tile(image, tile) for image, _ in pairs]
    masks = [_overlay(image, mask, classes, tile) for image, mask in pairs]
    missing = [empty_tile("", tile)] * (versions + 1 - len(pairs))
    strips = [tile_strip(images + missing)]
    if any(mask is not None for _, mask in pairs):
        strips.append(tile_strip(masks + missing))
    return [caption_strip(row.id, [], strips[0].shape[1], text_size(tile[0])), *strips]


def _overlay(image: RGBImage, mask: Mask | None, classes: ClassTable, tile: TileSize) -> RGBImage:
    return empty_tile("no mask", tile) if mask is None else overlay_tile(image, mask, classes, tile)


def _prediction_block(
    row: PredictionRow, classes: ClassTable, tile: TileSize, with_errors: bool
) -> list[RGBImage]:
    """The caption of a prediction with its scores, and its tiles side by side."""
    no_truth = empty_tile("no truth", tile)
    tiles = [
        image_tile(row.image, tile),
        no_truth if row.truth is None else mask_tile(row.truth, classes, tile),
        mask_tile(row.prediction, classes, tile),
    ]
    if with_errors and row.truth is not None:
        tiles.append(error_tile(row.image, row.truth, row.prediction, classes, tile))
    elif with_errors:
        tiles.append(no_truth)
    strip = tile_strip(tiles)
    return [caption_strip(row.id, _scores(row), strip.shape[1], text_size(tile[0])), strip]


def _scores(row: PredictionRow) -> list[tuple[str, str]]:
    named = (("Dice", row.dice), ("IoU", row.iou), ("accuracy", row.accuracy))
    return [
        (name, DASH if math.isnan(value) else f"{value:.3f}")
        for name, value in named
        if value is not None
    ]


def _versions(row: SampleRow) -> list[tuple[RGBImage, Mask | None]]:
    return [(row.image, row.mask), *row.augmented]


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name} {i}" for i in range(1, count + 1)]


def present_ids(masks: Sequence[Mask]) -> set[int]:
    """The ids that occur in masks."""
    counts = (cv2.calcHist([as_bytes(mask)], [0], None, [256], [0, 256]) for mask in masks)
    return {int(i) for histogram in counts for i in np.flatnonzero(histogram)}
