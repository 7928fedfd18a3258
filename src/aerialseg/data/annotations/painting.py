"""Paints the shapes of one image into its index mask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.annotations.findings import Findings
from aerialseg.data.annotations.rasteriser import Patch, crosses_itself, draw
from aerialseg.data.annotations.shapes import (
    AnnotatedImage,
    Format,
    Polygons,
    Shape,
)

Order: TypeAlias = Literal["auto", "area", "file"]
"""What decides which of two overlapping shapes is seen."""

_CROSSES = "polygons that cross themselves, drawn by the even-odd rule, which may leave holes"
_NESTED = "polygons within others of the same object, filled: COCO has no holes in polygons"
_EMPTY = "shapes that cover no pixel, because they are too thin or outside their image"


@dataclass(frozen=True, slots=True)
class Painted:
    """The mask of an image, and how it came about.

    Attributes:
        mask: ``(H, W)`` uint8 ids.
        unlabelled: Pixels under no shape.
        contested: Pixels under shapes of different classes.
    """

    mask: npt.NDArray[np.uint8]
    unlabelled: int
    contested: int


def paint_shapes(
    image: AnnotatedImage,
    size: tuple[int, int],
    ids: Mapping[str, int],
    *,
    unlabelled: int,
    order: Order,
    format: Format,
    findings: Findings,
) -> Painted:
    """Draws all shapes of an image, those that are seen last.

    Args:
        image: The image.
        size: Height and width of the mask.
        ids: The class id of each label; 255 for labels whose pixels are ignored.
        unlabelled: The id of pixels under no shape.
        order: ``area`` paints the largest shape first, ``file`` the first one, ``auto`` as the
            format has it: COCO, which has no order, by area, CVAT by ``z_order`` and then by file,
            LabelMe by file.
        format: The format of the annotations.
        findings: Where to note odd shapes.
    """
    mask = np.full(size, unlabelled, dtype=np.uint8)
    is_labelled, is_boxed, is_contested = np.zeros((3, *size), dtype=np.bool_)
    drawn = [(shape, draw(shape.outline, size)) for shape in image.shapes]
    for shape, patch in drawn:
        _note(image, shape, patch, findings)
    for shape, patch in _sorted(drawn, order, format):
        height, width = patch.inside.shape
        part = slice(patch.top, patch.top + height), slice(patch.left, patch.left + width)
        if shape.only_a_box:
            index = IGNORE_INDEX
            is_boxed[part] |= patch.inside
        else:
            index = ids[shape.label]
            is_contested[part] |= patch.inside & is_labelled[part] & (mask[part] != index)
            is_labelled[part] |= patch.inside
        mask[part][patch.inside] = index
    free = int(np.count_nonzero(~is_labelled & ~is_boxed))
    return Painted(mask, free, int(np.count_nonzero(is_contested)))


def _sorted(
    drawn: Sequence[tuple[Shape, Patch]], order: Order, format: Format
) -> list[tuple[Shape, Patch]]:
    """In the order in which they are painted; boxes around unknown shapes come first."""
    by_area = order == "area" or (order == "auto" and format == "COCO")
    by_level = order == "auto" and format == "CVAT"

    def place(each: tuple[Shape, Patch]) -> tuple[bool, int, int]:
        shape, patch = each
        area = int(np.count_nonzero(patch.inside)) if by_area else 0
        return not shape.only_a_box, -area, shape.level if by_level else 0

    return sorted(drawn, key=place)


def _note(image: AnnotatedImage, shape: Shape, patch: Patch, findings: Findings) -> None:
    """Notes what may not look as it was meant."""
    where = image.where(shape)
    if not patch.inside.any():
        findings.add(_EMPTY, where)
    elif isinstance(shape.outline, Polygons):
        if any(crosses_itself(part) for part in shape.outline.parts):
            findings.add(_CROSSES, where)
        if patch.nested_parts:
            findings.add(_NESTED, where)
