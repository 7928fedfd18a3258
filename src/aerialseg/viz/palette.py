"""Colours for classes that come without any."""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.viz.theme import Colour

_LEVELS = (0, 36, 73, 109, 146, 182, 219, 255)
"""Of each channel, from which colours are chosen."""
_LIGHTEST = 92.0
"""Lightness, of 100; what is lighter could be taken for ignored pixels, which are white."""
_DARKEST = 25.0
"""Lightness; what is darker could be taken for a black background."""


def distinct_colours(number: int, *, taken: Iterable[Colour] = ()) -> list[Colour]:
    """Colours that differ as much as possible, each from all before it.

    The first do not depend on how many are asked for. Distances are those of CIELAB.

    Args:
        number: How many, 0 to 400.
        taken: Colours that they must also differ from.
    """
    grid = np.array(np.meshgrid(_LEVELS, _LEVELS, _LEVELS, indexing="ij"), dtype=np.uint8)
    candidates = grid.reshape(3, -1).T
    places = _lab(candidates)
    usable = (places[:, 0] >= _DARKEST) & (places[:, 0] <= _LIGHTEST)
    candidates, places = candidates[usable], places[usable]
    nearest = np.full(len(candidates), np.inf)
    for colour in [(255, 255, 255), *taken]:
        nearest = np.minimum(nearest, _distances(places, _lab(np.array([colour], dtype=np.uint8))))
    found: list[Colour] = []
    for _ in range(number):
        best = int(nearest.argmax())
        red, green, blue = candidates[best].tolist()
        found.append((red, green, blue))
        nearest = np.minimum(nearest, _distances(places, places[best : best + 1]))
    return found


def _lab(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """``(N, 3)`` CIELAB values of RGB colours."""
    scaled = colours.astype(np.float32)[None] / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[0], dtype=np.float32)


def _distances(
    places: npt.NDArray[np.float32], place: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    return np.asarray(np.linalg.norm(places - place, axis=1), dtype=np.float64)
