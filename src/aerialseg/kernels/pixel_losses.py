"""Losses over full-size logits as their formulas are written, differentiated by autograd."""

import torch
from torch import Tensor

from aerialseg.kernels.class_ids import IGNORED, count_ids


def soft_dice(logits: Tensor, labels: Tensor, class_weights: Tensor, smooth: float) -> Tensor:
    """Soft Dice loss: the weighted mean over classes of ``1 - dice_c``.

    With ``p`` the softmax of the logits::

        dice_c = (2 * sum(p_c * t_c) + smooth) / (sum(p_c) + sum(t_c) + smooth)

    Sums run over the labelled pixels of the batch; ``t_c`` is 1 where the label is ``c``, else 0.
    A class that no pixel has and that is most likely for none is left out of the mean.

    Args:
        logits: ``(N, C, H, W)`` float.
        labels: ``(N, H, W)`` int64, :data:`IGNORED` where a pixel is left out.
        class_weights: ``(C,)``.
        smooth: In pixels.

    Returns:
        A scalar; 0 without a single labelled pixel.
    """
    num_classes = logits.shape[1]
    ids = torch.arange(num_classes, device=labels.device).view(1, -1, 1, 1)
    kept = labels != IGNORED
    probability = torch.where(kept[:, None], logits.softmax(1), 0.0)
    overlap = torch.where(labels[:, None] == ids, probability, 0.0).sum((0, 2, 3))
    in_truth = _count_labels(labels, num_classes)
    total = probability.sum((0, 2, 3)) + in_truth

    predicted = torch.where(kept, logits.detach().max(1).indices, IGNORED)
    counted = (in_truth > 0) | (_count_labels(predicted, num_classes) > 0)
    # A class that is left out has no sum to divide by when smooth is 0.
    dice = (2 * overlap + smooth) / torch.where(counted, total + smooth, 1.0)
    return _weighted_mean(1 - dice, counted * class_weights)


def focal_cross_entropy(
    logits: Tensor, labels: Tensor, class_weights: Tensor, gamma: float = 0.0
) -> Tensor:
    """The mean of ``-(1 - p)**gamma * log(p)``, weighted by ``w_y``.

    With ``gamma`` 0 it is cross-entropy.

    Args:
        logits: ``(N, C, H, W)`` float; ``p`` is the softmax probability of a pixel's label.
        labels: ``(N, H, W)`` int64, :data:`IGNORED` where a pixel is left out.
        class_weights: ``(C,)``; ``w_y`` is that of a pixel's label.
        gamma: 0 or more.

    Returns:
        A scalar; 0 without a single labelled pixel.
    """
    kept = labels != IGNORED
    index = labels.clamp(min=0)
    # Gathered by hand: torch's own loss refuses to run under deterministic algorithms.
    log_p = torch.where(kept, logits.log_softmax(1).gather(1, index[:, None]).squeeze(1), 0.0)
    loss = -log_p
    if gamma > 0:
        # Above zero, because the slope of a power below 1 is infinite at zero.
        missing = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
        loss = loss * missing**gamma
    return _weighted_mean(loss, kept * class_weights[index])


def _weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """The mean; 0 if all weights are 0."""
    total = weights.sum()
    return (values * weights).sum() / torch.where(total > 0, total, 1.0)


def _count_labels(labels: Tensor, num_classes: int) -> Tensor:
    """``(C,)`` int64 pixels of each class; ignored ones are counted before the first and cut."""
    return count_ids(labels - IGNORED, num_classes + 1)[1:]
