import numpy as np
import pytest

from aerialseg.data.statistics import class_weights

COUNTS = np.array([[60, 40, 0, 0], [80, 0, 20, 0]])  # class 3 never occurs


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("none", [1, 1, 1, 1]),
        ("inverse_frequency", [200 / (4 * 140), 200 / (4 * 40), 200 / (4 * 20), 1]),
        # shares where present: 140/200, 40/100, 20/100; their median is 0.4
        ("median_frequency", [0.4 / 0.7, 1, 2, 1]),
        ("enet", [1 / np.log(1.72), 1 / np.log(1.22), 1 / np.log(1.12), 1]),
    ],
)
def test_weights_follow_their_formula(formula, wanted):
    weights = class_weights(COUNTS, formula)
    assert weights.dtype == np.float32
    assert weights == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("formula", ["none", "inverse_frequency", "median_frequency", "enet"])
def test_weights_of_nothing_are_one(formula):
    assert class_weights(np.zeros((2, 3), np.int64), formula).tolist() == [1, 1, 1]
