import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerialseg.classes import ClassTable
from aerialseg.viz.theme import PANEL
from aerialseg.viz.tiles import (
    empty_tile,
    error_tile,
    image_tile,
    mask_tile,
    overlay_tile,
    tile_size,
)

CLASSES = ClassTable(("land", "water"), ((10, 20, 30), (0, 0, 200)))


def extent(found):
    rows, columns = np.nonzero(found)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@pytest.mark.parametrize("shape", [(200, 400), (400, 200), (300, 300), (1000, 260)])
def test_a_square_stays_square(shape):
    image = np.zeros((*shape, 3), dtype=np.uint8)
    top, left = shape[0] // 2 - 60, shape[1] // 2 - 60
    image[top : top + 120, left : left + 120, 0] = 255
    tile = (300, 170)

    drawn = image_tile(image, tile)
    height, width = extent((drawn[..., 0] > 127) & (drawn[..., 1] < 127))

    scale = min(300 / shape[1], 170 / shape[0])
    assert abs(height - width) <= 1
    assert height == pytest.approx(120 * scale, abs=1.5)


@settings(deadline=None)
@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    tile=st.tuples(st.integers(16, 200), st.integers(16, 200)),
)
def test_any_image_fills_its_tile_in_one_direction_and_keeps_its_aspect(height, width, tile):
    image = np.full((height, width, 3), (255, 0, 0), dtype=np.uint8)

    drawn = image_tile(image, tile)

    assert drawn.shape == (tile[1], tile[0], 3)
    tall, wide = extent((drawn == (255, 0, 0)).all(axis=-1))
    assert tall == tile[1] or wide == tile[0]
    scale = min(tile[0] / width, tile[1] / height)
    assert abs(tall - max(1, height * scale)) <= 0.5
    assert abs(wide - max(1, width * scale)) <= 0.5


def test_what_is_left_of_a_tile_is_panel_on_both_sides():
    drawn = image_tile(np.zeros((50, 50, 3), np.uint8), (90, 50))

    assert (drawn[:, :20] == PANEL).all()
    assert (drawn[:, 70:] == PANEL).all()
    assert (drawn[:, 20:70] == 0).all()


@pytest.mark.parametrize("side", [12, 400])
def test_a_mask_keeps_its_colours_inside_and_hatches_what_is_ignored(side):
    mask = np.zeros((side, side), dtype=np.uint8)
    mask[side // 2 :] = 1
    mask[:, 3 * side // 4 :] = 255

    drawn = mask_tile(mask, CLASSES, (80, 80))

    assert (drawn[:38, :58] == CLASSES.colours[0]).all()
    assert (drawn[42:, :58] == CLASSES.colours[1]).all()
    assert drawn[:, 62:].min() >= 150
    assert (drawn[:, 62:].min(axis=(1, 2)) < 200).all()


def test_an_enlarged_mask_gains_no_colours():
    mask = np.random.default_rng(0).integers(0, 2, (7, 9), dtype=np.uint8)

    drawn = mask_tile(mask, CLASSES, (90, 70))

    assert {tuple(c) for c in drawn.reshape(-1, 3).tolist()} == set(CLASSES.colours)


def test_the_tile_follows_the_median_aspect_within_bounds():
    assert tile_size([(720, 1280, 3)], 320) == (320, 180)
    assert tile_size([(100, 100, 3), (100, 200, 3), (1000, 10, 3)], 200) == (200, 200)
    assert tile_size([(10, 1000, 3)], 200) == (200, 100)
    assert tile_size([(1000, 10, 3)], 200) == (200, 400)


def test_no_row_or_a_tile_too_narrow_is_refused():
    with pytest.raises(ValueError, match="one row"):
        tile_size([], 320)
    with pytest.raises(ValueError, match="tile_width is 8"):
        tile_size([(10, 10, 3)], 8)


def test_every_kind_of_tile_has_the_size_asked_for_and_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    mask = np.random.default_rng(1).integers(0, 3, (31, 47)).astype(np.int64)
    image.setflags(write=False)
    mask.setflags(write=False)

    tiles = [
        image_tile(image[:, ::-1], (64, 40)),
        mask_tile(mask, CLASSES, (64, 40)),
        overlay_tile(image, mask, CLASSES, (64, 40)),
        error_tile(image, mask, mask[::-1], CLASSES, (64, 40)),
        empty_tile("no truth", (64, 40)),
    ]

    assert {tile.shape for tile in tiles} == {(40, 64, 3)}
    assert {tile.dtype for tile in tiles} == {np.dtype(np.uint8)}
