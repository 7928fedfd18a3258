"""Houses, blocks, barns and silos."""

import numpy as np

from aerialseg.scenes.labels import Label
from aerialseg.scenes.solids import Colour, Model, Point

_WALLS: tuple[Colour, ...] = (
    (226, 218, 202), (206, 186, 156), (178, 112, 86), (214, 214, 212), (190, 168, 128),
)  # fmt: skip
_ROOFS: tuple[Colour, ...] = ((160, 78, 56), (124, 66, 54), (92, 92, 98), (130, 112, 96))
_PANE: Colour = (62, 76, 92)


def house(rng: np.random.Generator, *, width: float, length: float) -> Model:
    """A house with a pitched roof whose ridge runs along the y axis."""
    model = Model(Label.CONSTRUCTION)
    eaves, rise = float(rng.uniform(2.8, 5.2)), width * float(rng.uniform(0.28, 0.42))
    wall, roof = _WALLS[int(rng.integers(len(_WALLS)))], _ROOFS[int(rng.integers(len(_ROOFS)))]
    model.box((0, 0, 0), (width, length, eaves), wall)
    _windows(model, width, length, eaves, storeys=1 if eaves < 4 else 2)
    for end in (-1, 1):
        y = end * length / 2
        gable: list[Point] = [(-end * -width / 2, y, eaves), (-end * width / 2, y, eaves),
                              (0, y, eaves + rise)]  # fmt: skip
        model.face(gable, wall)
    _pitched_roof(model, width, length, eaves, rise, roof)
    model.shade(
        [(0, s * length / 2, eaves + rise) for s in (-1, 1)]
        + [(a * width / 2, s * length / 2, eaves) for a in (-1, 1) for s in (-1, 1)]
    )
    if rng.random() < 0.7:
        x, y = width * 0.16, length * float(rng.uniform(-0.3, 0.3))
        model.box((x, y, eaves + rise * 0.55), (0.7, 0.7, rise * 0.45 + 0.9), (150, 92, 74))
    return model


def block(rng: np.random.Generator, *, width: float, length: float, height: float) -> Model:
    """A flat-roofed building with rows of windows and ventilation units on its roof."""
    model = Model(Label.CONSTRUCTION)
    wall = _WALLS[int(rng.integers(len(_WALLS)))]
    tar = float(rng.uniform(120, 176))
    model.box((0, 0, 0), (width, length, height), wall, top=(232, 230, 224))
    _windows(model, width, length, height, storeys=max(1, round(height / 3.0)))
    x, y = width / 2 - 0.4, length / 2 - 0.4
    model.face(
        [(-x, -y, height), (x, -y, height), (x, y, height), (-x, y, height)],
        (tar, tar * 0.99, tar * 0.96),
    )
    for _ in range(int(rng.integers(2, 6))):
        spot = (float(rng.uniform(-0.32, 0.32)) * width, float(rng.uniform(-0.36, 0.36)) * length)
        grey = float(rng.uniform(150, 225))
        size = (float(rng.uniform(0.8, 2.2)), float(rng.uniform(0.8, 2.4)), 0.8)
        model.box((*spot, height), size, (grey, grey, grey))
    return model


def silo(rng: np.random.Generator) -> Model:
    """A round tank, 7 m high."""
    model = Model(Label.CONSTRUCTION)
    grey = float(rng.uniform(180, 225))
    angles = np.linspace(0, 2 * np.pi, 13)[:-1]
    ring = [(2.1 * float(np.cos(a)), 2.1 * float(np.sin(a))) for a in angles]
    for i in range(12):
        a, b = ring[i], ring[(i + 1) % 12]
        model.face([(*a, 0.0), (*b, 0.0), (*b, 6.0), (*a, 6.0)], (grey, grey, grey * 0.97))
        model.face([(*a, 6.0), (*b, 6.0), (0, 0, 7.2)], (grey * 0.92, grey * 0.92, grey * 0.95))
    model.shade([(*p, z) for p in ring for z in (0.0, 6.0)])
    return model


def jetty(*, length: float) -> Model:
    """A wooden landing stage on posts, along the y axis."""
    model = Model(Label.CONSTRUCTION)
    for y in np.arange(-length / 2 + 0.5, length / 2, 2.5):
        for x in (-0.9, 0.9):
            model.rod((x, float(y), 0), (x, float(y), 0.6), 0.12, (86, 70, 56))
    model.box((0, 0, 0.45), (2.0, length, 0.15), (118, 94, 70), top=(166, 138, 106))
    for y in np.arange(-length / 2 + 0.5, length / 2, 1.0):
        plank: list[Point] = [
            (-1, float(y), 0.61),
            (1, float(y), 0.61),
            (1, float(y) + 0.12, 0.61),
            (-1, float(y) + 0.12, 0.61),
        ]
        model.face(plank, (120, 98, 76))
    return model


def _pitched_roof(
    model: Model, width: float, length: float, eaves: float, rise: float, roof: Colour
) -> None:
    """Two roof slopes in strips of alternating brightness, overhanging the walls."""
    half, low = width / 2 * 1.1, eaves - rise * 0.1
    y, courses = length / 2 + 0.4, 6
    for side in (-1, 1):
        for i in range(courses):
            inner, outer = i / courses, (i + 1) / courses
            top, foot = (eaves + rise + (low - eaves - rise) * s for s in (inner, outer))
            strip: list[Point] = [
                (side * half * outer, -y, foot),
                (side * half * outer, y, foot),
                (side * half * inner, y, top),
                (side * half * inner, -y, top),
            ]
            gain = 0.94 if i % 2 else 1.04
            colour = (roof[0] * gain, roof[1] * gain, roof[2] * gain)
            model.face(strip if side > 0 else strip[::-1], colour)


def _windows(model: Model, width: float, length: float, height: float, *, storeys: int) -> None:
    """Rows of windows on all four walls, and a door."""
    floor = height / storeys
    for storey in range(storeys):
        low = storey * floor + floor * 0.36
        for turned, wall, out in ((False, width, length), (True, length, width)):
            for s in np.arange(-wall / 2 + 1.4, wall / 2 - 1.0, 2.4):
                for side in (-1, 1):
                    model.face(_pane(turned, float(s), side, out / 2 + 0.02, low, floor), _PANE)
    door = _pane(True, -0.4, 1, width / 2 + 0.03, 0.0, min(height, 5.0))
    model.face(door, (94, 66, 48))


def _pane(
    turned: bool, along: float, side: int, out: float, low: float, floor: float
) -> list[Point]:
    """Corners of a window on one side of the building, anticlockwise as seen from outside."""
    first, second = (along - 0.5 * side, along + 0.5 * side)
    high = low + floor * 0.42
    if turned:
        return [(side * out, first, low), (side * out, second, low),
                (side * out, second, high), (side * out, first, high)]  # fmt: skip
    return [(second, side * out, low), (first, side * out, low),
            (first, side * out, high), (second, side * out, high)]  # fmt: skip
