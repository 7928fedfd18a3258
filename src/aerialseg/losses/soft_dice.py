"""Soft Dice."""

from collections.abc import Sequence

import torch
from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.losses.loss import LEFT_OUT, Loss, check_not_negative, weighted_mean, weights_of


class DiceLoss(Loss):
    """Soft Dice loss: one minus the overlap of probabilities and truth, class by class.

    From Milletari et al., "V-Net", 3DV 2016, section 3, with plain instead of squared sums
    below the line, so that a map of zeros and ones scores as the Dice metric does::

        dice_c = (2 * sum(p_c * t_c) + smooth) / (sum(p_c) + sum(t_c) + smooth)
        loss   = mean over classes of (1 - dice_c)

    Sums run over the labelled pixels of the whole batch. A class that no labelled pixel has
    and for none is the most probable is left out of the mean: it says nothing. In YAML::

        _target_: aerialseg.losses.DiceLoss
        smooth: 1.0

    Args:
        class_weights: One number per class, 0 or more: makes the mean a weighted one.
        smooth: In pixels, 0 or more. Above 0 it softens the score of small objects, and lets
            a class that is only in the prediction learn to leave.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight or ``smooth`` is negative or not a number.
    """

    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        smooth: float = 1.0,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.smooth = smooth
        check_not_negative(self, "smooth")

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        return _dice(*self._full_size(logits, target), self.class_weights, self.smooth)


def _dice(logits: Tensor, labels: Tensor, class_weights: Tensor | None, smooth: float) -> Tensor:
    num_classes = logits.shape[1]
    ids = torch.arange(num_classes, device=labels.device).view(1, -1, 1, 1)
    kept = labels != LEFT_OUT
    probability = torch.where(kept[:, None], logits.softmax(1), 0.0)
    overlap = torch.where(labels[:, None] == ids, probability, 0.0).sum((0, 2, 3))
    in_truth = _count(labels, num_classes)
    total = probability.sum((0, 2, 3)) + in_truth

    predicted = torch.where(kept, logits.detach().max(1).indices, LEFT_OUT)
    counted = (in_truth > 0) | (_count(predicted, num_classes) > 0)
    weights = counted * weights_of(class_weights, logits)
    # A class that is left out has no sum to divide by when smooth is 0.
    dice = (2 * overlap + smooth) / torch.where(counted, total + smooth, 1.0)
    return weighted_mean(1 - dice, weights)


def _count(labels: Tensor, num_classes: int) -> Tensor:
    """``(C,)`` int64 pixels of each class; never waits for a device, unlike bincount."""
    counts = torch.zeros(num_classes + 1, dtype=torch.int64, device=labels.device)
    ones = counts.new_ones(()).expand(labels.numel())
    return counts.scatter_add_(0, labels.flatten() - LEFT_OUT, ones)[1:]
