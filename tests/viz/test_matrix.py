import numpy as np
import pytest

from aerialseg.viz.matrix import draw_confusion_matrix
from aerialseg.viz.scale import shade
from aerialseg.viz.theme import PANEL


def names(count):
    return [f"class {i}" for i in range(count)]


def area(image, colour):
    return int((image == colour).all(axis=-1).sum())


def places(image, colour):
    return np.argwhere((image == colour).all(axis=-1))


def test_a_cell_is_as_dark_as_its_share_of_the_row():
    matrix = np.array([[75, 25], [0, 400]])

    image = draw_confusion_matrix(matrix, names(2), normalise=True)

    sizes = [area(image, shade(share)) for share in (0.75, 0.25, 0.0, 1.0)]
    assert min(sizes) > 0.7 * max(sizes) > 1000


def test_rows_are_truth_and_columns_prediction():
    matrix = np.array([[75, 25], [0, 400]])

    image = draw_confusion_matrix(matrix, names(2), normalise=True)

    first, right, below = (places(image, shade(s)).min(axis=0) for s in (0.75, 0.25, 0.0))
    assert right[0] == first[0]
    assert right[1] > first[1]
    assert below[1] == first[1]
    assert below[0] > first[0]


def test_the_row_of_a_class_the_truth_lacks_is_grey_and_no_other_is():
    matrix = np.diag([9, 0, 5])

    image = draw_confusion_matrix(matrix, names(3), normalise=True)

    grey = places(image, PANEL)
    one_cell = np.ptp(places(image, shade(0.0))[:, 0]) / 3
    assert np.ptp(grey[:, 0]) < one_cell * 1.2
    assert np.ptp(grey[:, 1]) > one_cell * 2.5
    assert area(draw_confusion_matrix(np.eye(3, dtype=int), names(3), normalise=True), PANEL) == 0


def test_counts_and_shares_differ_only_in_what_is_written():
    matrix = np.array([[75, 25], [0, 400]])

    counts = draw_confusion_matrix(matrix, names(2), normalise=False)
    shares = draw_confusion_matrix(matrix, names(2), normalise=True)

    assert counts.shape == shares.shape
    assert 0 < (counts != shares).any(axis=-1).mean() < 0.1


def test_twelve_classes_take_about_a_thousand_pixels():
    matrix = np.random.default_rng(0).integers(0, 10**8, (12, 12))
    twelve = ["background", "construction", "vegetation", *names(9)]

    image = draw_confusion_matrix(matrix, twelve, normalise=False)

    assert 800 <= image.shape[1] <= 1050
    assert 800 <= image.shape[0] <= 1050


@pytest.mark.parametrize("count", [1, 2, 7, 13, 21, 40])
@pytest.mark.parametrize("normalise", [True, False])
def test_any_number_of_classes_is_drawn_inside_the_image(count, normalise):
    matrix = np.random.default_rng(count).integers(0, 10**11, (count, count))
    matrix.setflags(write=False)
    long_names = ["a class whose name goes on and on and on " + str(i) for i in range(count)]

    image = draw_confusion_matrix(matrix, long_names, normalise=normalise)

    assert image.dtype == np.uint8
    edge = image[0, 0]
    for side in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (side == edge).all()


def test_a_matrix_that_does_not_fit_its_names_is_refused():
    with pytest.raises(ValueError, match=r"the matrix is \(2, 3\) and there are 2 class names"):
        draw_confusion_matrix(np.zeros((2, 3), int), names(2), normalise=True)
    with pytest.raises(ValueError, match="3 class names"):
        draw_confusion_matrix(np.zeros((2, 2), int), names(3), normalise=True)
