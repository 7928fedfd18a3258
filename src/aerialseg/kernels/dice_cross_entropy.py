"""Soft Dice plus weighted cross-entropy: the plain formulation, and one with a custom gradient.

With ``z`` the logits at full size, ``p`` their softmax, ``t_c`` 1 where the label of a pixel is
``c`` and 0 elsewhere, ``y`` the label, ``w`` the class weights, ``s`` the smoothing and all sums
over the labelled pixels of the batch, both compute ``dice_weight * dice + ce_weight * ce``::

    dice_c = (2 * sum(p_c * t_c) + s) / (sum(p_c) + sum(t_c) + s)
    dice   = mean over the K counted classes of (1 - dice_c)
    ce     = sum(w_y * -log(p_y)) / sum(w_y)

The gradient of a counted class is, with ``S_c = sum(p_c) + sum(t_c) + s``::

    d dice / d p_c = a_c * t_c + b_c    where a_c = -2 / (K * S_c) and b_c = dice_c / (K * S_c)
    d dice / d z_c = p_c * (a_c * t_c + b_c - sum over k of p_k * (a_k * t_k + b_k))
    d ce   / d z_c = (p_c - t_c) * w_y / sum(w_y)

``a`` and ``b`` are the same for every pixel, so two passes over the pixels are enough: one for the
sums, one for the gradient. The fused function upsamples the logits in blocks of rows in each pass
and keeps only its input; autograd keeps several ``(N, C, H, W)`` tensors, and reading those from
memory takes longer than computing them again.

One difference is left: where several classes of a pixel share exactly the highest logit, the fused
function takes all of them as predicted there, the plain one only the first.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from aerialseg.kernels.class_ids import labels_of
from aerialseg.kernels.pixel_losses import focal_cross_entropy, soft_dice
from aerialseg.kernels.upsampling import RowBlocks, exact_products, upsample


class Terms(NamedTuple):
    """The settings of both formulations.

    Attributes:
        dice_weight: The share of Dice.
        ce_weight: The share of cross-entropy.
        smooth: Of Dice, in pixels.
        ignore_index: The id of pixels that are left out.
    """

    dice_weight: float
    ce_weight: float
    smooth: float
    ignore_index: int


def plain_dice_cross_entropy(
    logits: Tensor, target: Tensor, class_weights: Tensor, terms: Terms
) -> Tensor:
    """The formulas as they are written, over upsampled logits, differentiated by autograd.

    Args:
        logits: ``(N, C, h, w)`` float32 or float64.
        target: ``(N, H, W)`` integer class ids.
        class_weights: ``(C,)``, for the cross-entropy.
        terms: The settings.

    Returns:
        A scalar of the logits' type.

    Raises:
        DataError: If, on the CPU, ``target`` holds ids that are no class.
    """
    labels = labels_of(target, logits.shape[1], terms.ignore_index)
    full = upsample(logits, (target.shape[1], target.shape[2]))
    dice = soft_dice(full, labels, torch.ones_like(class_weights), terms.smooth)
    return terms.dice_weight * dice + terms.ce_weight * focal_cross_entropy(
        full, labels, class_weights
    )


def fused_dice_cross_entropy(
    logits: Tensor, target: Tensor, class_weights: Tensor, terms: Terms
) -> Tensor:
    """:func:`plain_dice_cross_entropy` with the custom gradient; arguments and result are alike."""
    loss: Tensor = _DiceCrossEntropy.apply(logits, target, class_weights, terms)
    return loss


class _DiceCrossEntropy(torch.autograd.Function):
    """``apply(logits, target, class_weights, terms)``, the arguments of the plain formulation."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own type
        logits: Tensor,
        target: Tensor,
        class_weights: Tensor,
        terms: Terms,
    ) -> Tensor:
        """The loss, a scalar of the logits' type."""
        sums = _sum_over_pixels(logits, target, class_weights, terms.ignore_index)
        counted = (sums.in_truth > 0) | sums.is_predicted
        # A class that is left out has no sum to divide by when smooth is 0.
        total = torch.where(counted, sums.in_prediction + sums.in_truth + terms.smooth, 1.0)
        share = terms.dice_weight * counted.double() / counted.sum().clamp(min=1)
        dice_by_class = (2 * sums.overlap + terms.smooth) / total
        ce_scale = terms.ce_weight / torch.where(sums.weight > 0, sums.weight, 1.0)
        ctx.save_for_backward(logits, target, class_weights)
        ctx.ignore_index = terms.ignore_index
        # a and b of the formula, and what each pixel's weight is multiplied with.
        ctx.factors = -2 * share / total, share * dice_by_class / total, ce_scale
        return ((share * (1 - dice_by_class)).sum() + ce_scale * sums.loss).to(logits.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """The gradient of the logits; nothing else has one."""
        logits, target, class_weights = ctx.saved_tensors
        a, b, ce_scale = ((factor * gradient).to(logits.dtype) for factor in ctx.factors)
        blocks = RowBlocks(logits, (target.shape[1], target.shape[2]))
        total = blocks.zeros()
        for image, rows, block in blocks:
            kept, index = _kept_and_index(target[image, rows], len(block), ctx.ignore_index)
            probability = _below_highest(block, kept).exp_()
            probability /= probability.sum(0).clamp_(min=1)
            dice_at_truth = probability.gather(0, index[None])[0] * a.take(index)
            ce_at_truth = class_weights.take(index) * kept * ce_scale
            with exact_products(probability):
                dice_mean = b @ probability + dice_at_truth
            # p * (ce + b - mean) for every class, then what the true class has besides.
            result = probability * (ce_at_truth - dice_mean)
            result.addcmul_(probability, b[:, None])
            result.scatter_add_(0, index[None], (dice_at_truth - ce_at_truth)[None])
            blocks.add_gradient(total, image, rows, result.view_as(block))
        return blocks.gradient(total), None, None, None


class _Sums(NamedTuple):
    """Over the labelled pixels; the first four by class, ``(C,)``."""

    overlap: Tensor
    in_prediction: Tensor
    in_truth: Tensor
    is_predicted: Tensor
    loss: Tensor
    weight: Tensor


def _sum_over_pixels(
    logits: Tensor, target: Tensor, class_weights: Tensor, ignore_index: int
) -> _Sums:
    """All sums of the formulas, in double precision: single loses small terms among millions."""
    zeros = logits.new_zeros(logits.shape[1], dtype=torch.float64)
    overlap, in_prediction, in_truth = zeros.clone(), zeros.clone(), zeros.clone()
    loss, weight, is_predicted = zeros.sum(), zeros.sum(), zeros.bool()
    for image, rows, block in RowBlocks(logits, (target.shape[1], target.shape[2])):
        kept, index = _kept_and_index(target[image, rows], len(block), ignore_index)
        scores = _below_highest(block, kept)
        is_predicted |= scores.amax(1) == 0
        true_score = scores.gather(0, index[None])[0]
        powers = scores.exp_()
        power_sum = powers.sum(0).clamp_(min=1)
        # Not the logarithm of the probability, which may have underflowed.
        log_true = true_score - power_sum.log()
        in_prediction += powers.div_(power_sum).sum(1)
        overlap.scatter_add_(0, index, log_true.exp().double())
        in_truth.scatter_add_(0, index, kept.double())
        pixel_weight = class_weights.take(index) * kept
        loss -= (pixel_weight * log_true.masked_fill_(~kept, 0)).sum(dtype=torch.float64)
        weight += pixel_weight.sum(dtype=torch.float64)
    return _Sums(overlap, in_prediction, in_truth, is_predicted, loss, weight)


def _kept_and_index(target: Tensor, num_classes: int, ignore_index: int) -> tuple[Tensor, Tensor]:
    """``(pixels,)``: whether a pixel is labelled, and its class or, if it is not, class 0."""
    labels = labels_of(target, num_classes, ignore_index).flatten()
    return labels >= 0, labels.clamp(min=0)


def _below_highest(block: Tensor, kept: Tensor) -> Tensor:
    """``(C, pixels)``: each logit minus the highest of its pixel.

    The exponential of none overflows, and that of the highest is 1. Ignored pixels become minus
    infinity, so that their probability of every class is 0.
    """
    scores = block.flatten(1)
    return scores - scores.amax(0).masked_fill_(~kept, torch.inf)
