"""The band around borders, against distances computed pixel by pixel."""

import numpy as np
import pytest

from aerialseg.classes import IGNORE_INDEX
from aerialseg.metrics.boundary import band_only, band_width, near_borders


def nearest_other(mask, row, column):
    """Distance in pixels to the nearest pixel of another class, ignored ones aside."""
    rows, columns = np.nonzero((mask != mask[row, column]) & (mask != IGNORE_INDEX))
    return np.hypot(rows - row, columns - column).min(initial=np.inf)


@pytest.mark.parametrize("width", [1, 3])
def test_the_band_holds_what_is_near_another_class(width):
    rng = np.random.default_rng(0)
    mask = np.repeat(np.repeat(rng.integers(0, 3, (3, 4)), 8, 0), 8, 1).astype(np.uint8)
    mask[5:11, 5:20] = IGNORE_INDEX
    near = near_borders(mask, width)
    for row, column in np.ndindex(mask.shape):
        distance = nearest_other(mask, row, column)
        if mask[row, column] == IGNORE_INDEX or distance > width * np.sqrt(2):
            assert not near[row, column]
        elif distance <= width - 1 or distance == 1:
            assert near[row, column]


def test_ignored_pixels_make_no_border():
    mask = np.zeros((9, 9), np.uint8)
    mask[:, 5:] = IGNORE_INDEX
    assert not near_borders(mask, 2).any()
    mask[0, 0] = 1
    assert near_borders(mask, 2).any()


def test_outside_the_band_all_is_ignored():
    mask = np.zeros((1, 9), np.uint8)
    mask[0, 4:] = 2
    assert band_only(mask, 1).tolist() == [[255, 255, 255, 0, 2, 255, 255, 255, 255]]


def test_the_band_grows_with_the_image():
    assert band_width((720, 1280)) == 7
    assert band_width((20, 20)) == 1
