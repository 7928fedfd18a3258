import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aerialseg.classes import ClassTable
from aerialseg.viz.colours import borders, colourise, error_map, hatch, overlay, paint
from aerialseg.viz.theme import WRONG

CLASSES = ClassTable(("land", "water", "road"), ((10, 20, 30), (0, 0, 200), (90, 90, 90)))
SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12))


@given(mask=arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 1, 2, 255])))
def test_every_id_is_painted_in_its_own_colour(mask):
    painted = colourise(mask, CLASSES)

    expected = {0: (10, 20, 30), 1: (0, 0, 200), 2: (90, 90, 90), 255: (255, 255, 255)}
    assert painted.dtype == np.uint8
    for row, column in np.ndindex(mask.shape):
        assert tuple(painted[row, column]) == expected[int(mask[row, column])]


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.int32])
def test_ids_beyond_the_table_or_below_zero_are_never_a_class(dtype):
    mask = np.array([[-1, -200, 3, 256, 300, 1]], dtype=dtype)

    painted = colourise(mask, CLASSES)

    assert (painted[0, :5] == 255).all()
    assert tuple(painted[0, 5]) == (0, 0, 200)


def test_ignored_pixels_are_hatched_and_the_others_are_not():
    mask = np.zeros((30, 40), dtype=np.uint8)
    mask[:, 20:] = 255

    drawn = paint(mask, CLASSES)

    assert (drawn[:, :20] == CLASSES.colours[0]).all()
    hatched = {tuple(colour) for colour in drawn[:, 20:].reshape(-1, 3).tolist()}
    assert not hatched & set(CLASSES.colours)
    assert len(hatched) > 1


def test_the_hatch_has_white_and_grey_in_every_row_and_column():
    stripes = hatch(25, 31)[..., 0]

    for axis in (0, 1):
        assert (stripes.max(axis) == 255).all()
        assert (stripes.min(axis) < 200).all()


def test_an_overlay_mixes_image_and_colour_by_opacity():
    image = np.full((4, 4, 3), 100, dtype=np.uint8)
    mask = np.ones((4, 4), dtype=np.uint8)

    quarter = overlay(image, mask, CLASSES, opacity=0.25)

    assert (quarter == (75, 75, 125)).all()
    assert (overlay(image, mask, CLASSES, opacity=0) == image).all()
    assert (overlay(image, mask, CLASSES, opacity=1) == colourise(mask, CLASSES)).all()


def test_outlines_are_opaque_on_both_sides_of_a_border_and_nowhere_else():
    image = np.full((6, 10, 3), 250, dtype=np.uint8)
    mask = np.zeros((6, 10), dtype=np.uint8)
    mask[:, 5:] = 1

    drawn = overlay(image, mask, CLASSES, outline_width=1)

    assert (drawn[:, 4] == CLASSES.colours[0]).all()
    assert (drawn[:, 5] == CLASSES.colours[1]).all()
    assert (drawn[:, [3, 6]] > CLASSES.colours[1]).any(axis=-1).all()


def test_ignored_pixels_get_no_outline():
    image = np.zeros((20, 20, 3), dtype=np.uint8)
    mask = np.zeros((20, 20), dtype=np.uint8)
    mask[:, 10:] = 255

    drawn = overlay(image, mask, CLASSES, opacity=0.4, outline_width=3)

    assert (drawn[:, 9] == CLASSES.colours[0]).all()
    assert (drawn[:, 10:] <= 0.4 * 255).all()


def test_borders_are_found_where_ids_change():
    mask = np.array([[0, 0, 0, 7, 7]], dtype=np.int64)

    assert borders(mask, 1).tolist() == [[False, False, True, True, False]]
    assert borders(mask, 2).tolist() == [[False, True, True, True, True]]


def test_the_error_map_is_red_exactly_where_the_prediction_is_wrong():
    image = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    truth = np.zeros((9, 11), dtype=np.uint8)
    truth[0] = 255
    prediction = np.zeros((9, 11), dtype=np.int64)
    prediction[:3, :4] = 2

    drawn = error_map(image, truth, prediction, CLASSES)

    red = (drawn == WRONG).all(axis=-1)
    expected = np.zeros((9, 11), dtype=bool)
    expected[1:3, :4] = True
    assert (red == expected).all()
    right = drawn[3:]
    assert (right == right[..., :1]).all()
    assert (drawn[0] == hatch(9, 11)[0]).all()


def test_sizes_that_differ_and_an_opacity_out_of_range_are_refused():
    image = np.zeros((4, 6, 3), dtype=np.uint8)
    mask = np.zeros((4, 5), dtype=np.uint8)

    with pytest.raises(ValueError, match="the image is 6x4 pixels and its mask 5x4"):
        overlay(image, mask, CLASSES)
    with pytest.raises(ValueError, match="wanted the same size"):
        error_map(image, np.zeros((4, 6), np.uint8), mask, CLASSES)
    with pytest.raises(ValueError, match="wanted 0 to 1"):
        overlay(image, np.zeros((4, 6), np.uint8), CLASSES, opacity=1.5)


def test_nothing_that_goes_in_is_changed():
    image = np.random.default_rng(1).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    mask = np.random.default_rng(2).choice(np.array([0, 1, 2, 255], np.uint8), (8, 9))
    for array in (image, mask):
        array.setflags(write=False)

    overlay(image, mask, CLASSES, outline_width=2)
    error_map(image, mask, mask[::-1], CLASSES)
    paint(mask, CLASSES)[:] = 0
    assert tuple(CLASSES.palette[1]) == (0, 0, 200)


def test_flipped_views_are_drawn_like_their_copies():
    image = np.random.default_rng(3).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    mask = np.random.default_rng(4).integers(0, 3, (8, 9), dtype=np.uint8)

    views = overlay(image[:, ::-1], mask[:, ::-1], CLASSES, outline_width=1)
    copies = overlay(image[:, ::-1].copy(), mask[:, ::-1].copy(), CLASSES, outline_width=1)

    assert (views == copies).all()
