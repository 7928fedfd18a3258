"""Losses over full-size logits as their formulas are written, differentiated by autograd."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

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
    sums = _sum_overlap(logits, labels)
    predicted = torch.where(labels != IGNORED, logits.detach().max(1).indices, IGNORED)
    counted = (sums.in_truth > 0) | (_count_labels(predicted, logits.shape[1]) > 0)
    # A class that is left out has no sum to divide by when smooth is 0.
    total = torch.where(counted, sums.in_prediction + sums.in_truth + smooth, 1.0)
    return weighted_mean(1 - (2 * sums.hits + smooth) / total, counted * class_weights)


def soft_jaccard(logits: Tensor, labels: Tensor, class_weights: Tensor, smooth: float) -> Tensor:
    """Soft Jaccard loss: the weighted mean over the classes that occur of ``1 - jaccard_c``.

    With ``p``, ``t_c`` and the sums of :func:`soft_dice`::

        both_c    = sum(p_c * t_c)
        jaccard_c = (both_c + smooth) / (sum(p_c) + sum(t_c) - both_c + smooth)

    Args:
        logits: ``(N, C, H, W)`` float.
        labels: ``(N, H, W)`` int64, :data:`IGNORED` where a pixel is left out.
        class_weights: ``(C,)``.
        smooth: In pixels.

    Returns:
        A scalar; 0 without a single labelled pixel.
    """
    sums = _sum_overlap(logits, labels)
    counted = sums.in_truth > 0
    # A class that does not occur may have no union to divide by when smooth is 0.
    union = sums.in_prediction + sums.in_truth - sums.hits + smooth
    score = (sums.hits + smooth) / torch.where(counted, union, 1.0)
    return weighted_mean(1 - score, counted * class_weights)


def cross_entropy(
    logits: Tensor, labels: Tensor, class_weights: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """The mean of ``-log(p)``, weighted by class, with torch's label smoothing.

    With ``p_c`` the softmax, ``y`` the label, ``w`` the class weights and ``e`` the smoothing::

        sum((1 - e) * w_y * -log(p_y) + e / C * sum over c of w_c * -log(p_c)) / sum(w_y)

    Args:
        logits: ``(N, C, H, W)`` float.
        labels: ``(N, H, W)`` int64, :data:`IGNORED` where a pixel is left out.
        class_weights: ``(C,)``.
        label_smoothing: 0 to 1.

    Returns:
        A scalar; 0 without a single labelled pixel.
    """
    log_p, weight = logits.log_softmax(1), weight_of_label(class_weights, labels)
    mean = weighted_mean(-log_p_of_label(log_p, labels), weight)
    if label_smoothing == 0:
        return mean
    weighted = (log_p * class_weights[:, None, None]).sum(1)
    # Pixels that all weigh nothing cost nothing, whatever the other classes weigh.
    every_class = torch.where(weight.sum() > 0, torch.where(labels != IGNORED, -weighted, 0.0), 0.0)
    total = torch.where(weight.sum() > 0, weight.sum(), 1.0)
    smoothed = every_class.sum() / (logits.shape[1] * total)
    return (1 - label_smoothing) * mean + label_smoothing * smoothed


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
    log_p = log_p_of_label(logits.log_softmax(1), labels)
    loss = -log_p
    if gamma > 0:
        # Above zero, because the slope of a power below 1 is infinite at zero.
        missing = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
        loss = loss * missing**gamma
    return weighted_mean(loss, weight_of_label(class_weights, labels))


def divergence_from_teacher(logits: Tensor, probability: Tensor, temperature: float) -> Tensor:
    """The mean over pixels of ``KL(teacher || student)``.

    With ``p`` the teacher's probabilities and ``q`` the softmax of ``logits / temperature``::

        sum over c of p_c * (log(p_c) - log(q_c))

    Args:
        logits: ``(N, C, h, w)`` float, of the student.
        probability: ``(N, C, h, w)``, which sums to 1 over the classes; has no gradient.
        temperature: More than 0.

    Returns:
        A scalar.
    """
    log_q = (logits / temperature).log_softmax(1)
    return functional.kl_div(log_q, probability, reduction="none").sum(1).mean()


def weight_of_label(class_weights: Tensor, labels: Tensor) -> Tensor:
    """``(N, H, W)``: the class weight of each pixel's label; 0 where ignored."""
    return (labels != IGNORED) * class_weights[labels.clamp(min=0)]


def log_p_of_label(log_p: Tensor, labels: Tensor) -> Tensor:
    """``(N, H, W)``: of ``(N, C, H, W)``, what belongs to each pixel's label; 0 where ignored."""
    # Gathered by hand: torch's own loss refuses to run under deterministic algorithms.
    found = log_p.gather(1, labels.clamp(min=0)[:, None]).squeeze(1)
    return torch.where(labels != IGNORED, found, 0.0)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """The mean; 0 if all weights are 0."""
    total = weights.sum()
    return (values * weights).sum() / torch.where(total > 0, total, 1.0)


class _Overlap(NamedTuple):
    """Sums over the labelled pixels by class, ``(C,)``: ``p * t``, ``p`` and ``t``."""

    hits: Tensor
    in_prediction: Tensor
    in_truth: Tensor


def _sum_overlap(logits: Tensor, labels: Tensor) -> _Overlap:
    ids = torch.arange(logits.shape[1], device=labels.device).view(1, -1, 1, 1)
    probability = torch.where((labels != IGNORED)[:, None], logits.softmax(1), 0.0)
    hits = torch.where(labels[:, None] == ids, probability, 0.0).sum((0, 2, 3))
    return _Overlap(hits, probability.sum((0, 2, 3)), _count_labels(labels, logits.shape[1]))


def _count_labels(labels: Tensor, num_classes: int) -> Tensor:
    """``(C,)`` int64 pixels of each class; ignored ones are counted before the first and cut."""
    return count_ids(labels - IGNORED, num_classes + 1)[1:]
