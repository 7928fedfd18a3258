import numpy as np
import pytest

from aerialseg.report.sheet_rows import varied_indices

FREQUENT = [[100, 0, 0], [90, 0, 0], [80, 20, 0], [10, 0, 3]]


@pytest.mark.parametrize(
    ("count", "wanted"),
    [(1, [2]), (2, [2, 3]), (3, [0, 2, 3]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 3])],
)
def test_classes_that_are_rare_or_not_shown_yet_come_first(count, wanted):
    # Only image 3 has the third class and only image 2 the second; with equal gains of those the
    # frequent first class decides: image 2 shows 80 of its 280 pixels, image 3 shows 10.
    assert varied_indices(np.array(FREQUENT), list("abcd"), count) == wanted


def test_a_group_gives_a_second_image_when_all_have_given_one():
    counts = np.array([[50, 50], [50, 50], [50, 0], [40, 0]])
    assert varied_indices(counts, ["a", "a", "b", "c"], 3) == [0, 2, 3]
    assert varied_indices(counts, ["a", "a", "b", "c"], 4) == [0, 1, 2, 3]


def test_no_class_and_no_image_are_no_trouble():
    assert varied_indices(np.zeros((3, 2), dtype=int), list("abc"), 2) == [0, 1]
    assert varied_indices(np.zeros((0, 2), dtype=int), [], 2) == []
