"""Losses: by hand, against plain numpy, torch's own, and numerical gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from aerialseg.kernels import upsampling
from aerialseg.losses import CrossEntropyLoss, DiceCrossEntropyLoss, DiceLoss, FocalLoss
from helpers.all_losses import ALL, SMOOTHED, every_loss
from helpers.loss_formulas import NUMPY, random_batch, random_weights


@every_loss
@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    num_classes=st.integers(1, 14),
    ignored=st.sampled_from([0.0, 0.3, 0.95]),
    weighted=st.booleans(),
)
def test_equals_plain_numpy(loss, seed, num_classes, ignored, weighted):
    logits, target = random_batch(seed, num_classes, ignored=ignored)
    weights = random_weights(seed, num_classes) if weighted else None
    value = loss(class_weights=weights if weights is None else weights.tolist())(logits, target)
    assert value.shape == ()
    assert value.item() == pytest.approx(NUMPY[loss](logits, target, weights), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "module",
    [make(class_weights=w) for make in ALL.values() for w in (None, [0.5, 1.0, 2.0, 0.0])]
    + [FocalLoss(gamma=gamma) for gamma in (0.0, 0.5, 1.0, 3.0)],
)
def test_gradient_equals_finite_differences(module):
    logits, target = random_batch(1, shape=(2, 3, 3))
    assert torch.autograd.gradcheck(lambda x: module(x, target), logits.requires_grad_())


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_batch_of_ignored_pixels_costs_nothing(loss, dtype):
    logits = random_batch(3, dtype=torch.float32)[0].to(dtype).requires_grad_()
    value = loss(class_weights=[1, 2, 3, 4])(logits, torch.full((2, 5, 6), 255))
    value.backward()
    assert value.item() == 0.0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@every_loss
def test_ignored_pixels_have_no_say(loss):
    logits, target = random_batch(4)
    other = torch.where((target == 255)[:, None], logits.flip(1) * 9, logits).requires_grad_()
    value = loss()(other, target)
    value.backward()
    assert value.item() == pytest.approx(loss()(logits, target).item(), rel=1e-12)
    assert (other.grad.movedim(1, -1)[target == 255] == 0).all()
    assert (other.grad.movedim(1, -1)[target != 255] != 0).any()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_gradient_is_finite_where_the_answer_is_certain(gamma):
    logits = torch.tensor([300.0, -300.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2).clone()
    logits.requires_grad_()
    FocalLoss(gamma=gamma)(logits, torch.tensor([[[0, 1], [255, 0]]])).backward()
    assert logits.grad.isfinite().all()


def test_dice_by_hand():
    # Four pixels, certain answers: truth 0 0 1 1, predicted 0 1 1 1; class 2 is nowhere.
    logits = F.one_hot(torch.tensor([[[0, 1], [1, 1]]]), 3).movedim(-1, 1) * 200.0
    target = torch.tensor([[[0, 0], [1, 1]]])
    class_0, class_1 = 2 * 1 / (1 + 2), 2 * 2 / (3 + 2)
    value = DiceLoss(smooth=0.0)(logits, target)
    assert value.item() == pytest.approx(1 - (class_0 + class_1) / 2)
    smoothed = DiceLoss(smooth=1.0)(logits, target)
    assert smoothed.item() == pytest.approx(1 - (3 / 4 + 5 / 6) / 2)
    weighted = DiceLoss(smooth=0.0, class_weights=[3.0, 1.0, 5.0])(logits, target)
    assert weighted.item() == pytest.approx(1 - (3 * class_0 + class_1) / 4)


def test_a_class_that_is_only_predicted_counts():
    logits = F.one_hot(torch.tensor([[[0, 2]]]), 3).movedim(-1, 1) * 200.0
    value = DiceLoss(smooth=0.0)(logits, torch.tensor([[[0, 0]]]))
    assert value.item() == pytest.approx(1 - (2 / 3 + 0) / 2)  # class 1 is left out
    hidden = DiceLoss(smooth=0.0)(logits, torch.tensor([[[0, 255]]]))
    assert hidden.item() == pytest.approx(0.0)  # predicted where ignored, it is left out too


def test_more_absent_classes_do_not_change_dice():
    logits, target = random_batch(5, 3)
    more = torch.cat([logits, torch.full_like(logits, -1e9)], dim=1)
    assert DiceLoss()(more, target).item() == pytest.approx(DiceLoss()(logits, target).item())


def test_a_right_and_certain_map_costs_nothing():
    target = random_batch(6)[1]
    logits = F.one_hot(target.where(target != 255, 0), 4).movedim(-1, 1) * 200.0
    for loss in set(ALL.values()) - {SMOOTHED}:  # whose truth is never certain
        assert loss()(logits, target).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore_index", [255, 0, -100])
def test_cross_entropy_equals_torch(weighted, ignore_index):
    logits, target = random_batch(7)
    target[target == 255] = ignore_index
    weights = torch.from_numpy(random_weights(7)) if weighted else None
    expected = F.cross_entropy(
        logits, target, None if weights is None else weights.double(), ignore_index=ignore_index
    )
    value = CrossEntropyLoss(class_weights=weights, ignore_index=ignore_index)(logits, target)
    torch.testing.assert_close(value, expected)


def test_focal_by_hand():
    logits = torch.tensor([[0.9, 0.4], [0.1, 0.6]]).log().reshape(1, 2, 1, 2)
    expected = (0.1**2 * -np.log(0.9) + 0.6**2 * -np.log(0.4)) / 2
    value = FocalLoss(gamma=2.0)(logits, torch.zeros(1, 1, 2, dtype=torch.int64))
    assert value.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weights", [None, [0.5, 1.0, 2.0, 0.0]])
def test_focal_with_gamma_zero_is_cross_entropy(weights):
    logits, target = random_batch(8)
    focal = FocalLoss(gamma=0.0, class_weights=weights)(logits, target)
    torch.testing.assert_close(focal, CrossEntropyLoss(class_weights=weights)(logits, target))


def test_sum_of_dice_and_cross_entropy(custom_gradients):
    logits, target = random_batch(9)
    weights = [1.0, 2.0, 3.0, 4.0]
    both = DiceCrossEntropyLoss(
        class_weights=weights,
        dice_weight=0.3,
        cross_entropy_weight=2.0,
        smooth=5.0,
        custom_gradients=custom_gradients,
    )
    expected = 0.3 * DiceLoss(smooth=5.0)(logits, target)
    expected = expected + 2.0 * CrossEntropyLoss(class_weights=weights)(logits, target)
    torch.testing.assert_close(both(logits, target), expected)


@every_loss
def test_a_single_class(loss):
    logits = torch.randn(2, 1, 3, 3, requires_grad=True)
    value = loss()(logits, torch.zeros(2, 3, 3, dtype=torch.uint8))
    value.backward()
    assert value.item() == pytest.approx(0.0, abs=1e-6)
    assert (logits.grad == 0).all()


@every_loss
def test_learns(loss):
    target = random_batch(13)[1]
    logits = torch.zeros(2, 4, 5, 6, requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.3)
    for _ in range(30):
        optimiser.zero_grad()
        loss()(logits, target).backward()
        optimiser.step()
    kept = target != 255
    assert (logits.argmax(1)[kept] == target[kept]).all()


def test_cross_entropy_of_hopeless_pixels_is_large_and_not_infinite(custom_gradients):
    """The true class's probability underflows to 0; its logarithm must not."""
    logits = torch.zeros(1, 3, 2, 2)
    logits[:, 0] = 500.0
    logits.requires_grad_()
    module = DiceCrossEntropyLoss(dice_weight=0.0, custom_gradients=custom_gradients)
    loss = module(logits, torch.full((1, 2, 2), 2))
    loss.backward()
    assert loss.item() == pytest.approx(500.0)
    assert logits.grad.isfinite().all()


@every_loss
@pytest.mark.parametrize("size", [(5, 6), (5, 13), (80, 96)])
def test_coarse_logits_cost_what_they_cost_upsampled(loss, size):
    logits = random_batch(20)[0].requires_grad_()
    target = random_batch(21, shape=(2, *size))[1]
    module = loss(class_weights=random_weights(20).tolist())
    value = module(logits, target)
    (gradient,) = torch.autograd.grad(value, logits)
    full = F.interpolate(logits, size, mode="bilinear", align_corners=False)
    assert value.item() == pytest.approx(
        NUMPY[loss](full.detach(), target, random_weights(20)), rel=1e-9
    )
    torch.testing.assert_close(gradient, torch.autograd.grad(module(full, target), logits)[0])


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_the_size_of_the_blocks_does_not_matter(rows, monkeypatch):
    logits, target = random_batch(22)[0].requires_grad_(), random_batch(23, shape=(2, 40, 24))[1]
    values = []
    for numbers in (rows * 4 * 24, 2**20):
        monkeypatch.setattr(upsampling, "_CACHE_NUMBERS", numbers)
        value = DiceCrossEntropyLoss()(logits, target)
        values += [(value.detach(), *torch.autograd.grad(value, logits))]
    torch.testing.assert_close(*values)


def test_nothing_of_the_size_of_the_upsampled_logits_is_kept():
    logits = torch.randn(2, 12, 5, 6, requires_grad=True)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: kept.append(tensor.numel()) or tensor, lambda tensor: tensor
    ):
        DiceCrossEntropyLoss()(logits, torch.zeros(2, 80, 96, dtype=torch.uint8)).backward()
    assert kept
    assert max(kept) == 2 * 80 * 96  # the target
