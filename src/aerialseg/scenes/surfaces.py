"""The terrain: flat polygons, painted one over another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from aerialseg.scenes.camera import Floats
from aerialseg.scenes.labels import Label
from aerialseg.scenes.solids import Colour


class Material(IntEnum):
    """Material of the ground: determines its texture and the objects it may carry."""

    GRASS = 0
    SOIL = 1
    PAVED = 2
    ASPHALT = 3
    WATER = 4
    CROP = 5
    BUILT = 6


@dataclass(frozen=True, slots=True)
class Surface:
    """A polygon on the ground, ``(N, 2)`` metres, of one colour, class and material."""

    polygon: Floats
    colour: Colour
    label: Label
    material: Material


@dataclass(frozen=True, slots=True)
class Road:
    """A road or track: centre line, ``(N, 2)`` metres, width, and whether it is paved."""

    line: Floats
    width: float
    paved: bool

    def heading(self, step: int) -> float:
        """Heading of the line at one of its points, in radians clockwise from north."""
        run = self.line[min(step + 1, len(self.line) - 1)] - self.line[max(step - 1, 0)]
        return float(np.arctan2(run[0], run[1]))

    def side(self, offset: float) -> Floats:
        """The line moved ``offset`` metres to its right."""
        along = np.gradient(self.line, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        return self.line + offset * np.stack([along[:, 1], -along[:, 0]], axis=1)

    def band(self, left: float, right: float) -> Floats:
        """The strip between two offsets from the centre line, as a polygon."""
        return np.concatenate([self.side(left), self.side(right)[::-1]])


@dataclass(slots=True)
class Terrain:
    """Everything that lies flat on the ground.

    Args:
        grass: Colour of the ground between the surfaces.
        surfaces: The polygons, in painting order.
        roads: Roads and tracks.
        bays: Parking bays as ``(x, y, heading)``.
        shores: ``(N, 2)`` outlines of lakes and rivers.
    """

    grass: Colour
    surfaces: list[Surface] = field(default_factory=list)
    roads: list[Road] = field(default_factory=list)
    bays: list[tuple[float, float, float]] = field(default_factory=list)
    shores: list[Floats] = field(default_factory=list)

    def add(self, polygon: Floats, colour: Colour, label: Label, material: Material) -> None:
        """Adds a polygon on top of the others."""
        self.surfaces.append(Surface(polygon, colour, label, material))


def blob(rng: np.random.Generator, centre: Floats, radii: tuple[float, float]) -> Floats:
    """``(40, 2)`` outline of an irregular round shape, such as a pond or a bare patch."""
    angles = np.linspace(0, 2 * np.pi, 41)[:-1]
    swell = np.ones(40)
    for waves in (2, 3, 5):
        swell += rng.uniform(0.03, 0.1) * np.sin(waves * angles + rng.uniform(0, 2 * np.pi))
    x, y = radii[0] * swell * np.cos(angles), radii[1] * swell * np.sin(angles)
    return turned(np.stack([x, y], axis=1), float(rng.uniform(0, np.pi))) + centre


def rectangle(centre: Floats, size: tuple[float, float], heading: float) -> Floats:
    """``(4, 2)`` corners of a rectangle whose second side is parallel to ``heading``."""
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * size
    return turned(corners, heading) + centre


def turned(points: Floats, heading: float) -> Floats:
    """``(N, 2)`` points rotated clockwise so that the y axis points along ``heading``."""
    cos, sin = np.cos(heading), np.sin(heading)
    return np.asarray(points @ np.array([[cos, -sin], [sin, cos]]))


def curve(through: Floats, heading: float, bend: float) -> Floats:
    """``(61, 2)`` points, 5 m apart, of a line that turns by ``bend`` radians in 100 m."""
    steps = np.arange(-30, 31) * 5.0
    direction = heading + bend * steps / 100
    moves = 5.0 * np.stack([np.sin(direction), np.cos(direction)], axis=1)
    line = np.cumsum(moves, axis=0)
    return np.asarray(line - line[30] + through)


def dashes(road: Road, *, offset: float, dash: float, gap: float, width: float) -> list[Floats]:
    """Dashes of paint along a road, ``offset`` metres right of its centre line."""
    line = road.side(offset)
    distance = np.arange(len(line), dtype=np.float64) * 5.0
    starts = np.arange(0, float(distance[-1]) - dash, dash + gap, dtype=np.float64)
    ends = np.stack(
        [_interpolate(line, distance, starts), _interpolate(line, distance, starts + dash)], axis=1
    )
    along = ends[:, 1] - ends[:, 0]
    across = np.stack([along[:, 1], -along[:, 0]], axis=1)
    across *= width / 2 / np.linalg.norm(across, axis=1, keepdims=True)
    corners = [ends[:, 0] - across, ends[:, 0] + across, ends[:, 1] + across, ends[:, 1] - across]
    return list(np.stack(corners, axis=1))


def shaded(colour: Sequence[float], gain: float) -> Colour:
    """A colour multiplied by ``gain``."""
    red, green, blue = colour
    return (red * gain, green * gain, blue * gain)


def _interpolate(line: Floats, distance: Floats, where: Floats) -> Floats:
    return np.stack([np.interp(where, distance, line[:, i]) for i in (0, 1)], axis=1)
