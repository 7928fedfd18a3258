"""Cars, bikes, boats and a drone."""

from itertools import pairwise

import numpy as np

from aerialseg.scenes.creatures import upper_body
from aerialseg.scenes.labels import Label
from aerialseg.scenes.solids import Colour, Model, Point

_PAINTS: tuple[Colour, ...] = (
    (236, 238, 240), (178, 182, 188), (44, 46, 52), (186, 30, 34), (34, 74, 150),
    (96, 104, 112), (226, 196, 60), (30, 96, 84), (130, 24, 40), (204, 190, 160),
)  # fmt: skip
_HULLS: tuple[Colour, ...] = ((244, 244, 240), (150, 60, 44), (40, 70, 124), (226, 186, 70))
_GLASS: Colour = (44, 54, 66)
_TYRE: Colour = (26, 26, 28)


def car(rng: np.random.Generator) -> Model:
    """A saloon or a van, 4.6 m long, facing ahead."""
    model = Model(Label.CAR)
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    van = rng.random() < 0.25
    low: Colour = (paint[0] * 0.9, paint[1] * 0.9, paint[2] * 0.9)
    model.box((0, 0, 0.02), (1.7, 4.4, 0.34), (30, 30, 34))
    model.box((0, 0, 0.3), (1.86, 4.6, 0.55), low, top=paint, taper=(0.96, 0.98))
    for side in (-1, 1):
        for y in (-1.4, 1.45):
            model.face(_wheel(side, 0.95 * side, y, 0.36), _TYRE)
            model.face(_wheel(side, 0.96 * side, y, 0.17), (150, 152, 156))
    _lamps(model)
    length, foot, height = (3.7, -0.4, 0.95) if van else (2.5, -0.3, 0.6)
    model.box((0, foot, 0.84), (1.74, length, height), _GLASS, taper=(0.82, 0.9 if van else 0.68))
    roof = height + 0.82
    half = (0.73, length * (0.45 if van else 0.35))
    ring: list[Point] = [
        (sx * half[0], foot + sy * half[1], roof + 0.04)
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    model.face(ring, paint)
    return model


def bicycle(rng: np.random.Generator, *, ridden: bool) -> Model:
    """A bicycle, 1.9 m long, facing ahead, with a rider if ``ridden``."""
    model = Model(Label.BIKE, sorted_parts=True)
    frame = _PAINTS[int(rng.integers(3, len(_PAINTS)))]
    for y in (-0.58, 0.58):
        ring = [
            (0.0, y + 0.38 * np.cos(a), 0.4 + 0.38 * np.sin(a))
            for a in np.linspace(0, 2 * np.pi, 10)
        ]
        for start, end in pairwise(ring):
            model.rod(start, end, 0.06, _TYRE, lit=False)
    seat, bars, pedals = (0.0, -0.25, 0.98), (0.0, 0.45, 1.02), (0.0, -0.02, 0.4)
    joints: tuple[tuple[Point, Point], ...] = (
        (seat, pedals), (pedals, bars), (seat, bars), (bars, (0, 0.58, 0.4)),
        (pedals, (0, -0.58, 0.4)), (seat, (0, -0.58, 0.4)),
    )  # fmt: skip
    for start, end in joints:
        model.rod(start, end, 0.065, frame)
    model.rod((-0.3, 0.42, 1.08), (0.3, 0.42, 1.08), 0.06, _TYRE)
    model.rod((0, -0.4, 1.0), (0, -0.15, 1.0), 0.1, _TYRE)
    if ridden:
        _rider(model, rng, seat=(0.0, -0.25, 1.05), foot=0.35)
    return model


def scooter(rng: np.random.Generator, *, ridden: bool) -> Model:
    """A motor scooter, 1.9 m long, facing ahead, with a rider if ``ridden``."""
    model = Model(Label.BIKE, sorted_parts=True)
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    for y in (-0.62, 0.68):
        model.rod((0, y - 0.08, 0.3), (0, y + 0.08, 0.3), 0.26, _TYRE)
    model.rod((0, -0.7, 0.62), (0, -0.15, 0.6), 0.24, paint)
    model.rod((0, -0.1, 0.34), (0, 0.45, 0.34), 0.16, paint)
    model.rod((0, 0.5, 0.4), (0, 0.42, 1.0), 0.14, paint)
    model.rod((-0.34, 0.4, 1.08), (0.34, 0.4, 1.08), 0.06, _TYRE)
    model.rod((0, -0.65, 0.86), (0, -0.15, 0.84), 0.15, _TYRE)
    if ridden:
        _rider(model, rng, seat=(0.0, -0.25, 0.95), foot=0.3)
    return model


def boat(rng: np.random.Generator) -> Model:
    """A rowing boat, motor boat or yacht, 6.5 m long, facing ahead."""
    model = Model(Label.BOAT)
    hull = _HULLS[int(rng.integers(len(_HULLS)))]
    plan = ((-0.8, -3.1), (0.8, -3.1), (1.15, -0.8), (1.05, 1.2), (0.5, 2.7), (0, 3.4),
            (-0.5, 2.7), (-1.05, 1.2), (-1.15, -0.8))  # fmt: skip
    low: list[Point] = [(x * 0.8, y * 0.93, 0.0) for x, y in plan]
    high: list[Point] = [(x, y, 0.75) for x, y in plan]
    for i in range(len(plan)):
        j = (i + 1) % len(plan)
        model.face([low[i], low[j], high[j], high[i]], hull)
    model.face(high, (232, 230, 222))
    model.face([(x * 0.76, y * 0.82 - 0.1, 0.76) for x, y in plan], (150, 112, 76))
    model.shade(low + high)
    kind = rng.random()
    if kind < 0.3:
        for y in (-1.6, 0.0, 1.4):
            model.box((0, y, 0.76), (1.5, 0.4, 0.08), (196, 160, 116))
    elif kind < 0.65:
        model.box((0, -0.2, 0.76), (1.5, 2.2, 1.0), (240, 240, 238), taper=(0.85, 0.8))
        model.box((0, -0.1, 1.1), (1.4, 1.9, 0.4), _GLASS, top=(246, 246, 244), taper=(0.9, 0.9))
    else:
        _sail(model)
    return model


def drone(rng: np.random.Generator) -> Model:
    """A quadrotor, 1.1 m across, centred on the origin of its local frame."""
    model = Model(Label.DRONE, sorted_parts=True)
    shell: Colour = (228, 230, 232) if rng.random() < 0.6 else (44, 46, 50)
    blade: Colour = (70, 72, 78) if shell[0] > 100 else (96, 98, 104)
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        tip = (0.36 * sx, 0.36 * sy, 0.06)
        model.rod((0.08 * sx, 0.08 * sy, 0), tip, 0.05, shell)
        model.rod((tip[0], tip[1], 0.0), (tip[0], tip[1], 0.12), 0.055, (40, 40, 44))
        model.rod((tip[0] - 0.24, tip[1], 0.15), (tip[0] + 0.24, tip[1], 0.15), 0.028, blade)
        model.rod((tip[0], tip[1] - 0.24, 0.15), (tip[0], tip[1] + 0.24, 0.15), 0.028, blade)
    for side in (-1, 1):
        model.rod((0.1 * side, 0, -0.05), (0.17 * side, 0, -0.24), 0.028, shell)
        model.rod((0.17 * side, -0.18, -0.24), (0.17 * side, 0.18, -0.24), 0.028, shell)
    model.rod((0, -0.16, 0.0), (0, 0.16, 0.0), 0.13, shell)
    model.rod((0, 0.2, -0.12), (0, 0.2, -0.12), 0.08, (28, 28, 32))
    model.ball((0, -0.28, 0.02), 0.035, (230, 40, 30))
    return model


def _rider(model: Model, rng: np.random.Generator, *, seat: Point, foot: float) -> None:
    for side in (-1, 1):
        knee = (0.16 * side, seat[1] + 0.42, seat[2] - 0.12)
        model.rod((0.1 * side, seat[1], seat[2]), knee, 0.11, (48, 52, 76), label=Label.PERSON)
        model.rod(knee, (0.14 * side, seat[1] + 0.3, foot), 0.09, (48, 52, 76), label=Label.PERSON)
    upper_body(model, rng, hip=seat, lean=0.2, reach=0.4)


def _wheel(side: int, x: float, y: float, radius: float) -> list[Point]:
    angles = np.linspace(0, 2 * np.pi, 9)[:-1] * side
    return [(x, float(y + radius * np.cos(a)), float(0.36 + radius * np.sin(a))) for a in angles]


def _lamps(model: Model) -> None:
    for x in (-0.62, 0.62):
        model.face(_plate(x, 2.32, 0.62, 1), (250, 246, 214))
        model.face(_plate(x, -2.32, 0.64, -1), (190, 24, 20))


def _plate(x: float, y: float, z: float, ahead: int) -> list[Point]:
    half = 0.2 * ahead
    return [(x + half, y, z - 0.1), (x - half, y, z - 0.1),
            (x - half, y, z + 0.1), (x + half, y, z + 0.1)]  # fmt: skip


def _sail(model: Model) -> None:
    """Adds cabin, two-sided mainsail, jib and mast of a yacht."""
    model.box((0, -0.9, 0.76), (1.2, 1.8, 0.5), (236, 232, 220), taper=(0.9, 0.9))
    sheet: list[Point] = [(0, 0.4, 1.3), (0.4, -2.6, 1.4), (0, 0.4, 6.2)]
    model.face(sheet, (246, 244, 238))
    model.face(sheet[::-1], (226, 226, 224))
    model.face([(0, 3.2, 1.0), (0.0, 0.6, 1.3), (0, 0.5, 5.6)], (238, 238, 234))
    model.face([(0, 0.5, 5.6), (0.0, 0.6, 1.3), (0, 3.2, 1.0)], (222, 224, 226))
    model.shade(sheet)
    model.rod((0, 0.45, 0.7), (0, 0.45, 6.5), 0.07, (120, 96, 70))
