"""Scores of two networks on the same images, by hand and against plain resampling."""

import numpy as np
import pytest
import torch

from aerialseg.metrics.bootstrap import Interval
from aerialseg.report.score_differences import PairedMatrices, ScoreDifference, why_no_intervals

GROUPS = [f"g{index // 2}" for index in range(16)]


def drawn(seed=0, absent=None):
    """Matrices of 16 images, two of a group, of three classes: of b a little better ones."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 40, (16, 3, 3))
    b = a + np.eye(3, dtype=np.int64) * rng.integers(0, 30, (16, 1, 1))
    if absent is not None:
        for each in (a, b):
            each[:, absent], each[:, :, absent] = 0, 0
    whole = torch.from_numpy(np.stack([a, b]))
    return PairedMatrices(GROUPS, whole, whole.clone())


def iou(matrix):
    hits = np.diag(matrix)
    return hits / (matrix.sum(0) + matrix.sum(1) - hits)


def test_scores_and_differences_are_those_of_the_formula():
    paired = PairedMatrices(
        ["g"],
        torch.tensor([[[[6, 2], [0, 2]]], [[[8, 0], [1, 1]]]]),
        torch.tensor([[[[1, 1], [0, 0]]], [[[2, 0], [0, 0]]]]),
    )
    dice, miou, accuracy, boundary = paired.scores()
    # a: Dice 12/14 and 4/6, IoU 6/8 and 2/4; b: Dice 16/17 and 2/3, IoU 8/9 and 1/2.
    assert dice.a == pytest.approx((12 / 14 + 4 / 6) / 2)
    assert dice.b == pytest.approx((16 / 17 + 2 / 3) / 2)
    assert dice.difference == pytest.approx(dice.b - dice.a)
    assert miou.a == pytest.approx((6 / 8 + 2 / 4) / 2)
    assert miou.b == pytest.approx((8 / 9 + 1 / 2) / 2)
    assert (accuracy.a, accuracy.b) == (0.8, 0.9)
    assert boundary.a == pytest.approx((2 / 3 + 0) / 2)
    assert boundary.b == pytest.approx(1.0)
    first, second = paired.of_classes(["ground", "roof"])
    assert (first.name, first.share, second.share) == ("ground", 0.8, 0.2)
    assert first.iou.difference == pytest.approx(8 / 9 - 6 / 8)
    assert second.dice.difference == pytest.approx(0)


def test_an_interval_of_a_class_is_that_of_plain_resampling_of_the_same_groups():
    paired = drawn()
    found = paired.of_classes(["x", "y", "z"])[1].iou.interval
    a, b = (each.reshape(8, 2, 3, 3).sum(1) for each in paired.whole.numpy())
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 8, (4000, 8))
    differences = [iou(b[row].sum(0))[1] - iou(a[row].sum(0))[1] for row in rows]
    # Student's t of 7 degrees of freedom, as Hesterberg widens percentiles: 0.57 % at each end.
    low, high = np.quantile(differences, [0.0057, 0.9943])
    width = high - low
    assert found.low == pytest.approx(low, abs=0.15 * width)
    assert found.high == pytest.approx(high, abs=0.15 * width)


def test_a_class_that_few_groups_have_has_no_interval():
    paired = drawn()
    paired.whole[:, 8:, 2], paired.whole[:, 8:, :, 2] = 0, 0  # four of eight groups
    found = paired.of_classes(["x", "y", "z"])
    assert [each.iou.interval is None for each in found] == [False, False, True]
    assert found[2].iou.verdict == "too few groups to tell"
    assert found[2].iou.difference is not None


def test_a_class_that_is_nowhere_is_absent():
    found = drawn(absent=2).of_classes(["x", "y", "z"])[2]
    assert (found.iou.a, found.iou.b, found.iou.difference) == (None, None, None)
    assert found.iou.verdict == "absent"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.2, "b is better"),
        (-0.2, -0.01, "a is better"),
        (-0.1, 0.1, "no sure difference"),
        (0.0, 0.1, "no sure difference"),
        (0.0, 0.0, "no difference"),
    ],
)
def test_only_an_interval_on_one_side_of_zero_decides(low, high, verdict):
    middle = (low + high) / 2
    assert ScoreDifference("x", 0.5, 0.5, middle, Interval(low, high)).verdict == verdict


def test_fewer_than_five_groups_have_no_intervals_and_the_reason_is_said():
    paired = drawn()
    few = PairedMatrices(["p", "q", "r", "s"] * 4, paired.whole, paired.near_borders)
    assert all(score.interval is None for score in few.scores())
    assert why_no_intervals(4) == (
        "no intervals: 4 groups of images tell nothing about chance, wanted 5 or more"
    )
    assert why_no_intervals(5) == ""
