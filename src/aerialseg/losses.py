"""Losses between logits and class ids.

All take ``(N, C, H, W)`` float logits and ``(N, H, W)`` integer class ids of any type, give one
scalar, compute in at least float32 even under autocast, and leave ignored pixels out. A batch
without a single labelled pixel costs exactly 0, with a gradient of zeros.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from aerialseg.classes import IGNORE_INDEX
from aerialseg.errors import ConfigError, DataError

_LEFT_OUT = -1


class _Loss(nn.Module):
    """What the losses share: class weights, what is ignored, and the types they reckon in."""

    class_weights: Tensor | None

    def __init__(self, class_weights: Sequence[float] | Tensor | None, ignore_index: int) -> None:
        super().__init__()
        self.ignore_index = ignore_index
        if class_weights is not None:
            class_weights = torch.as_tensor(class_weights, dtype=torch.float32).detach().clone()
            _check_class_weights(class_weights)
        # Not persistent: a checkpoint holds the network, and weights come from the data.
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss of one batch.

        Args:
            logits: ``(N, C, H, W)`` float.
            target: ``(N, H, W)`` integer class ids.

        Returns:
            A scalar, float32 (float64 for float64 logits).

        Raises:
            DataError: If, on the CPU, ``target`` holds ids that are no class. Elsewhere,
                where looking would stall the device, their pixels are left out.
            ValueError: If the shapes do not fit.
        """
        return self._formula(*_prepare(logits, target, self.ignore_index))

    def _formula(self, logits: Tensor, labels: Tensor) -> Tensor:
        raise NotImplementedError


class DiceCrossEntropyLoss(_Loss):
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
        _check_not_negative(self, "dice_weight", "cross_entropy_weight", "smooth")

    def _formula(self, logits: Tensor, labels: Tensor) -> Tensor:
        dice = _dice(logits, labels, None, self.smooth)
        cross_entropy = _focal(logits, labels, self.class_weights, 0.0)
        return self.dice_weight * dice + self.cross_entropy_weight * cross_entropy


class CrossEntropyLoss(_Loss):
    """Cross-entropy with the semantics of :class:`torch.nn.CrossEntropyLoss`.

    The mean over labelled pixels of ``-log p``, ``p`` being the softmax probability of the
    true class; with class weights, the mean weighted by the weight of the true class. Unlike
    torch's, any integer type will do, and all ignored is 0, not NaN. In YAML::

        _target_: aerialseg.losses.CrossEntropyLoss

    Args:
        class_weights: One number per class, 0 or more.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight is negative or not a number.
    """

    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)

    def _formula(self, logits: Tensor, labels: Tensor) -> Tensor:
        return _focal(logits, labels, self.class_weights, 0.0)


class DiceLoss(_Loss):
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
        _check_not_negative(self, "smooth")

    def _formula(self, logits: Tensor, labels: Tensor) -> Tensor:
        return _dice(logits, labels, self.class_weights, self.smooth)


class FocalLoss(_Loss):
    """Focal loss: cross-entropy that turns away from pixels it already has right.

    From Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, equation 5, over the
    softmax probability ``p`` of the true class: the mean of ``-(1 - p)**gamma * log p``, with
    class weights (the paper's alpha) weighted as in :class:`CrossEntropyLoss`, which it
    equals at ``gamma`` 0. In YAML::

        _target_: aerialseg.losses.FocalLoss
        gamma: 2.0

    Args:
        class_weights: One number per class, 0 or more.
        gamma: How far to turn away, 0 or more; the paper found 2 best.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight or ``gamma`` is negative or not a number.
    """

    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        gamma: float = 2.0,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.gamma = gamma
        _check_not_negative(self, "gamma")

    def _formula(self, logits: Tensor, labels: Tensor) -> Tensor:
        return _focal(logits, labels, self.class_weights, self.gamma)


def _dice(logits: Tensor, labels: Tensor, class_weights: Tensor | None, smooth: float) -> Tensor:
    num_classes = logits.shape[1]
    ids = torch.arange(num_classes, device=labels.device).view(1, -1, 1, 1)
    kept = labels != _LEFT_OUT
    probability = torch.where(kept[:, None], logits.softmax(1), 0.0)
    overlap = torch.where(labels[:, None] == ids, probability, 0.0).sum((0, 2, 3))
    in_truth = _count(labels, num_classes)
    total = probability.sum((0, 2, 3)) + in_truth

    predicted = torch.where(kept, logits.detach().max(1).indices, _LEFT_OUT)
    counted = (in_truth > 0) | (_count(predicted, num_classes) > 0)
    weights = counted * _weights_of(class_weights, logits)
    # A class that is left out has no sum to divide by when smooth is 0.
    dice = (2 * overlap + smooth) / torch.where(counted, total + smooth, 1.0)
    return _weighted_mean(1 - dice, weights)


def _focal(logits: Tensor, labels: Tensor, class_weights: Tensor | None, gamma: float) -> Tensor:
    kept = labels != _LEFT_OUT
    index = labels.clamp(min=0)
    # Picked out by hand: torch's own loss refuses to run under deterministic algorithms.
    log_p = torch.where(kept, logits.log_softmax(1).gather(1, index[:, None]).squeeze(1), 0.0)
    loss = -log_p
    if gamma > 0:
        # Above zero, because the slope of a power below 1 is infinite at zero.
        missing = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
        loss = loss * missing**gamma
    return _weighted_mean(loss, kept * _weights_of(class_weights, logits)[index])


def _weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """The mean, and 0 if all weights are."""
    total = weights.sum()
    return (values * weights).sum() / torch.where(total > 0, total, 1.0)


def _count(labels: Tensor, num_classes: int) -> Tensor:
    """``(C,)`` int64 pixels of each class; never waits for a device, unlike bincount."""
    counts = torch.zeros(num_classes + 1, dtype=torch.int64, device=labels.device)
    ones = counts.new_ones(()).expand(labels.numel())
    return counts.scatter_add_(0, labels.flatten() - _LEFT_OUT, ones)[1:]


def _prepare(logits: Tensor, target: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Logits in at least float32, and int64 labels with -1 for what is left out."""
    shape = tuple(logits.shape)
    if logits.ndim != 4 or target.shape != (shape[0], *shape[2:]):
        raise ValueError(
            f"logits and target have shapes {shape} and {tuple(target.shape)}; "
            "wanted (N, C, H, W) and (N, H, W)"
        )
    labels = target.long()
    ignored = labels == ignore_index
    outside = (labels < 0) | (labels >= shape[1])
    if _can_look(labels):
        _check_ids(labels, outside & ~ignored, shape[1])
    if logits.dtype != torch.float64:
        logits = logits.float()
    return logits, labels.masked_fill(ignored | outside, _LEFT_OUT)


def _can_look(tensor: Tensor) -> bool:
    # Elsewhere, asking for a value waits until the device has done all it was told before.
    return tensor.device.type == "cpu"


def _check_ids(labels: Tensor, wrong: Tensor, num_classes: int) -> None:
    if wrong.any():
        ids = sorted(set(labels[wrong].tolist()))
        raise DataError(
            f"target: {int(wrong.sum())} pixels have the ids {ids[:10]}; "
            f"wanted 0 to {num_classes - 1}"
        )


def _weights_of(class_weights: Tensor | None, logits: Tensor) -> Tensor:
    num_classes = logits.shape[1]
    if class_weights is None:
        return logits.new_ones(num_classes)
    if len(class_weights) != num_classes:
        raise ValueError(f"{len(class_weights)} class weights for {num_classes} classes")
    return class_weights.to(logits)


def _check_class_weights(weights: Tensor) -> None:
    if weights.ndim != 1 or not bool(((weights >= 0) & weights.isfinite()).all()):
        raise ConfigError(
            f"loss.class_weights: got {weights.tolist()}; wanted one number of 0 or more per class"
        )


def _check_not_negative(loss: nn.Module, *names: str) -> None:
    problems = [
        f"loss.function.{name}: got {value}; wanted a number of 0 or more"
        for name, value in ((name, getattr(loss, name)) for name in names)
        if not (math.isfinite(value) and value >= 0)
    ]
    if problems:
        raise ConfigError(*problems)
