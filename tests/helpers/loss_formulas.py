"""What every loss should give, in numpy and float64, pixel by pixel or class by class."""

import numpy as np
import torch

from aerialseg.losses import (
    CrossEntropyLoss,
    DiceCrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    JaccardCrossEntropyLoss,
    JaccardLoss,
    LovaszSoftmaxLoss,
)
from helpers.all_losses import OHEM, PLAIN, PLAIN_JACCARD, SMOOTHED


def random_batch(seed, num_classes=4, shape=(2, 5, 6), ignored=0.2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    batch, height, width = shape
    logits = torch.randn(batch, num_classes, height, width, generator=generator, dtype=dtype) * 2
    target = torch.randint(0, num_classes, shape, generator=generator)
    target[torch.rand(shape, generator=generator) < ignored] = 255
    return logits, target


def random_weights(seed, num_classes=4):
    return np.random.default_rng(seed).uniform(0.1, 3, num_classes).astype(np.float32)


def labelled(logits, target, ignore_index=255):
    """``(pixels, classes)`` probabilities and ``(pixels,)`` ids, without torch's functions."""
    logits = np.moveaxis(np.asarray(logits, np.float64), 1, -1)
    ids = np.asarray(target)
    scores, ids = logits[ids != ignore_index], ids[ids != ignore_index]
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True), ids


def _float64(weights, num_classes):
    return np.ones(num_classes) if weights is None else weights.astype(np.float64)


def numpy_focal(logits, target, weights=None, gamma=0.0):
    probability, ids = labelled(logits, target)
    if ids.size == 0:
        return 0.0
    weights = _float64(weights, probability.shape[1])
    total, share = 0.0, 0.0
    for p, i in zip(probability, ids, strict=True):
        total += weights[i] * (1 - p[i]) ** gamma * -np.log(p[i])
        share += weights[i]
    return total / share


def numpy_smoothed(logits, target, weights=None, smoothing=0.1):
    """Cross-entropy against a truth of which a part is spread over all classes."""
    probability, ids = labelled(logits, target)
    if ids.size == 0:
        return 0.0
    num_classes = probability.shape[1]
    weights = _float64(weights, num_classes)
    total, share = 0.0, 0.0
    for p, i in zip(probability, ids, strict=True):
        truth = np.full(num_classes, smoothing / num_classes)
        truth[i] += 1 - smoothing
        total += sum(weights[c] * truth[c] * -np.log(p[c]) for c in range(num_classes))
        share += weights[i]
    return total / share


def numpy_ohem(logits, target, weights=None, threshold=0.7, min_kept=10):
    probability, ids = labelled(logits, target)
    weights = _float64(weights, probability.shape[1])
    pixels = sorted((p[i], weights[i]) for p, i in zip(probability, ids, strict=True))
    hard = [pixel for n, pixel in enumerate(pixels) if n < min_kept or pixel[0] < threshold]
    if not hard:
        return 0.0
    return sum(w * -np.log(p) for p, w in hard) / sum(w for _, w in hard)


def _mean_over_classes(logits, target, weights, loss_of_class, is_counted):
    probability, ids = labelled(logits, target)
    total, share = 0.0, 0.0
    for c in range(probability.shape[1]):
        p, t = probability[:, c], (ids == c).astype(np.float64)
        if is_counted(probability.argmax(1) == c, t):
            weight = 1.0 if weights is None else float(weights[c])
            total += weight * loss_of_class(p, t)
            share += weight
    return total / share if share else 0.0


def numpy_dice(logits, target, weights=None, smooth=1.0):
    return _mean_over_classes(
        logits,
        target,
        weights,
        lambda p, t: 1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth),
        lambda predicted, t: t.any() or predicted.any(),
    )


def numpy_jaccard(logits, target, weights=None, smooth=1.0):
    return _mean_over_classes(
        logits,
        target,
        weights,
        lambda p, t: 1 - ((p * t).sum() + smooth) / ((p + t - p * t).sum() + smooth),
        lambda predicted, t: t.any(),
    )


def _lovasz_of_class(p, t):
    """The Lovász extension by its definition: what each further wrong pixel adds to 1 - IoU."""
    truth = {int(i) for i in np.flatnonzero(t)}
    errors = np.abs(t - p)
    total, before, wrong = 0.0, 0.0, set()
    for pixel in np.argsort(-errors):
        wrong.add(int(pixel))
        loss = 1 - len(truth - wrong) / len(truth | wrong)
        total += errors[pixel] * (loss - before)
        before = loss
    return total


def numpy_lovasz(logits, target, weights=None):
    return _mean_over_classes(
        logits, target, weights, _lovasz_of_class, lambda predicted, t: t.any()
    )


def numpy_dice_and_cross_entropy(logits, target, weights=None):
    return numpy_dice(logits, target) + numpy_focal(logits, target, weights)


def numpy_jaccard_and_cross_entropy(logits, target, weights=None):
    return 0.75 * numpy_jaccard(logits, target) + 0.25 * numpy_focal(logits, target, weights)


NUMPY = {
    DiceCrossEntropyLoss: numpy_dice_and_cross_entropy,
    PLAIN: numpy_dice_and_cross_entropy,
    JaccardCrossEntropyLoss: numpy_jaccard_and_cross_entropy,
    PLAIN_JACCARD: numpy_jaccard_and_cross_entropy,
    CrossEntropyLoss: numpy_focal,
    SMOOTHED: numpy_smoothed,
    DiceLoss: numpy_dice,
    FocalLoss: lambda *arguments: numpy_focal(*arguments, gamma=2.0),
    JaccardLoss: numpy_jaccard,
    LovaszSoftmaxLoss: numpy_lovasz,
    OHEM: numpy_ohem,
}
