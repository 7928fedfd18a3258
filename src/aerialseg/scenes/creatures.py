"""People and animals."""

import numpy as np

from aerialseg.scenes.labels import Label
from aerialseg.scenes.solids import Colour, Model, Point

_SHIRTS: tuple[Colour, ...] = (
    (214, 52, 48), (240, 240, 236), (38, 66, 150), (242, 176, 38), (30, 32, 38),
    (226, 104, 150), (66, 150, 190), (244, 122, 36), (120, 50, 130),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = ((40, 48, 78), (30, 30, 34), (112, 100, 84), (74, 90, 120))
_SKIN: tuple[Colour, ...] = ((222, 178, 148), (176, 128, 96), (110, 76, 56))
_HAIR: tuple[Colour, ...] = ((36, 28, 24), (84, 58, 36), (170, 140, 90), (200, 40, 40))
_COATS: tuple[tuple[Colour, Colour], ...] = (
    ((236, 232, 224), (30, 28, 28)),
    ((124, 70, 38), (112, 62, 34)),
    ((44, 38, 36), (44, 38, 36)),
    ((188, 150, 106), (236, 226, 208)),
)


def person(rng: np.random.Generator) -> Model:
    """A person walking or standing, 1.75 m tall, facing ahead."""
    model = Model(Label.PERSON, sorted_parts=True)
    stride = float(rng.uniform(0.0, 0.32))
    trousers = _pick(rng, _TROUSERS)
    for side in (-1, 1):
        model.rod((0.11 * side, stride * side, 0.09), (0.1 * side, 0, 0.88), 0.11, trousers)
    upper_body(model, rng, hip=(0.0, 0.0, 0.88), lean=0.0, reach=float(rng.uniform(-0.1, 0.35)))
    return model


def upper_body(
    model: Model, rng: np.random.Generator, *, hip: Point, lean: float, reach: float
) -> None:
    """Adds trunk, arms and head above ``hip``.

    Args:
        model: The model the parts are added to.
        rng: Chooses clothes, skin and hair.
        hip: Lower end of the trunk.
        lean: How far the shoulders are ahead of the hip, in metres.
        reach: How far the hands are ahead of the shoulders, in metres.
    """
    x, y, z = hip
    shirt, skin, hair = _pick(rng, _SHIRTS), _pick(rng, _SKIN), _pick(rng, _HAIR)
    shoulder = y + lean
    for side in (-1, 1):
        hand = (x + 0.3 * side, shoulder + reach, z + 0.08 + 0.3 * max(reach, 0.0))
        model.rod((x + 0.24 * side, shoulder, z + 0.5), hand, 0.075, shirt, label=Label.PERSON)
        model.rod(hand, hand, 0.075, skin, label=Label.PERSON, casts=False)
    model.rod((x, y, z + 0.05), (x, shoulder, z + 0.44), 0.21, shirt, label=Label.PERSON)
    face, crown = (x, shoulder + 0.03, z + 0.76), (x, shoulder - 0.02, z + 0.83)
    model.rod(face, face, 0.13, skin, label=Label.PERSON, lit=False)
    model.rod(crown, crown, 0.125, hair, label=Label.PERSON, casts=False)


def cow(rng: np.random.Generator) -> Model:
    """A cow or a horse, 2.3 m long, facing ahead."""
    model = Model(Label.ANIMAL, sorted_parts=True)
    coat, patch = _COATS[int(rng.integers(len(_COATS)))]
    for x in (-0.2, 0.2):
        for y in (-0.6, 0.6):
            model.rod((x, y, 0.07), (x, y, 0.75), 0.1, coat)
    model.rod((0, -0.62, 1.02), (0, 0.6, 1.02), 0.4, coat)
    for _ in range(4):
        x, y = float(rng.uniform(-0.16, 0.16)), float(rng.uniform(-0.6, 0.5))
        model.ball((x, y, 1.22), 0.24, patch, lit=False)
    grazing = rng.random() < 0.5
    nose: Point = (0, 1.35, 0.3) if grazing else (0, 1.4, 1.3)
    model.rod((0, 0.75, 1.1), nose, 0.17, patch)
    model.rod((0, -1.0, 1.2), (0, -1.12, 0.5), 0.05, patch)
    return model


def sheep(rng: np.random.Generator) -> Model:
    """A sheep, 1.3 m long, facing ahead."""
    model = Model(Label.ANIMAL, sorted_parts=True)
    wool: Colour = (238, 232, 216)
    dark: Colour = (46, 40, 38) if rng.random() < 0.6 else (214, 200, 180)
    for x in (-0.16, 0.16):
        for y in (-0.3, 0.3):
            model.rod((x, y, 0.05), (x, y, 0.4), 0.06, dark)
    model.rod((0, -0.3, 0.62), (0, 0.3, 0.62), 0.32, wool)
    for _ in range(5):
        spot = (float(rng.uniform(-0.15, 0.15)), float(rng.uniform(-0.4, 0.4)), 0.72)
        model.ball(spot, 0.22, wool)
    model.rod((0, 0.55, 0.75), (0, 0.8, 0.6), 0.13, dark)
    return model


def dog(rng: np.random.Generator) -> Model:
    """A large dog, 1.2 m long, facing ahead."""
    model = Model(Label.ANIMAL, sorted_parts=True)
    coat, patch = _COATS[int(rng.integers(len(_COATS)))]
    for x in (-0.11, 0.11):
        for y in (-0.28, 0.28):
            model.rod((x, y, 0.04), (x, y, 0.45), 0.06, coat)
    model.rod((0, -0.32, 0.55), (0, 0.3, 0.58), 0.17, coat)
    model.rod((0, 0.42, 0.72), (0, 0.66, 0.68), 0.12, patch)
    model.rod((0, -0.45, 0.62), (0, -0.68, 0.86), 0.045, coat)
    return model


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    red, green, blue = colours[int(rng.integers(len(colours)))]
    wear = float(rng.uniform(0.85, 1.1))
    return (red * wear, green * wear, blue * wear)
