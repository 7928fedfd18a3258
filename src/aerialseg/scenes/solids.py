"""Objects built from flat faces and round rods."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aerialseg.scenes.camera import Floats
from aerialseg.scenes.labels import Label

Colour = tuple[float, float, float]
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Part:
    """One drawing operation: a range of the object's points, as a face or as a rod."""

    start: int
    stop: int
    colour: Colour
    label: Label
    radius: float = 0.0
    lit: bool = True


@dataclass(frozen=True, slots=True)
class Thing:
    """An object in world coordinates.

    Args:
        points: ``(N, 3)`` metres.
        parts: ``P`` drawing operations.
        ends: ``(P, 2)``: index of the first and the last point of each part.
        colours: ``(P, 3)``: RGB of each part.
        shades: Ranges of points, with a radius, whose convex hulls cast the shadow.
        sorted_parts: Whether far parts are painted first; otherwise parts are painted in order.
        anchor: Centre of its footprint and its height, ``(x, y, height)``.
    """

    points: Floats
    parts: tuple[Part, ...]
    ends: npt.NDArray[np.intp]
    colours: Floats
    shades: tuple[tuple[int, int, float], ...]
    sorted_parts: bool
    anchor: Point

    def moved(self, east: float, north: float, up: float = 0.0) -> "Thing":
        """The object moved by so many metres."""
        if east == north == up == 0:
            return self
        x, y, height = self.anchor
        points = self.points + np.array([east, north, up])
        return replace(self, points=points, anchor=(x + east, y + north, height + up))


class Model:
    """Collects parts in a local frame (x right, y ahead, z up, metres), then places them.

    Args:
        label: The class of every part that does not name another.
        sorted_parts: Whether the parts are painted far to near rather than in order.
    """

    def __init__(self, label: Label, *, sorted_parts: bool = False) -> None:
        self.label = label
        self.sorted_parts = sorted_parts
        self._points: list[Point] = []
        self._parts: list[Part] = []
        self._shades: list[tuple[int, int, float]] = []

    def face(self, corners: Sequence[Point], colour: Colour, *, label: Label | None = None) -> None:
        """Adds a flat convex face, visible from the side where its corners run anticlockwise."""
        start, stop = self._add(corners)
        self._parts.append(Part(start, stop, colour, self._named(label)))

    def rod(
        self,
        start: Point,
        end: Point,
        radius: float,
        colour: Colour,
        *,
        label: Label | None = None,
        casts: bool = True,
        lit: bool = True,
    ) -> None:
        """Adds a bar with round ends, or a ball if both ends are the same point."""
        first, last = self._add([start, end] if start != end else [start])
        self._parts.append(Part(first, last, colour, self._named(label), radius, lit))
        if casts:
            self._shades.append((first, last, radius))

    def ball(self, centre: Point, radius: float, colour: Colour, *, lit: bool = True) -> None:
        """Adds a ball that casts no shadow."""
        self.rod(centre, centre, radius, colour, casts=False, lit=lit)

    def box(
        self,
        foot: Point,
        size: Point,
        colour: Colour,
        *,
        top: Colour | None = None,
        taper: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Adds an upright box that stands on ``foot``.

        Args:
            foot: Centre of the base.
            size: Width, length and height.
            colour: Colour of the sides.
            top: Colour of the top face; ``None`` for that of the sides.
            taper: Width and length of the top face as shares of those of the base.
        """
        (x, y, z), (width, length, height) = foot, size
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        low: list[Point] = [(x + sx * width / 2, y + sy * length / 2, z) for sx, sy in signs]
        high: list[Point] = [
            (x + sx * width / 2 * taper[0], y + sy * length / 2 * taper[1], z + height)
            for sx, sy in signs
        ]
        for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
            self.face([low[a], low[b], high[b], high[a]], colour)
        self.face(high, top or colour)
        self.shade(low + high)

    def shade(self, points: Sequence[Point], radius: float = 0.0) -> None:
        """Adds a shadow: that of the convex hull of these points."""
        self._shades.append((*self._add(points), radius))

    def place(self, x: float, y: float, *, heading: float = 0.0, scale: float = 1.0) -> Thing:
        """Converts the model to world coordinates.

        Args:
            x: East, in metres.
            y: North, in metres.
            heading: Direction of the local y axis, in radians clockwise from north.
            scale: Factor by which the object is enlarged.
        """
        local = np.array(self._points, dtype=np.float64) * scale
        cos, sin = np.cos(heading), np.sin(heading)
        turned = local @ np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        parts = tuple(
            Part(p.start, p.stop, p.colour, p.label, p.radius * scale, p.lit) for p in self._parts
        )
        shades = tuple((start, stop, radius * scale) for start, stop, radius in self._shades)
        anchor = (x, y, float(local[:, 2].max()))
        ends = np.array([(part.start, part.stop - 1) for part in parts], dtype=np.intp)
        colours = np.array([part.colour for part in parts], dtype=np.float64)
        placed = turned + np.array([x, y, 0.0])
        return Thing(placed, parts, ends, colours, shades, self.sorted_parts, anchor)

    def _add(self, points: Sequence[Point]) -> tuple[int, int]:
        start = len(self._points)
        self._points.extend(points)
        return start, len(self._points)

    def _named(self, label: Label | None) -> Label:
        return self.label if label is None else label
