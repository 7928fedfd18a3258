import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerialseg.classes import ClassTable
from aerialseg.viz.legend import draw_legend
from aerialseg.viz.theme import PAPER, WRONG


def table(count):
    colours = tuple((5 * i, 255 - 6 * i, (37 * i) % 200) for i in range(count))
    return ClassTable(tuple(f"class {i}" for i in range(count)), colours)


def places(legend, colour):
    return np.argwhere((legend == colour).all(axis=-1))


@settings(deadline=None, max_examples=30)
@given(count=st.integers(1, 40), width=st.integers(40, 1200))
def test_every_class_has_its_swatch_at_every_width(count, width):
    classes = table(count)

    legend = draw_legend(classes, width=width)

    assert legend.shape[1] == width
    for colour in classes.colours:
        assert len(places(legend, colour)) >= 100


def test_swatches_do_not_overlap_and_follow_the_table():
    classes = table(9)

    legend = draw_legend(classes, width=300)

    corners = [tuple(places(legend, colour).min(axis=0)) for colour in classes.colours]
    assert corners == sorted(corners)
    assert len({len(places(legend, colour)) for colour in classes.colours}) == 1


def test_classes_that_occur_come_first_and_the_others_are_still_there():
    classes = table(3)

    legend = draw_legend(classes, width=60, present={2})

    tops = [places(legend, classes.colours[i])[:, 0].min() for i in (2, 0, 1)]
    assert tops == sorted(tops)


def test_faded_names_are_paler():
    classes = ClassTable(("water",), ((200, 30, 40),))

    strong = draw_legend(classes, width=100, present={0})
    faded = draw_legend(classes, width=100, present=())

    assert strong[:, 30:].min() < faded[:, 30:].min()


@pytest.mark.parametrize(("present", "rows"), [(None, 3), ({0, 1}, 3), ({0, 255}, 4)])
def test_ignored_pixels_are_listed_only_where_they_occur(present, rows):
    legend = draw_legend(table(3), width=100, present=present)
    one = draw_legend(table(1), width=100)

    assert legend.shape[0] == rows * one.shape[0]


def test_wrong_pixels_are_listed_where_they_are_shown():
    without = draw_legend(table(3), width=100, present={0, 1})
    legend = draw_legend(table(3), width=100, present={0, 1}, with_errors=True)

    assert len(places(without, WRONG)) == 0
    tops = [places(legend, colour)[:, 0].min() for colour in (table(3).colours[1], WRONG)]
    assert tops == sorted(tops)
    assert places(legend, WRONG)[:, 0].min() < places(legend, table(3).colours[2])[:, 0].min()


def test_the_background_is_paper():
    legend = draw_legend(table(2), width=400)

    assert (legend[:, -20:] == PAPER).all()
