"""From outlines to pixels.

A polygon covers the pixels whose centres lie in it, as ``pycocotools`` draws it. So polygons that
share an edge share no pixel and leave none out, which drawing functions that paint the edge itself
(OpenCV's and Pillow's) do not achieve: each shape would grow by half a pixel.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from aerialseg.data.annotations.run_lengths import pixels_of, uncompress
from aerialseg.data.annotations.shapes import Points, Polygons, Runs

_ROWS = 256
"""Edges that are compared with all others at once."""


@dataclass(frozen=True, slots=True)
class Patch:
    """The pixels of a shape.

    Attributes:
        top: The first row of the image that ``inside`` covers.
        left: The first column.
        inside: ``(h, w)`` bool.
        nested_parts: How many polygons lie within the others of the same shape.
    """

    top: int
    left: int
    inside: npt.NDArray[np.bool_]
    nested_parts: int = 0


def draw(outline: Polygons | Runs, size: tuple[int, int]) -> Patch:
    """The pixels of an outline that lie within an image.

    Args:
        outline: Polygons, or a bitmap that fits the image.
        size: Height and width of the image.
    """
    if isinstance(outline, Runs):
        return Patch(outline.top, outline.left, _bitmap(outline))
    corners = np.concatenate(outline.parts)
    ends = np.array(size[::-1])
    low = np.clip(np.floor(corners.min(axis=0)), 0, ends).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, ends).astype(int)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    if left == right or top == bottom:
        return Patch(top, left, np.zeros((bottom - top, right - left), dtype=np.bool_))
    # Not from (left, top) on: an edge must be rounded alike for the shapes on both of its sides.
    parts = [_polygon(part, bottom, left, right)[top:] for part in outline.parts]
    if len(parts) == 1:
        return Patch(top, left, np.ascontiguousarray(parts[0]))
    covered = np.zeros(parts[0].shape, dtype=np.int32)
    for part in parts:
        covered += part
    nested = sum(bool(part.any() and (covered[part] > 1).all()) for part in parts)
    # Of two equal parts each lies within the other; one of them is needed.
    return Patch(top, left, covered > 0, nested_parts=nested)


def crosses_itself(points: Points) -> bool:
    """Whether two edges of a polygon cross; edges that only touch do not.

    Args:
        points: ``(N, 2)`` corners.
    """
    nexts = np.roll(points, -1, axis=0)
    for first in range(0, len(points), _ROWS):
        start, end = points[first : first + _ROWS], nexts[first : first + _ROWS]
        across = _sides(start, end, points) * _sides(start, end, nexts)
        along = _sides(points, nexts, start).T * _sides(points, nexts, end).T
        if ((across < 0) & (along < 0)).any():
            return True
    return False


def _sides(starts: Points, ends: Points, points: Points) -> npt.NDArray[np.float64]:
    """``(edges, points)``: on which side of an edge a point lies, -1 or 1, 0 if on its line."""
    steps = (ends - starts)[:, None]
    offsets = points[None] - starts[:, None]
    return np.sign(steps[..., 0] * offsets[..., 1] - steps[..., 1] * offsets[..., 0])


def _polygon(points: Points, height: int, left: int, right: int) -> npt.NDArray[np.bool_]:
    """The pixels of one polygon from row 0 on; where it overlaps itself, by the even-odd rule."""
    (drawn,) = coco_mask.frPyObjects([points.ravel().tolist()], height, right)
    counts = uncompress(drawn["counts"], "polygon")
    return pixels_of(counts, height, from_column=left, width=right - left)


def _bitmap(runs: Runs) -> npt.NDArray[np.bool_]:
    """The pixels of run lengths."""
    if runs.by_columns:
        return pixels_of(runs.counts, runs.height, width=runs.width)
    return pixels_of(runs.counts, runs.width, width=runs.height).T
