import numpy as np
import pytest

from aerialseg.data.checks.outliers import THRESHOLD, robust_scores


def test_scores_are_those_of_a_hand_computed_case():
    # The median is 5, the deviations 4 3 2 1 0 1 2 3 95, of which the median is 2.
    numbers = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 100])
    scores = robust_scores(numbers, least_deviation=0.1)
    assert scores == pytest.approx(0.6745 * (numbers - 5) / 2)


def test_one_of_ten_does_not_hide_itself():
    numbers = np.r_[np.random.default_rng(0).normal(100, 5, 90), np.full(10, 180.0)]
    scores = robust_scores(numbers, least_deviation=1)
    assert (scores[90:] > THRESHOLD).all()
    assert (np.abs(scores[:90]) < THRESHOLD).mean() > 0.98


def test_equal_numbers_have_no_outlier_and_a_tiny_difference_is_none():
    numbers = np.r_[np.full(20, 50.0), 50.5]
    assert np.abs(robust_scores(numbers, least_deviation=4)).max() < 0.1


def test_a_few_numbers_say_nothing():
    assert robust_scores(np.array([1.0, 1, 1, 900]), least_deviation=1).tolist() == [0] * 4
    assert robust_scores(np.empty(0), least_deviation=1).size == 0
