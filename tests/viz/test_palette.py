import cv2
import numpy as np
import pytest

from aerialseg.viz.palette import distinct_colours


def nearest(colours):
    """The smallest distance of two colours, in CIELAB."""
    scaled = np.array([colours], dtype=np.float32) / 255
    lab = cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[0]
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    return distances[~np.eye(len(colours), dtype=bool)].min()


@pytest.mark.parametrize(("number", "least"), [(5, 60), (12, 40), (30, 25), (254, 5)])
def test_colours_differ_from_each_other_from_black_and_from_white(number, least):
    colours = distinct_colours(number, taken=[(0, 0, 0)])
    assert len(set(colours)) == number
    assert nearest([*colours, (0, 0, 0), (255, 255, 255)]) > least


def test_the_first_do_not_depend_on_the_number():
    assert distinct_colours(20)[:7] == distinct_colours(7)


def test_taken_colours_are_not_given_again():
    first = distinct_colours(6)
    assert nearest([*first, *distinct_colours(6, taken=first)]) > 20
    assert distinct_colours(0) == []
