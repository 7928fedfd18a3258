"""Soft Dice or Jaccard plus weighted cross-entropy: plainly, and with a custom gradient.

With ``z`` the logits at full size, ``p`` their softmax, ``t_c`` 1 where the label of a pixel is
``c`` and 0 elsewhere, ``y`` the label, ``w`` the class weights, ``W`` their sum, ``s`` the
smoothing, ``e`` the label smoothing over ``C`` classes and all sums over the labelled pixels of the
batch, both compute ``overlap_weight * overlap + ce_weight * ce``::

    dice_c    = (2 * sum(p_c * t_c) + s) / (sum(p_c) + sum(t_c) + s)
    jaccard_c = (sum(p_c * t_c) + s) / (sum(p_c) + sum(t_c) - sum(p_c * t_c) + s)
    overlap   = mean over the K counted classes of (1 - dice_c), or of (1 - jaccard_c)
    ce        = sum((1 - e) * w_y * -log(p_y) + e / C * sum over c of w_c * -log(p_c)) / sum(w_y)

The gradient of a counted class is, with ``D_c`` what its score is divided by::

    d overlap / d p_c = a_c * t_c + b_c
        Dice:    a_c = -2 / (K * D_c)                b_c = dice_c / (K * D_c)
        Jaccard: a_c = -(1 + jaccard_c) / (K * D_c)  b_c = jaccard_c / (K * D_c)
    d overlap / d z_c = p_c * (a_c * t_c + b_c - sum over k of p_k * (a_k * t_k + b_k))
    d ce      / d z_c = (p_c * v - (1 - e) * t_c * w_y - e / C * w_c) / sum(w_y)
        where v = (1 - e) * w_y + e / C * W

``a`` and ``b`` are the same for every pixel, so two passes over the pixels are enough: one for the
sums, one for the gradient. The fused function upsamples the logits in blocks of rows in each pass
and keeps only its input; autograd keeps several ``(N, C, H, W)`` tensors, and reading those from
memory takes longer than computing them again.

One difference is left: where several classes of a pixel share exactly the highest logit, the fused
function takes all of them as predicted there, the plain one only the first. Only Dice asks.
"""

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from aerialseg.kernels.class_ids import labels_of
from aerialseg.kernels.pixel_losses import cross_entropy, soft_dice, soft_jaccard
from aerialseg.kernels.upsampling import RowBlocks, exact_products, upsample


class Terms(NamedTuple):
    """The settings of both formulations.

    Attributes:
        overlap: What measures the overlap of probabilities and truth.
        overlap_weight: Its share.
        ce_weight: The share of cross-entropy.
        smooth: Of the overlap, in pixels.
        label_smoothing: Of the cross-entropy, 0 to 1.
        ignore_index: The id of pixels that are left out.
    """

    overlap: Literal["dice", "jaccard"]
    overlap_weight: float
    ce_weight: float
    smooth: float
    label_smoothing: float
    ignore_index: int


def plain_overlap_cross_entropy(
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
    formula = soft_dice if terms.overlap == "dice" else soft_jaccard
    overlap = formula(full, labels, torch.ones_like(class_weights), terms.smooth)
    ce = cross_entropy(full, labels, class_weights, terms.label_smoothing)
    return terms.overlap_weight * overlap + terms.ce_weight * ce


def fused_overlap_cross_entropy(
    logits: Tensor, target: Tensor, class_weights: Tensor, terms: Terms
) -> Tensor:
    """The plain formulation with the custom gradient; arguments and result are alike."""
    loss: Tensor = _OverlapCrossEntropy.apply(logits, target, class_weights, terms)
    return loss


class _OverlapCrossEntropy(torch.autograd.Function):
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
        sums = _sum_over_pixels(logits, target, class_weights, terms)
        overlap, a, b = _overlap_and_factors(sums, terms)
        # Pixels that all weigh nothing cost nothing, whatever the other classes weigh.
        weighs = sums.weight > 0
        ce_scale = terms.ce_weight * weighs / torch.where(weighs, sums.weight, 1.0)
        ctx.save_for_backward(logits, target, class_weights)
        ctx.terms = terms
        # a and b of the formula, and what each pixel's weight is multiplied with.
        ctx.factors = a, b, ce_scale
        return (overlap + ce_scale * sums.loss).to(logits.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """The gradient of the logits; nothing else has one."""
        logits, target, class_weights = ctx.saved_tensors
        a, b, ce_scale = ((factor * gradient).to(logits.dtype) for factor in ctx.factors)
        # What a pixel's weights for its own class and, by label smoothing, for every class become.
        at_truth = class_weights * ((1 - ctx.terms.label_smoothing) * ce_scale)
        everywhere = class_weights * (ctx.terms.label_smoothing / len(a) * ce_scale)
        blocks = RowBlocks(logits, (target.shape[1], target.shape[2]))
        total = blocks.zeros()
        for image, rows, block in blocks:
            kept, index = _kept_and_index(target[image, rows], len(block), ctx.terms.ignore_index)
            probability = _below_highest(block, kept).exp_()
            probability /= probability.sum(0).clamp_(min=1)
            overlap_at_truth = probability.gather(0, index[None])[0] * a.take(index)
            ce_at_truth = at_truth.take(index) * kept
            with exact_products(probability):
                overlap_mean = b @ probability + overlap_at_truth
            # p * (v + b - mean) for every class, then what the true class has besides.
            result = probability * (ce_at_truth + everywhere.sum() - overlap_mean)
            result.addcmul_(probability, b[:, None])
            result.scatter_add_(0, index[None], (overlap_at_truth - ce_at_truth)[None])
            if ctx.terms.label_smoothing > 0:
                result -= everywhere[:, None] * kept
            blocks.add_gradient(total, image, rows, result.view_as(block))
        return blocks.gradient(total), None, None, None


class _Sums(NamedTuple):
    """Over the labelled pixels; the first four by class, ``(C,)``."""

    hits: Tensor
    in_prediction: Tensor
    in_truth: Tensor
    is_predicted: Tensor
    loss: Tensor
    weight: Tensor


def _overlap_and_factors(sums: _Sums, terms: Terms) -> tuple[Tensor, Tensor, Tensor]:
    """The overlap's part of the loss, and ``a`` and ``b`` of its gradient, ``(C,)``."""
    both = sums.in_prediction + sums.in_truth + terms.smooth
    if terms.overlap == "dice":
        counted = (sums.in_truth > 0) | sums.is_predicted
        above, below = 2 * sums.hits + terms.smooth, both
    else:
        counted = sums.in_truth > 0
        above, below = sums.hits + terms.smooth, both - sums.hits
    # A class that is left out has nothing to divide by when smooth is 0.
    below = torch.where(counted, below, 1.0)
    score = above / below
    share = terms.overlap_weight * counted.double() / counted.sum().clamp(min=1)
    at_truth = torch.full_like(score, 2) if terms.overlap == "dice" else 1 + score
    return (share * (1 - score)).sum(), -share * at_truth / below, share * score / below


def _sum_over_pixels(logits: Tensor, target: Tensor, class_weights: Tensor, terms: Terms) -> _Sums:
    """All sums of the formulas, in double precision: single loses small terms among millions."""
    zeros = logits.new_zeros(logits.shape[1], dtype=torch.float64)
    hits, in_prediction, in_truth = zeros.clone(), zeros.clone(), zeros.clone()
    loss, weight, is_predicted = zeros.sum(), zeros.sum(), zeros.bool()
    at_truth = class_weights * (1 - terms.label_smoothing)
    everywhere = class_weights * (terms.label_smoothing / len(zeros))
    for image, rows, block in RowBlocks(logits, (target.shape[1], target.shape[2])):
        kept, index = _kept_and_index(target[image, rows], len(block), terms.ignore_index)
        scores = _below_highest(block, kept)
        if terms.overlap == "dice":
            is_predicted |= scores.amax(1) == 0
        true_score = scores.gather(0, index[None])[0]
        if terms.label_smoothing > 0:
            with exact_products(scores):
                smoothed_score = everywhere @ scores
        powers = scores.exp_()
        power_sum = powers.sum(0).clamp_(min=1)
        log_sum = power_sum.log()
        # Not the logarithm of the probability, which may have underflowed.
        log_true = true_score - log_sum
        in_prediction += powers.div_(power_sum).sum(1)
        hits.scatter_add_(0, index, log_true.exp().double())
        in_truth.scatter_add_(0, index, kept.double())
        log_true.masked_fill_(~kept, 0)
        loss -= (at_truth.take(index) * log_true).sum(dtype=torch.float64)
        if terms.label_smoothing > 0:
            log_all = (smoothed_score - everywhere.sum() * log_sum).masked_fill_(~kept, 0)
            loss -= log_all.sum(dtype=torch.float64)
        weight += (class_weights.take(index) * kept).sum(dtype=torch.float64)
    return _Sums(hits, in_prediction, in_truth, is_predicted, loss, weight)


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
