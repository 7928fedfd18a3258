"""Losses as they are usually written, with autograd."""

import torch
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


def jaccard_cross_entropy(
    logits: Tensor, target: Tensor, class_weights: Tensor, smooth: float = 1.0
) -> Tensor:
    """0.75 soft Jaccard over one-hot maps, of the classes that occur, plus 0.25 cross-entropy.

    Args:
        logits: ``(N, C, H, W)`` float.
        target: ``(N, H, W)`` int64.
        class_weights: ``(C,)``, for the cross-entropy.
        smooth: In pixels.
    """
    probability = logits.softmax(1)
    truth = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2).float()
    overlap = (probability * truth).sum((0, 2, 3))
    in_truth = truth.sum((0, 2, 3))
    union = probability.sum((0, 2, 3)) + in_truth - overlap
    jaccard = (1 - (overlap + smooth) / (union + smooth))[in_truth > 0].mean()
    return 0.75 * jaccard + 0.25 * F.cross_entropy(logits, target, weight=class_weights)


def lovasz_softmax(logits: Tensor, target: Tensor) -> Tensor:
    """Lovasz-Softmax by algorithm 1 of its paper, of the classes that occur.

    Args:
        logits: ``(N, C, H, W)`` float.
        target: ``(N, H, W)`` int64.
    """
    probability = logits.softmax(1).movedim(1, -1).reshape(-1, logits.shape[1])
    losses = []
    for index in range(logits.shape[1]):
        is_class = (target.flatten() == index).float()
        if not is_class.any():
            continue
        errors, order = (is_class - probability[:, index]).abs().sort(descending=True)
        truth = is_class[order]
        intersection = truth.sum() - truth.cumsum(0)
        union = truth.sum() + (1 - truth).cumsum(0)
        lost = 1 - intersection / union
        losses.append(errors @ torch.cat([lost[:1], lost.diff()]))
    return torch.stack(losses).mean()


def ohem_cross_entropy(
    logits: Tensor, target: Tensor, threshold: float = 0.7, min_kept: int = 100_000
) -> Tensor:
    """Cross-entropy of the hard pixels, found by sorting all.

    Args:
        logits: ``(N, C, H, W)`` float.
        target: ``(N, H, W)`` int64.
        threshold: Pixels whose true class is less probable count.
        min_kept: How many count at least.
    """
    losses = F.cross_entropy(logits, target, reduction="none").flatten()
    probability = logits.softmax(1).gather(1, target[:, None]).flatten()
    ascending, order = probability.sort()
    least = ascending[min(min_kept, len(ascending) - 1)]
    return losses[order][ascending < least.clamp(min=threshold)].mean()
