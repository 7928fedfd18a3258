"""Dice plus cross-entropy with autograd."""

from torch import Tensor
from torch.nn import functional as F


def dice_cross_entropy(
    logits: Tensor, target: Tensor, class_weights: Tensor, smooth: float = 1.0
) -> Tensor:
    """Soft Dice over one-hot maps plus weighted cross-entropy.

    Args:
        logits: ``(N, C, H, W)`` float.
        target: ``(N, H, W)`` int64.
        class_weights: ``(C,)``, for the cross-entropy.
        smooth: In pixels.
    """
    probability = logits.softmax(1)
    truth = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2).float()
    overlap = (probability * truth).sum((0, 2, 3))
    total = probability.sum((0, 2, 3)) + truth.sum((0, 2, 3))
    dice = 1 - ((2 * overlap + smooth) / (total + smooth)).mean()
    return dice + F.cross_entropy(logits, target, weight=class_weights)
