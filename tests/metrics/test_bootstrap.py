"""Intervals over groups of images, against plain resampling and against what is known."""

import numpy as np
import pytest
import torch

from aerialseg.metrics.bootstrap import (
    FEWEST,
    Interval,
    intervals,
    paired_difference,
    sum_by_group,
)
from aerialseg.metrics.scores import (
    dice_per_class,
    iou_per_class,
    macro_dice,
    mean_iou,
    micro_dice,
    pixel_accuracy,
)

CLASSES = 4


def drawn_groups(rng, groups, accuracies):
    """Confusion matrices of groups whose pixels are right with the given probabilities."""
    shares = rng.dirichlet(np.full(CLASSES, 0.7), groups)
    found = []
    for accuracy in accuracies:
        matrices = np.zeros((groups, CLASSES, CLASSES))
        for group in range(groups):
            wrong = (1 - accuracy[group]) / (CLASSES - 1)
            rates = np.full((CLASSES, CLASSES), wrong)
            np.fill_diagonal(rates, accuracy[group])
            matrices[group] = shares[group, :, None] * 1e5 * rates
        found.append(torch.from_numpy(matrices.round().astype(np.int64)))
    return found


@pytest.mark.parametrize(
    "score", [pixel_accuracy, mean_iou, macro_dice, micro_dice, iou_per_class, dice_per_class]
)
def test_scores_of_many_matrices_are_those_of_each(score):
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randint(0, 50, (5, CLASSES, CLASSES), generator=generator)
    matrices[1, 2], matrices[1, :, 2] = 0, 0  # a class that is absent
    expected = torch.stack([score(matrix) for matrix in matrices])
    torch.testing.assert_close(score(matrices), expected, equal_nan=True)


def test_images_of_a_group_are_added():
    matrices = torch.arange(12).view(3, 2, 2)
    found = sum_by_group(matrices, ["b", "a", "b"])
    assert found.tolist() == [[[8, 10], [12, 14]], [[4, 5], [6, 7]]]


def test_an_interval_is_that_of_plain_resampling():
    rng = np.random.default_rng(0)
    (groups,) = drawn_groups(rng, 30, [rng.uniform(0.4, 0.9, 30)])
    (found,) = intervals(groups, mean_iou)
    array = groups.numpy()
    draws = []
    for _ in range(10_000):
        matrix = array[rng.integers(0, 30, 30)].sum(0)
        hits = np.diag(matrix)
        draws.append((hits / (matrix.sum(0) + matrix.sum(1) - hits)).mean())
    # Wider than percentiles by the factor of Student's t: 2.045 * sqrt(30 / 29) / 1.960.
    low, high = np.quantile(draws, [0.0188, 0.9812])
    assert found.low == pytest.approx(low, abs=0.004)
    assert found.high == pytest.approx(high, abs=0.004)
    assert intervals(groups, mean_iou) == [found]
    assert intervals(groups, mean_iou, seed=1) != [found]


def test_each_class_has_an_interval_unless_it_is_in_few_groups():
    rng = np.random.default_rng(1)
    (groups,) = drawn_groups(rng, 8, [rng.uniform(0.4, 0.9, 8)])
    groups[3:, 2], groups[3:, :, 2] = 0, 0
    found = intervals(groups, iou_per_class)
    assert [interval is None for interval in found] == [False, False, True, False]
    values = iou_per_class(groups.sum(0))
    assert all(float(v) in i for v, i in zip(values, found, strict=True) if i)


def test_few_groups_have_no_interval():
    rng = np.random.default_rng(2)
    before, after = drawn_groups(rng, FEWEST - 1, [np.full(4, 0.5), np.full(4, 0.9)])
    assert intervals(before, macro_dice) == [None]
    difference, interval = paired_difference(before, after, macro_dice)
    assert difference == pytest.approx(float(macro_dice(after.sum(0)) - macro_dice(before.sum(0))))
    assert interval is None


def test_groups_of_two_evaluations_must_be_the_same():
    groups = torch.ones(6, 2, 2, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"shapes \(6, 2, 2\) and \(5, 2, 2\)"):
        paired_difference(groups, groups[:5], macro_dice)


def test_a_network_against_itself_differs_by_nothing():
    rng = np.random.default_rng(3)
    (groups,) = drawn_groups(rng, 6, [rng.uniform(0.4, 0.9, 6)])
    assert paired_difference(groups, groups, macro_dice) == (0.0, Interval(0.0, 0.0))


@pytest.mark.parametrize("groups", [FEWEST, 12])
def test_what_does_nothing_seldom_seems_a_gain_and_a_real_gain_is_found(groups):
    """Places differ much, two trainings of one network on one place little."""
    rng = np.random.default_rng(4)
    gains, found, repeats = 0, 0, 200
    for repeat in range(repeats):
        places = rng.uniform(0.4, 0.8, groups)
        again = [places + rng.normal(0, 0.08, groups) for _ in range(2)]
        before, after = drawn_groups(rng, groups, np.clip(again, 0.05, 0.95))
        _, interval = paired_difference(before, after, macro_dice, seed=repeat)
        gains += interval.low > 0
        better = drawn_groups(rng, groups, np.clip([places, places + 0.15], 0.05, 0.95))
        _, interval = paired_difference(*better, macro_dice, seed=repeat)
        found += interval.low > 0
    assert gains / repeats <= 0.05
    assert found / repeats >= 0.95
