"""Lovász-Softmax beyond what every loss must pass; its definition is in helpers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score
from torch.nn import functional as F

from aerialseg.losses import LovaszSoftmaxLoss
from helpers.loss_formulas import random_batch


@given(seed=st.integers(0, 2**32), num_classes=st.integers(2, 9))
def test_certain_maps_cost_one_minus_the_iou_of_the_classes_that_occur(seed, num_classes):
    _, target = random_batch(seed, num_classes)
    predicted = random_batch(seed + 1, num_classes, ignored=0.0)[1]
    logits = F.one_hot(predicted, num_classes).movedim(-1, 1).double() * 200.0
    kept = target != 255
    score = jaccard_score(
        target[kept],
        predicted[kept],
        labels=target[kept].unique(),
        average="macro",
        zero_division=0,
    )
    assert LovaszSoftmaxLoss()(logits, target).item() == pytest.approx(1 - score)


def test_by_hand():
    # p of class 0; truth 0 0 1. Errors for class 0: 0.1 0.6 0.7, for class 1 the same.
    p = torch.tensor([0.9, 0.4, 0.7], dtype=torch.float64)
    logits = torch.stack([p, 1 - p]).log().view(1, 2, 1, 3)
    # Class 0, two pixels: with the third wrong 1/3 is lost, with the second too 2/3, then all.
    class_0 = 0.7 * 1 / 3 + 0.6 * 1 / 3 + 0.1 * 1 / 3
    # Class 1, one pixel: it is the first to be wrong, and then all is lost.
    class_1 = 0.7
    value = LovaszSoftmaxLoss()(logits, torch.tensor([[[0, 0, 1]]]))
    assert value.item() == pytest.approx((class_0 + class_1) / 2)
    weighted = LovaszSoftmaxLoss(class_weights=[3.0, 1.0])(logits, torch.tensor([[[0, 0, 1]]]))
    assert weighted.item() == pytest.approx((3 * class_0 + class_1) / 4)


def test_single_precision_is_enough_for_many_pixels():
    logits, target = random_batch(2, 3, (1, 500, 500), dtype=torch.float32)
    results = []
    for copy in (logits.requires_grad_(), logits.detach().double().requires_grad_()):
        value = LovaszSoftmaxLoss()(copy, target)
        (gradient,) = torch.autograd.grad(value, copy)
        results.append((value.double(), gradient.double()))
    (value, gradient), (expected, exact) = results
    torch.testing.assert_close(value, expected, rtol=1e-5, atol=0)
    # Not pixel by pixel: equal errors may be sorted either way.
    assert (gradient - exact).abs().sum() < 1e-3 * exact.abs().sum()


def test_ignored_pixels_do_not_stand_before_labelled_ones_without_error():
    # Both labelled pixels are certain and right, so all three errors are exactly 0.
    logits = torch.tensor([[900.0, -900.0, 900.0], [-900.0, 900.0, -900.0]]).view(1, 2, 1, 3)
    logits.requires_grad_()
    value = LovaszSoftmaxLoss()(logits, torch.tensor([[[255, 1, 0]]]))
    value.backward()
    assert value.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_classes_that_do_not_occur_cost_nothing_on_accelerators_either(monkeypatch):
    """There absent classes are not skipped, because asking for them would stall the device."""
    logits, target = random_batch(3)
    target[target == 2] = 255
    logits.requires_grad_()
    results = []
    for answer in (True, False):
        monkeypatch.setattr(
            "aerialseg.losses.lovasz_softmax.reads_without_waiting", lambda ids, to=answer: to
        )
        value = LovaszSoftmaxLoss(class_weights=[1.0, 2.0, 3.0, 4.0])(logits, target)
        results.append((value.detach(), *torch.autograd.grad(value, logits)))
    torch.testing.assert_close(*results)
