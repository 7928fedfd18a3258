"""The sheet of a comparison, and the map of where one prediction alone is right."""

import numpy as np
import pytest

from aerialseg.classes import ClassTable
from aerialseg.viz.colours import one_right_map
from aerialseg.viz.comparison_sheet import ComparisonRow, comparison_sheet
from aerialseg.viz.theme import ONLY_A, ONLY_B

CLASSES = ClassTable(("x", "y"), ((10, 20, 30), (200, 100, 0)))


def test_a_pixel_is_marked_where_one_alone_is_right():
    #                 both  only a  only b  none  ignored
    truth = np.array([[0, 1, 1, 0, 255]], np.uint8)
    a = np.array([[0, 1, 0, 1, 1]], np.uint8)
    b = np.array([[0, 0, 1, 1, 0]], np.uint8)
    image = np.full((1, 5, 3), 90, np.uint8)
    marked = one_right_map(image, truth, a, b, CLASSES)
    grey = (165, 165, 165)  # 90 // 2 + 120
    assert [tuple(pixel) for pixel in marked[0, :4].tolist()] == [grey, ONLY_A, ONLY_B, grey]
    assert tuple(marked[0, 4].tolist()) not in (grey, ONLY_A, ONLY_B)


def test_a_sheet_has_five_columns_and_the_marks_of_its_rows():
    image = np.full((40, 80, 3), 90, np.uint8)
    truth = np.zeros((40, 80), np.uint8)
    wrong = np.ones((40, 80), np.uint8)
    row = ComparisonRow("r", image, truth, truth, wrong, [("Dice", "0.5")])
    sheet = comparison_sheet([row, row], CLASSES, tile_width=80)
    assert sheet.shape[1] == 5 * 80 + 4 * 6 + 2 * 16
    last = sheet[:, -16 - 80 : -16]
    assert (last == ONLY_A).all(-1).sum() >= 2 * 40 * 80
    assert not (last == ONLY_B).all(-1).any()
    with pytest.raises(ValueError, match="a sheet needs one row"):
        comparison_sheet([], CLASSES)
    short = ComparisonRow("s", image, truth[:20], truth, wrong)
    with pytest.raises(ValueError, match="wanted the same size"):
        one_right_map(short.image, short.truth, short.a, short.b, CLASSES)
