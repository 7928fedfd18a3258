"""Soft Jaccard, alone and with cross-entropy: by hand, and against scores of certain maps."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_jaccard_index

from aerialseg.losses import CrossEntropyLoss, JaccardCrossEntropyLoss, JaccardLoss
from helpers.loss_formulas import random_batch


def certain(ids, num_classes):
    """Logits whose softmax is 1 for the given class."""
    return F.one_hot(ids, num_classes).movedim(-1, 1).double() * 200.0


def test_by_hand():
    # Four pixels, certain answers: truth 0 0 1 1, predicted 0 1 1 1; class 2 is nowhere.
    logits, target = certain(torch.tensor([[[0, 1], [1, 1]]]), 3), torch.tensor([[[0, 0], [1, 1]]])
    value = JaccardLoss(smooth=0.0)(logits, target)
    assert value.item() == pytest.approx(1 - (1 / 2 + 2 / 3) / 2)
    smoothed = JaccardLoss(smooth=1.0)(logits, target)
    assert smoothed.item() == pytest.approx(1 - (2 / 3 + 3 / 4) / 2)
    weighted = JaccardLoss(smooth=0.0, class_weights=[3.0, 1.0, 5.0])(logits, target)
    assert weighted.item() == pytest.approx(1 - (3 * 1 / 2 + 2 / 3) / 4)


@given(seed=st.integers(0, 2**32), num_classes=st.integers(2, 9))
def test_certain_maps_cost_one_minus_the_iou_of_the_classes_that_occur(seed, num_classes):
    _, target = random_batch(seed, num_classes)
    predicted = random_batch(seed + 1, num_classes, ignored=0.0)[1]
    value = JaccardLoss(smooth=0.0)(certain(predicted, num_classes), target).item()

    kept = target != 255
    present = target[kept].unique()
    by_class = multiclass_jaccard_index(
        predicted, target, num_classes, average="none", ignore_index=255
    )
    assert value == pytest.approx(1 - by_class[present].mean().item(), abs=1e-6)
    by_sklearn = jaccard_score(
        target[kept], predicted[kept], labels=present, average="macro", zero_division=0
    )
    assert value == pytest.approx(1 - by_sklearn)


def test_a_class_that_is_only_predicted_is_left_out():
    logits, target = certain(torch.tensor([[[0, 2]]]), 3), torch.tensor([[[0, 0]]])
    assert JaccardLoss(smooth=0.0)(logits, target).item() == pytest.approx(1 - 1 / 2)


def test_more_absent_classes_change_nothing():
    logits, target = random_batch(5, 3)
    more = torch.cat([logits, torch.full_like(logits, -1e9)], dim=1)
    assert JaccardLoss()(more, target).item() == pytest.approx(JaccardLoss()(logits, target).item())


def test_sum_of_jaccard_and_cross_entropy(custom_gradients):
    logits, target = random_batch(9)
    weights = [1.0, 2.0, 3.0, 4.0]
    both = JaccardCrossEntropyLoss(
        class_weights=weights,
        jaccard_weight=0.3,
        cross_entropy_weight=2.0,
        smooth=5.0,
        label_smoothing=0.2,
        custom_gradients=custom_gradients,
    )
    expected = 0.3 * JaccardLoss(smooth=5.0)(logits, target)
    smoothed = CrossEntropyLoss(class_weights=weights, label_smoothing=0.2)
    expected = expected + 2.0 * smoothed(logits, target)
    torch.testing.assert_close(both(logits, target), expected)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"jaccard_weight": -1.0}, "jaccard_weight: -1.0 is out of range, wanted 0 or more"),
        ({"smooth": float("nan")}, "smooth: nan is not a finite number"),
        ({"label_smoothing": 1.1}, "label_smoothing: 1.1 is out of range, wanted 1 or less"),
        ({"custom_gradients": "no"}, "custom_gradients: 'no' is not True or False"),
    ],
)
def test_refuses_wrong_arguments_by_one_line(arguments, line):
    with pytest.raises(ValueError, match=rf"^{re.escape(line)}$"):
        JaccardCrossEntropyLoss(**arguments)
