"""What every annotation format is read into: images, and the labelled shapes drawn on them.

Coordinates are in pixels from the top left corner of the image, x to the right and y down: the
pixel in column 3 reaches from x = 3 to x = 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.annotations.findings import FEW_POINTS, Findings

Points: TypeAlias = npt.NDArray[np.float64]
"""``(N, 2)`` float64: x and y of each corner."""

Format: TypeAlias = Literal["COCO", "LabelMe", "CVAT"]

_CORNERS = 720
"""Corners of the polygon that an ellipse becomes; at a radius of 1000 it is off by 0.01 pixels."""


@dataclass(frozen=True, slots=True)
class Polygons:
    """One or more polygons, of which the union is meant.

    Attributes:
        parts: The corners of each, three or more; the last is joined to the first.
    """

    parts: tuple[Points, ...]


@dataclass(frozen=True, slots=True)
class Runs:
    """A bitmap within the image, as run lengths.

    Attributes:
        counts: Lengths of the runs in pixels, by turns outside and inside; the first is outside.
            They add up to ``height * width``.
        height: Of the bitmap.
        width: Of the bitmap.
        by_columns: Whether pixels are counted down each column, as COCO does, or along each row.
        top: Row of the image in which the bitmap begins.
        left: Column of the image in which the bitmap begins.
        is_whole: Whether the bitmap must have the size of its image.
    """

    counts: npt.NDArray[np.int64]
    height: int
    width: int
    by_columns: bool
    top: int = 0
    left: int = 0
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A labelled area.

    Attributes:
        label: Its label, which is a class or becomes one.
        outline: Its area.
        place: Where it stands in its file, for messages, such as ``annotation 17``.
        level: Shapes of a higher level cover those of a lower one.
        only_a_box: Whether the object lies somewhere in this box, whose pixels are then ignored.
    """

    label: str
    outline: Polygons | Runs
    place: str
    level: int = 0
    only_a_box: bool = False


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """An image of an annotation file, and the shapes on it in the order of the file.

    Attributes:
        name: Its file as the annotations name it, with forward slashes.
        file: The annotation file.
        size: Height and width by the annotations; None if they do not say.
        shapes: May be empty.
    """

    name: str
    file: Path
    size: tuple[int, int] | None
    shapes: tuple[Shape, ...]

    def where(self, shape: Shape) -> str:
        """A shape as messages name it."""
        return f"{self.name} {shape.place}"


@dataclass(frozen=True, slots=True)
class Annotations:
    """What one or more annotation files of one format hold.

    Attributes:
        format: The format.
        labels: The colour of each label, or None, in the order of the file's own table.
        images: All images, also those without shapes.
        has_table: Whether the file has a table of labels, in an order that means something.
        findings: What was left out or looked odd.
    """

    format: Format
    labels: Mapping[str, tuple[int, int, int] | None]
    images: tuple[AnnotatedImage, ...]
    has_table: bool = True
    findings: Findings = field(default_factory=Findings)


def image_name(path: str) -> str:
    """The name of an image from its path, which a tool on Windows writes with backslashes."""
    return PureWindowsPath(path).as_posix()


def with_area(parts: Sequence[Points], where: str, findings: Findings) -> Polygons | None:
    """The polygons of three or more corners; None if there are none.

    Args:
        parts: The corners of each polygon.
        where: The image and the shape, for the findings.
        findings: Where polygons that are left out are noted.
    """
    for part in parts:
        if len(part) < 3:
            findings.add(FEW_POINTS, where)
    kept = tuple(part for part in parts if len(part) >= 3)
    return Polygons(kept) if kept else None


def rectangle(left: float, top: float, right: float, bottom: float, turn: float = 0.0) -> Polygons:
    """A rectangle by two opposite corners, turned clockwise around its centre by degrees."""
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=float)
    return Polygons((_turned(corners, turn),))


def ellipse(x: float, y: float, x_radius: float, y_radius: float, turn: float = 0.0) -> Polygons:
    """An ellipse by its centre and radii, turned clockwise around its centre by degrees."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    around = np.stack([x + x_radius * np.cos(angles), y + y_radius * np.sin(angles)], axis=1)
    return Polygons((_turned(around, turn, centre=(x, y)),))


def _turned(points: Points, turn: float, centre: tuple[float, float] | None = None) -> Points:
    """Points turned clockwise, with y down, by degrees."""
    if turn == 0:
        return points
    middle = np.array(centre) if centre is not None else points.mean(axis=0)
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return np.asarray((points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle)
