"""Lovász-Softmax."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.class_ids import IGNORED, reads_without_waiting
from aerialseg.losses.loss import Loss
from aerialseg.values.checked_calls import checked


class LovaszSoftmaxLoss(Loss):
    """Lovász-Softmax: the piecewise linear surrogate of one minus the mean IoU.

    From Berman et al., "The Lovász-Softmax Loss: A Tractable Surrogate for the Optimization of the
    Intersection-Over-Union Measure in Neural Networks", CVPR 2018, equation 11, over the classes
    that occur among the labelled pixels of the whole batch. The error of a pixel for class ``c`` is
    ``1 - p_c`` where its label is ``c``, else ``p_c``. Sorted, the largest first, each error is
    multiplied with what it adds to one minus the IoU of ``c`` if its pixel, too, becomes wrong
    (algorithm 1). A map of zeros and ones costs one minus its mean IoU. In YAML::

        _target_: aerialseg.losses.LovaszSoftmaxLoss

    Pixels are sorted once for each class, which takes several times as long as the other losses.

    Args:
        class_weights: One number per class, 0 or more: makes the mean over classes a weighted one.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight is negative or not a number.
        ValueError: If an argument is not of its kind.
    """

    @checked
    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        full, labels, weights = self._full_size(logits, target)
        probability = full.softmax(1).movedim(1, 0).flatten(1)
        loss: Tensor = _LovaszJaccard.apply(probability, labels.flatten(), weights)
        return loss


class _LovaszJaccard(torch.autograd.Function):
    """``apply(probability, labels, class_weights)``: ``(C, pixels)``, ``(pixels,)`` and ``(C,)``.

    The loss is linear in the probabilities as long as their order stays, so the gradient is known
    with the loss. It is all that is kept; autograd would keep several tensors for each class.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own type
        probability: Tensor,
        labels: Tensor,
        class_weights: Tensor,
    ) -> Tensor:
        """The weighted mean over the classes that occur, a scalar."""
        gradient = torch.zeros_like(probability, memory_format=torch.contiguous_format)
        kept = labels != IGNORED
        loss, share = class_weights.new_zeros(()), class_weights.new_zeros(())
        for index, weight in enumerate(class_weights):
            is_class = labels == index
            # Elsewhere than on the CPU the question would stall the device.
            if reads_without_waiting(labels) and not is_class.any():
                continue
            errors = torch.where(is_class, 1 - probability[index], probability[index])
            # Ignored pixels come last, where they change nothing of what is before them.
            order = errors.masked_fill(~kept, -1).argsort(descending=True)
            slopes = torch.empty_like(errors)
            slopes.scatter_(0, order, _slopes(is_class[order], errors.dtype))
            slopes *= kept * weight * is_class.any()
            loss += (errors * slopes).sum()
            share += weight * is_class.any()
            gradient[index] = torch.where(is_class, -slopes, slopes)
        share = torch.where(share > 0, share, 1.0)
        ctx.save_for_backward(gradient.div_(share))
        return loss / share

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """The gradient of the probabilities; nothing else has one."""
        (of_probability,) = ctx.saved_tensors
        return of_probability * gradient, None, None


def _slopes(is_class: Tensor, dtype: torch.dtype) -> Tensor:
    """What each pixel adds to one minus the IoU if it becomes wrong after those before it.

    Algorithm 1 subtracts neighbouring IoUs. For millions of pixels their difference is smaller than
    what single precision rounds off, so it is written out. With ``n`` pixels of the class, of which
    ``hits`` are still right, and ``union`` pixels that are of the class or wrong, a pixel of the
    class adds ``1 / union``, another one ``hits / (union * (union - 1))``.
    """
    missed = is_class.cumsum(0)
    hits = missed[-1:] - missed
    union = hits + torch.arange(1, len(is_class) + 1, device=is_class.device)
    rest = (union - 1).clamp_(min=1).to(dtype)
    return torch.where(is_class, 1, hits / rest) / union
