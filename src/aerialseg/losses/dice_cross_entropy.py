"""Soft Dice plus weighted cross-entropy in one pass, with the gradient written out.

Autograd would keep a handful of ``(N, C, H, W)`` tensors for these two losses. Here there is none:
logits come at the network's own stride and are upsampled in blocks of rows, once to sum up and
once more for the gradient, which is cheaper than going to memory for what was kept. With ``p`` the
softmax, ``t`` the truth as zeros and ones and sums over the labelled pixels of the batch::

    dice_c        = (2 * sum(p_c * t_c) + smooth) / (sum(p_c) + sum(t_c) + smooth)
    dice          = mean over the counted classes of (1 - dice_c)
    cross_entropy = sum(w_y * -log p_y) / sum(w_y)            y being the true class of a pixel

    d dice / d p_c             = a_c * t_c + b_c,  the same a_c and b_c for every pixel
    d dice / d logit_c         = p_c * (a_c * t_c + b_c - sum over k of p_k * (a_k * t_k + b_k))
    d cross_entropy / d logit_c = (p_c - t_c) * w_y / sum(w_y)
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.upsampling import RowBlocks, exact_products
from aerialseg.losses.loss import Loss, check_not_negative, labels_of, weights_of


class DiceCrossEntropyLoss(Loss):
    """Soft Dice, robust to rare classes, plus weighted cross-entropy, with smooth gradients.

    ``dice_weight * DiceLoss + cross_entropy_weight * CrossEntropyLoss``. In YAML::

        _target_: aerialseg.losses.DiceCrossEntropyLoss
        dice_weight: 1.0
        cross_entropy_weight: 1.0
        smooth: 1.0

    Args:
        class_weights: One number per class, for the cross-entropy only: Dice gives every
            class the same say already.
        dice_weight: The share of Dice, 0 or more.
        cross_entropy_weight: The share of cross-entropy, 0 or more.
        smooth: As in :class:`DiceLoss`.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight or ``smooth`` is negative or not a number.
    """

    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        dice_weight: float = 1.0,
        cross_entropy_weight: float = 1.0,
        smooth: float = 1.0,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.dice_weight = dice_weight
        self.cross_entropy_weight = cross_entropy_weight
        self.smooth = smooth
        check_not_negative(self, "dice_weight", "cross_entropy_weight", "smooth")

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        loss: Tensor = _DiceCrossEntropy.apply(
            logits, target, weights_of(self.class_weights, logits), self
        )
        return loss


class _DiceCrossEntropy(torch.autograd.Function):
    """``dice_weight * dice + cross_entropy_weight * cross_entropy``, as the module says.

    Called with ``apply(logits, target, class_weights, module)``: logits ``(N, C, h, w)`` float32
    or float64, target ``(N, H, W)`` integer class ids, class weights ``(C,)``.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own type
        logits: Tensor,
        target: Tensor,
        class_weights: Tensor,
        module: DiceCrossEntropyLoss,
    ) -> Tensor:
        """The loss, a scalar of the logits' type."""
        num_classes, smooth = logits.shape[1], module.smooth
        # In double precision, because single would lose the small ones among millions.
        zeros = logits.new_zeros(num_classes, dtype=torch.float64)
        overlap, in_prediction, in_truth = zeros.clone(), zeros.clone(), zeros.clone()
        missing, weight, highest = zeros.sum(), zeros.sum(), zeros.bool()
        blocks = RowBlocks(logits, (target.shape[1], target.shape[2]))
        for picture, rows, block in blocks:
            labels = labels_of(target[picture, rows], num_classes, module.ignore_index).flatten()
            kept, index = labels >= 0, labels.clamp(min=0)
            scores = _below_highest(block, kept)
            highest |= scores.amax(1) == 0
            true_score = scores.gather(0, index[None])[0]
            powers = scores.exp_()
            power_sum = powers.sum(0).clamp_(min=1)
            # Not the logarithm of the probability, which may have underflowed.
            log_true = true_score - power_sum.log()
            in_prediction += powers.div_(power_sum).sum(1)
            overlap.scatter_add_(0, index, log_true.exp().double())
            in_truth.scatter_add_(0, index, kept.double())
            pixel_weight = class_weights.take(index) * kept
            missing -= (pixel_weight * log_true.masked_fill_(~kept, 0)).sum(dtype=torch.float64)
            weight += pixel_weight.sum(dtype=torch.float64)

        counted = (in_truth > 0) | highest
        # A class that is left out has no sum to divide by when smooth is 0.
        total = torch.where(counted, in_prediction + in_truth + smooth, 1.0)
        share = module.dice_weight * counted.double() / counted.sum().clamp(min=1)
        dice_by_class = (2 * overlap + smooth) / total
        scale = module.cross_entropy_weight / torch.where(weight > 0, weight, 1.0)
        ctx.save_for_backward(logits, target, class_weights)
        ctx.module = module
        ctx.factors = -2 * share / total, share * dice_by_class / total, scale
        return ((share * (1 - dice_by_class)).sum() + scale * missing).to(logits.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """The gradient of the logits; nothing else has one."""
        logits, target, class_weights = ctx.saved_tensors
        num_classes, module = logits.shape[1], ctx.module
        on_truth, on_all, scale = ((factor * gradient).to(logits.dtype) for factor in ctx.factors)
        blocks = RowBlocks(logits, (target.shape[1], target.shape[2]))
        total = blocks.zeros()
        for picture, rows, block in blocks:
            labels = labels_of(target[picture, rows], num_classes, module.ignore_index).flatten()
            kept, index = labels >= 0, labels.clamp(min=0)
            probability = _below_highest(block, kept).exp_()
            probability /= probability.sum(0).clamp_(min=1)
            at_truth = probability.gather(0, index[None])[0] * on_truth.take(index)
            pull = class_weights.take(index) * kept * scale
            with exact_products(probability):
                mean = on_all @ probability + at_truth
            result = probability * (pull - mean)
            result.addcmul_(probability, on_all[:, None])
            result.scatter_add_(0, index[None], (at_truth - pull)[None])
            blocks.add_gradient(total, picture, rows, result.view_as(block))
        return blocks.gradient(total), None, None, None


def _below_highest(block: Tensor, kept: Tensor) -> Tensor:
    """``(C, pixels)``: how far each logit is below the highest of its pixel.

    No power of it overflows and one is 1. Pixels left out are infinitely far below, so that they
    have no probability of anything.
    """
    scores = block.flatten(1)
    return scores - scores.amax(0).masked_fill_(~kept, torch.inf)
