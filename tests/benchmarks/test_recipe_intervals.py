import pytest

from benchmarks.recipes.intervals import Estimate, estimate, half_width, paired_difference


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # deviation, times the quantile of a printed table of Student's t, by the root of n
        ([1.0, 3.0], 12.706 * 2**0.5 / 2**0.5),
        ([1.0, 2.0, 3.0], 4.303 * 1.0 / 3**0.5),
        ([0.0, 0.0, 4.0, 4.0, 2.0], 2.776 * 2.0 / 5**0.5),
    ],
)
def test_the_interval_is_that_of_students_t(values, expected):
    assert half_width(values) == pytest.approx(expected, rel=2e-4)


def test_one_fold_has_no_interval():
    assert estimate({(0, 0): 0.5, (0, 1): 0.7}) == Estimate(pytest.approx(0.6), None, 1)
    assert estimate({}) is None


def test_seeds_of_a_fold_are_averaged_before_folds_are():
    # Folds have the means 2 and 4, however many seeds each of them has.
    scores = {(0, 0): 1.0, (0, 1): 2.0, (0, 2): 3.0, (5, 0): 4.0}
    found = estimate(scores)
    assert (found.mean, found.folds) == (3.0, 2)
    assert found.half_width == pytest.approx(12.706, rel=1e-4)


def test_a_difference_is_of_the_runs_that_both_have():
    scores = {(0, 0): 5.0, (0, 1): 100.0, (1, 0): 7.0, (2, 0): 100.0}
    others = {(0, 0): 4.0, (0, 9): 50.0, (1, 0): 4.0}
    found = paired_difference(scores, others)
    assert (found.mean, found.folds) == (2.0, 2)  # 1 and 3
    assert found.half_width == pytest.approx(12.706, rel=1e-4)
    assert paired_difference(scores, {(9, 9): 1.0}) is None


def test_what_all_folds_share_does_not_widen_a_paired_interval():
    scores = {(fold, 0): 0.1 * fold + 0.02 for fold in range(4)}
    found = paired_difference(scores, {(fold, 0): 0.1 * fold for fold in range(4)})
    assert found.mean == pytest.approx(0.02)
    assert found.half_width == pytest.approx(0, abs=1e-9)
