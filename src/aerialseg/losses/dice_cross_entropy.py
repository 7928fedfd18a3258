"""Soft Dice plus weighted cross-entropy in one pass, with the gradient written out.

Autograd would keep a handful of ``(N, C, H, W)`` tensors for these two losses; here the softmax
is the only one, computed once for both. With ``p`` the softmax, ``t`` the truth as zeros and ones
and sums over the labelled pixels of the batch::

    dice_c        = (2 * sum(p_c * t_c) + smooth) / (sum(p_c) + sum(t_c) + smooth)
    dice          = mean over the counted classes of (1 - dice_c)
    cross_entropy = sum(w_y * -log p_y) / sum(w_y)            y being the true class of a pixel

    d dice / d p_c             = a_c * t_c + b_c,  the same a_c and b_c for every pixel
    d dice / d logit_c         = p_c * (a_c * t_c + b_c - sum over k of p_k * (a_k * t_k + b_k))
    d cross_entropy / d logit_c = (p_c - t_c) * w_y / sum(w_y)
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from aerialseg.classes import IGNORE_INDEX
from aerialseg.losses.loss import Loss, check_not_negative, weights_of


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

    def _formula(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss: Tensor = _DiceCrossEntropy.apply(
            logits,
            labels,
            None if self.class_weights is None else weights_of(self.class_weights, logits),
            self.dice_weight,
            self.cross_entropy_weight,
            self.smooth,
        )
        return loss


class _DiceCrossEntropy(torch.autograd.Function):
    """``dice_weight * dice + cross_entropy_weight * cross_entropy``, as the module says.

    Called with ``apply(logits, labels, class_weights, dice_weight, cross_entropy_weight,
    smooth)``: logits ``(N, C, H, W)`` float32 or float64, labels ``(N, H, W)`` int64 with a
    negative number for pixels left out, class weights ``(C,)`` for the cross-entropy or None.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own type
        logits: Tensor,
        labels: Tensor,
        class_weights: Tensor | None,
        dice_weight: float,
        cross_entropy_weight: float,
        smooth: float,
    ) -> Tensor:
        """The loss, a scalar of the logits' type."""
        kept, index = labels >= 0, labels.clamp(min=0)
        probability, highest = logits.softmax(1), logits.amax(1)
        # The highest probability cannot underflow, so neither can this; log p_y itself could.
        log_sum = highest - probability.amax(1).log()
        log_true = (_pick(logits, index) - log_sum).masked_fill_(~kept, -torch.inf)
        probability.masked_fill_(~kept[:, None], 0)
        true_probability = log_true.exp()

        overlap = _sum_by_class(true_probability, index, logits.shape[1])
        in_truth = _sum_by_class(kept, index, logits.shape[1])
        total = probability.sum((0, 2, 3)).double() + in_truth + smooth
        highest.masked_fill_(~kept, torch.inf)
        # An argmax would tell the same as this comparison and take several times as long.
        is_highest = (logits == highest[:, None]).flatten(2).any(2).any(0)
        counted = (in_truth > 0) | is_highest
        # A class that is left out has no sum to divide by when smooth is 0.
        total = torch.where(counted, total, 1.0)
        share = dice_weight * counted.double() / counted.sum().clamp(min=1)
        dice_by_class = (2 * overlap + smooth) / total
        dice = (share * (1 - dice_by_class)).sum()

        weights = _weigh(kept, index, class_weights, logits.dtype)
        weight_sum = weights.sum(dtype=torch.float64)
        scale = cross_entropy_weight / torch.where(weight_sum > 0, weight_sum, 1.0)
        missing = log_true.masked_fill_(~kept, 0).neg_()
        cross_entropy = scale * (weights * missing).sum(dtype=torch.float64)

        on_truth, on_all = -2 * share / total, share * dice_by_class / total
        ctx.save_for_backward(probability, true_probability, index, weights)
        ctx.factors = on_truth, on_all, scale
        return (dice + cross_entropy).to(logits.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """The gradient of the logits; nothing else has one."""
        probability, true_probability, index, weights = ctx.saved_tensors
        on_truth, on_all, scale = (
            (factor * gradient).to(probability.dtype) for factor in ctx.factors
        )
        # Pixels left out have neither probability nor weight here, and so no gradient.
        at_truth = true_probability * on_truth.take(index)
        pull = weights * scale
        mean = _weigh_classes(probability, on_all) + at_truth
        result = probability * (pull - mean)[:, None]
        result.addcmul_(probability, on_all.view(1, -1, 1, 1))
        result.scatter_add_(1, index[:, None], (at_truth - pull)[:, None])
        return result, None, None, None, None, None


def _pick(values: Tensor, index: Tensor) -> Tensor:
    """``(N, H, W)``: of each pixel, the value of one class."""
    return values.gather(1, index[:, None]).squeeze(1)


def _sum_by_class(values: Tensor, index: Tensor, num_classes: int) -> Tensor:
    """``(C,)`` float64: sums of ``(N, H, W)`` values.

    In double precision, because single would lose the small ones among millions.
    """
    sums = torch.zeros(num_classes, dtype=torch.float64, device=index.device)
    return sums.scatter_add_(0, index.flatten(), values.double().flatten())


def _weigh(kept: Tensor, index: Tensor, class_weights: Tensor | None, dtype: torch.dtype) -> Tensor:
    """``(N, H, W)``: what each pixel counts in the cross-entropy."""
    if class_weights is None:
        return kept.to(dtype)
    return class_weights.to(dtype).take(index) * kept


def _weigh_classes(probability: Tensor, factors: Tensor) -> Tensor:
    """``(N, H, W)``: of each pixel, the sum over classes of probability times factor."""
    rows = factors.view(1, 1, -1).expand(len(probability), 1, -1)
    with _full_precision(probability):
        return torch.bmm(rows, probability.flatten(2)).view_as(probability[:, 0])


def _full_precision(tensor: Tensor) -> AbstractContextManager[None]:
    """Keeps autocast from cutting a matrix product to half precision."""
    device = tensor.device.type
    if not torch.amp.is_autocast_available(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)
