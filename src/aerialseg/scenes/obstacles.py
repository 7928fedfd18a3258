"""Obstacles: lamps, poles, signs, fences, bollards."""

import numpy as np

from aerialseg.scenes.labels import Label
from aerialseg.scenes.solids import Colour, Model

_STEEL: Colour = (150, 154, 160)
_TIMBER: Colour = (122, 100, 78)


def street_lamp(rng: np.random.Generator) -> Model:
    """A lamp on a pole of 6 to 7.5 m, its arm to the right."""
    model = Model(Label.OBSTACLE)
    height = float(rng.uniform(6.0, 7.5))
    dark = rng.random() < 0.4
    steel: Colour = (66, 72, 76) if dark else _STEEL
    model.rod((0, 0, 0), (0, 0, 0.9), 0.2, steel)
    model.rod((0, 0, 0), (0, 0, height), 0.13, steel)
    model.rod((0, 0, height), (1.5, 0, height + 0.25), 0.1, steel)
    model.rod((1.2, 0, height + 0.2), (2.0, 0, height + 0.25), 0.2, (214, 214, 208))
    return model


def power_pole(rng: np.random.Generator) -> Model:
    """A timber pole with two cross-arms and insulators."""
    model = Model(Label.OBSTACLE)
    height = float(rng.uniform(7.0, 8.5))
    model.rod((0, 0, 0), (0, 0, height), 0.17, _TIMBER)
    for z, half in ((height - 0.4, 1.2), (height - 1.3, 0.9)):
        model.rod((-half, 0, z), (half, 0, z), 0.11, _TIMBER)
        for x in (-half, half):
            model.rod((x, 0, z + 0.1), (x, 0, z + 0.3), 0.1, (226, 226, 220), casts=False)
    return model


def sign(rng: np.random.Generator) -> Model:
    """A round traffic sign that faces backwards, 2.8 m high."""
    model = Model(Label.OBSTACLE)
    colour: Colour = ((30, 84, 180), (206, 34, 34), (236, 190, 40))[int(rng.integers(3))]
    model.rod((0, 0, 0), (0, 0, 2.4), 0.08, _STEEL)
    for y, paint in ((-0.08, colour), (0.08, (170, 172, 176))):
        angles = np.linspace(0, 2 * np.pi, 9)[:-1] * (1 if y < 0 else -1)
        disc = [(0.5 * float(np.cos(a)), y, 2.3 + 0.5 * float(np.sin(a))) for a in angles]
        model.face(disc, paint)
    model.shade([(0.4, 0, 2.3), (-0.4, 0, 2.3)], 0.2)
    return model


def fence(rng: np.random.Generator, *, length: float) -> Model:
    """A fence with three rails along the y axis, 1.3 m high."""
    model = Model(Label.OBSTACLE, sorted_parts=True)
    colour: Colour = ((206, 202, 194), _TIMBER, (92, 96, 98))[int(rng.integers(3))]
    for y in np.linspace(-length / 2, length / 2, max(2, round(length / 2))):
        model.rod((0, float(y), 0), (0, float(y), 1.35), 0.1, colour)
    for z in (0.4, 0.8, 1.2):
        model.rod((0, -length / 2, z), (0, length / 2, z), 0.07, colour)
    return model


def bollard(rng: np.random.Generator) -> Model:
    """A short post, striped or stone-coloured."""
    model = Model(Label.OBSTACLE)
    if rng.random() < 0.7:
        for i in range(3):
            paint: Colour = (216, 48, 40) if i % 2 == 0 else (240, 238, 232)
            model.rod((0, 0, 0.12 + 0.36 * i), (0, 0, 0.4 + 0.36 * i), 0.2, paint)
    else:
        model.rod((0, 0, 0.1), (0, 0, 0.9), 0.26, (176, 170, 160))
    return model


def barrier(rng: np.random.Generator) -> Model:
    """A red and white barrier, 2.4 m wide, across the x axis."""
    model = Model(Label.OBSTACLE)
    offset = int(rng.integers(2))
    for i in range(6):
        paint: Colour = (214, 44, 38) if (i + offset) % 2 else (242, 240, 236)
        model.box((-1.0 + 0.4 * i, 0, 0.55), (0.4, 0.14, 0.5), paint)
    for x in (-1.0, 1.0):
        model.rod((x, 0, 0.05), (x, 0, 0.6), 0.1, (90, 92, 96))
    return model
