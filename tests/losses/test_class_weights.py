from typing import get_args

import numpy as np
import pytest

from aerialseg.errors import ConfigError
from aerialseg.losses.class_weights import ClassWeights, chosen_weights, class_weights

COUNTS = np.array([[60, 40, 0, 0], [80, 0, 20, 0]])  # class 3 never occurs


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("none", [1, 1, 1, 1]),
        ("inverse_frequency", [200 / (4 * 140), 200 / (4 * 40), 200 / (4 * 20), 1]),
        # shares where present: 140/200, 40/100, 20/100; their median is 0.4
        ("median_frequency", [0.4 / 0.7, 1, 2, 1]),
        ("enet", [1 / np.log(1.72), 1 / np.log(1.22), 1 / np.log(1.12), 1]),
        ("sqrt_enet", [np.log(1.72) ** -0.5, np.log(1.22) ** -0.5, np.log(1.12) ** -0.5, 1]),
    ],
)
def test_weights_follow_their_formula(formula, wanted):
    weights = class_weights(COUNTS, formula)
    assert weights.dtype == np.float32
    assert weights == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("formula", get_args(ClassWeights))
def test_weights_of_nothing_are_one(formula):
    assert class_weights(np.zeros((2, 3), np.int64), formula).tolist() == [1, 1, 1]


NAMES = ("ground", "roof", "car", "tree")


def problems(weights):
    with pytest.raises(ConfigError) as error:
        chosen_weights(COUNTS, weights, NAMES)
    return error.value.problems


def test_numbers_are_taken_in_the_order_of_the_ids_or_by_name():
    listed = chosen_weights(COUNTS, [1, 2.5, 3, 4], NAMES)
    named = chosen_weights(COUNTS, {"car": 3, "tree": 4, "ground": 1, "roof": 2.5}, NAMES)
    assert listed.dtype == named.dtype == np.float32
    assert listed.tolist() == named.tolist() == [1, 2.5, 3, 4]
    assert (chosen_weights(COUNTS, "enet", NAMES) == class_weights(COUNTS, "enet")).all()


def test_numbers_that_do_not_fit_the_classes_are_named():
    assert problems([1, 2, 3]) == (
        "loss.class_weights: has 3 numbers; wanted 4, one per class in the order of the ids: "
        "ground, roof, car, tree",
    )
    assert problems({"ground": 1, "rof": 2, "car": 3}) == (
        "loss.class_weights: there is no class 'rof'; did you mean 'roof'?",
        "loss.class_weights: has no weight for roof, tree; wanted one per class",
    )
    assert problems([1, 0, -1, float("inf")]) == (
        "loss.class_weights: roof has 0; wanted a finite number of more than 0",
        "loss.class_weights: car has -1; wanted a finite number of more than 0",
        "loss.class_weights: tree has inf; wanted a finite number of more than 0",
    )
