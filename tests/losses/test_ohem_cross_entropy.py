"""Which pixels are hard, by hand and against the usual formulation."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from aerialseg.losses import CrossEntropyLoss, OhemCrossEntropyLoss
from helpers.loss_formulas import numpy_ohem, random_batch, random_weights

P = [0.9, 0.2, 0.6, 0.8]
"""Of class 0 in each of four pixels."""


def loss_of(p, target=None, **arguments):
    p = torch.tensor(p, dtype=torch.float64)
    logits = torch.stack([p, 1 - p]).log().view(1, 2, 1, -1).requires_grad_()
    target = torch.zeros(1, 1, len(p), dtype=torch.int64) if target is None else target
    value = OhemCrossEntropyLoss(**arguments)(logits, target)
    value.backward()
    counted = (logits.grad[0, 0, 0] != 0).tolist()
    return value.item(), counted


@pytest.mark.parametrize(
    ("threshold", "min_kept", "counted"),
    [
        (0.7, 1, [False, True, True, False]),
        (0.7, 3, [False, True, True, True]),
        (0.7, 9, [True, True, True, True]),
        (0.6, 0, [False, True, False, False]),  # below, not at the threshold
        (0.0, 2, [False, True, True, False]),
        (1.0, 0, [True, True, True, True]),
        (0.1, 0, [False, False, False, False]),
    ],
)
def test_by_hand(threshold, min_kept, counted):
    value, found = loss_of(P, threshold=threshold, min_kept=min_kept)
    assert found == counted
    losses = [-np.log(p) for p, counts in zip(P, counted, strict=True) if counts]
    assert value == pytest.approx(np.mean(losses) if losses else 0.0)


def test_ignored_pixels_are_not_among_those_kept():
    value, counted = loss_of(P, torch.tensor([[[0, 255, 0, 0]]]), threshold=0.0, min_kept=1)
    assert counted == [False, False, True, False]
    assert value == pytest.approx(-np.log(0.6))


def test_equally_hard_pixels_count_together():
    assert loss_of([0.3, 0.9, 0.3], threshold=0.0, min_kept=1)[1] == [True, False, True]


def test_class_weights_weigh_the_mean_and_choose_no_pixels():
    target = torch.tensor([[[0, 0, 1, 1]]])  # the true classes' p: 0.9, 0.2, 0.4, 0.2
    value, counted = loss_of(P, target, threshold=0.5, min_kept=0, class_weights=[1.0, 5.0])
    assert counted == [False, True, True, True]
    expected = -(np.log(0.2) + 5 * np.log(0.4) + 5 * np.log(0.2)) / 11
    assert value == pytest.approx(expected)


def test_pixels_whose_class_underflows_are_told_apart():
    logits = torch.tensor([[0.0, 0.0, 0.0], [500.0, 900.0, 700.0]]).view(1, 2, 1, 3)
    loss = OhemCrossEntropyLoss(threshold=0.0, min_kept=1)
    assert loss(logits, torch.zeros(1, 1, 3, dtype=torch.int64)).item() == 900


@given(
    seed=st.integers(0, 2**32),
    threshold=st.sampled_from([0.0, 0.1, 0.7, 1.0]),
    min_kept=st.integers(0, 80),
    ignored=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_equals_plain_numpy_for_all_settings(seed, threshold, min_kept, ignored):
    logits, target = random_batch(seed, ignored=ignored)
    weights = random_weights(seed)
    loss = OhemCrossEntropyLoss(
        threshold=threshold, min_kept=min_kept, class_weights=weights.tolist()
    )
    expected = numpy_ohem(logits, target, weights, threshold, min_kept)
    assert loss(logits, target).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("min_kept", [5, 40])
def test_is_the_usual_formulation(min_kept):
    """HRNet's: sort, take the p at ``min_kept`` or the threshold, keep what is below."""
    logits, target = random_batch(3, shape=(2, 9, 9))
    kept = target != 255
    losses = F.cross_entropy(logits, target, ignore_index=255, reduction="none")[kept]
    p = logits.softmax(1).gather(1, target.where(kept, 0)[:, None])[:, 0][kept]
    limit = max(p.sort().values[min_kept].item(), 0.3)
    value = OhemCrossEntropyLoss(threshold=0.3, min_kept=min_kept)(logits, target)
    torch.testing.assert_close(value, losses[p < limit].mean())


def test_all_pixels_kept_is_cross_entropy():
    logits, target = random_batch(4)
    expected = CrossEntropyLoss()(logits, target)
    torch.testing.assert_close(OhemCrossEntropyLoss()(logits, target), expected)  # 100,000 kept


def test_refuses_wrong_arguments_by_one_line_each():
    lines = (
        r"\Athreshold: 1.5 is out of range, wanted 1 or less\n"
        r"min_kept: 0.1 is not a whole number\Z"
    )
    with pytest.raises(ValueError, match=lines):
        OhemCrossEntropyLoss(threshold=1.5, min_kept=0.1)
