"""Trees, shrubs and hedges."""

import numpy as np

from aerialseg.scenes.labels import Label
from aerialseg.scenes.solids import Colour, Model, Point

_GREENS: tuple[Colour, ...] = (
    (64, 100, 42), (50, 88, 44), (84, 112, 44), (42, 76, 40), (98, 118, 52), (116, 108, 46),
)  # fmt: skip
_BARK: Colour = (92, 74, 58)


def broadleaf(rng: np.random.Generator, *, height: float, detail: int) -> Model:
    """A tree with a round crown.

    Args:
        rng: Chooses shape and green.
        height: Metres.
        detail: Number of clumps of leaves in the crown.
    """
    model = Model(Label.VEGETATION, sorted_parts=True)
    radius = height * float(rng.uniform(0.3, 0.4))
    middle = height - radius * 0.95
    model.rod((0, 0, 0), (0, 0, middle), height * 0.028 + 0.06, _BARK)
    _crown(model, rng, (0, 0, middle), (radius, radius, radius * 0.95), detail)
    return model


def conifer(rng: np.random.Generator, *, height: float, detail: int) -> Model:
    """A spruce: rings of branches that narrow towards the tip."""
    model = Model(Label.VEGETATION, sorted_parts=True)
    green = _GREENS[int(rng.choice([1, 3]))]
    model.rod((0, 0, 0), (0, 0, height * 0.3), 0.14, _BARK)
    rings = max(4, detail // 4)
    for i in range(rings):
        share = i / (rings - 1)
        z, reach = height * (0.16 + 0.8 * share), height * 0.2 * (1 - share) + 0.1
        turn = float(rng.uniform(0, np.pi))
        for a in np.arange(4) * np.pi / 2 + turn:
            spot = (float(reach * np.cos(a)) * 0.6, float(reach * np.sin(a)) * 0.6, z)
            shade = (0.72 + 0.4 * share) * float(rng.uniform(0.85, 1.15))
            model.ball(spot, reach * 0.72, _times(green, shade), lit=False)
    _shade_crown(model, (0, 0, height * 0.35), (height * 0.2, height * 0.2, height * 0.6))
    return model


def shrub(rng: np.random.Generator, *, detail: int) -> Model:
    """A bush about 1.5 m high."""
    model = Model(Label.VEGETATION, sorted_parts=True)
    size = float(rng.uniform(0.7, 1.3))
    _crown(model, rng, (0, 0, size * 0.6), (size, size * 1.1, size * 0.7), max(6, detail // 2))
    return model


def hedge(rng: np.random.Generator, *, length: float) -> Model:
    """A clipped hedge, 1 m high, along the y axis."""
    model = Model(Label.VEGETATION)
    green = _GREENS[int(rng.integers(4))]
    model.box((0, 0, 0), (1.0, length, 1.0), _times(green, 0.8), top=_times(green, 1.05))
    for y in np.arange(-length / 2 + 0.3, length / 2, 0.6):
        spot = (float(rng.uniform(-0.25, 0.25)), float(y), 0.9)
        model.ball(spot, 0.42, _times(green, float(rng.uniform(0.8, 1.2))), lit=False)
    return model


def _crown(
    model: Model, rng: np.random.Generator, centre: Point, radii: Point, detail: int
) -> None:
    """Adds clumps of leaves within an ellipsoid, bright at the top and dark at the bottom."""
    green = _GREENS[int(rng.integers(len(_GREENS)))]
    directions = rng.standard_normal((detail, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    reach = rng.uniform(0.45, 0.95, (detail, 1))
    model.ball(centre, min(radii) * 0.8, _times(green, 0.7), lit=False)
    for direction, r in zip(directions * reach, rng.uniform(0.2, 0.42, detail), strict=True):
        x, y, z = (float(c + d * s) for c, d, s in zip(centre, direction, radii, strict=True))
        shade = 0.88 + 0.34 * float(direction[2]) + float(rng.uniform(-0.14, 0.14))
        model.ball((x, y, z), float(r) * radii[0], _times(green, shade), lit=False)
    _shade_crown(model, centre, radii)


def _shade_crown(model: Model, centre: Point, radii: Point) -> None:
    x, y, z = centre
    low, high = z - 0.4 * radii[2], z + 0.5 * radii[2]
    model.shade([(x, y, max(low, 0.3)), (x, y, high)], radii[0] * 0.92)
    for angle in (0.4, 2.5, 4.6):
        dx, dy = radii[0] * 0.5 * np.cos(angle), radii[1] * 0.5 * np.sin(angle)
        model.shade([(x + float(dx), y + float(dy), z)], radii[0] * 0.65)


def _times(colour: Colour, gain: float) -> Colour:
    return (colour[0] * gain, colour[1] * gain, colour[2] * gain)
