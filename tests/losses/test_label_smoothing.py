"""Label smoothing against torch's own, value and gradient."""

import pytest
import torch
from torch.nn import functional as F

from aerialseg.losses import CrossEntropyLoss, DiceCrossEntropyLoss
from helpers.loss_formulas import random_batch, random_weights


def value_and_gradient(function, logits):
    leaf = logits.detach().clone().requires_grad_()
    value = function(leaf)
    return value.detach(), *torch.autograd.grad(value, leaf)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("ignore_index", [255, 0])
def test_equals_torch(weighted, smoothing, ignore_index, custom_gradients):
    logits, target = random_batch(7)
    target[target == 255] = ignore_index
    weights = torch.from_numpy(random_weights(7)) if weighted else None
    options = {"class_weights": weights, "label_smoothing": smoothing, "ignore_index": ignore_index}
    alone = CrossEntropyLoss(**options)
    combined = DiceCrossEntropyLoss(dice_weight=0.0, custom_gradients=custom_gradients, **options)
    expected = value_and_gradient(
        lambda x: F.cross_entropy(
            x,
            target,
            None if weights is None else weights.double(),
            ignore_index=ignore_index,
            label_smoothing=smoothing,
        ),
        logits,
    )
    for loss in (alone, combined):
        got = value_and_gradient(lambda x, loss=loss: loss(x, target), logits)
        torch.testing.assert_close(got, expected)


def test_certainty_costs_more_than_confidence():
    target = torch.zeros(1, 1, 1, dtype=torch.int64)
    loss = CrossEntropyLoss(label_smoothing=0.1)
    confident, certain = (
        loss(torch.tensor([p, 1 - p]).log().view(1, 2, 1, 1), target) for p in (0.95, 0.9999)
    )
    assert confident < certain


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, float("nan"), "some"])
def test_refuses_what_is_no_share(smoothing):
    with pytest.raises(ValueError, match=r"\Alabel_smoothing: .*\Z"):
        CrossEntropyLoss(label_smoothing=smoothing)
