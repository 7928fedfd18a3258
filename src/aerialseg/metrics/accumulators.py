"""Metrics that accumulate a confusion matrix over batches and devices."""

from typing import Annotated, Literal

import torch
from annotated_types import Ge
from torch import Tensor
from torchmetrics import Metric

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.upsampling import most_likely
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import Absent, dice_per_class, macro_dice, micro_dice
from aerialseg.values.checked_calls import checked


class SegmentationMetrics(Metric):
    """Accumulates a confusion matrix over batches and devices.

    The result does not depend on the batch size. Use ``update``: calling the object also computes
    the score of the batch, at twice the cost.

    Args:
        num_classes: Number of classes.
        ignore_index: Target id whose pixels are ignored.
    """

    full_state_update = False
    is_differentiable = False
    matrix: Tensor

    def __init__(self, num_classes: int, *, ignore_index: int = IGNORE_INDEX) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        empty = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        self.add_state("matrix", default=empty, dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Counts one batch.

        Args:
            prediction: ``(N, C, H, W)`` float logits, or ``(N, H, W)`` integer class ids.
            target: ``(N, H, W)`` integer class ids.

        Raises:
            DataError: If prediction or target has invalid ids; checked on the CPU only.
            ValueError: If the shapes do not match.
        """
        if prediction.is_floating_point():
            if prediction.ndim < 2 or prediction.shape[1] != self.num_classes:
                shape = tuple(prediction.shape)
                raise ValueError(f"logits have shape {shape}; wanted (N, {self.num_classes}, H, W)")
            prediction = most_likely(prediction, (target.shape[-2], target.shape[-1]))
        self.matrix += confusion_matrix(
            prediction, target, self.num_classes, ignore_index=self.ignore_index
        )

    def compute(self) -> Tensor:
        """The ``(C, C)`` int64 matrix so far: rows target, columns prediction."""
        return self.matrix


class MulticlassDiceScore(SegmentationMetrics):
    """Dice score over all batches, from pooled pixels rather than as a mean of batches.

    Args:
        num_classes: Number of classes.
        average: ``macro`` is the mean over classes, ``micro`` pools their pixels, ``none``
            gives one score per class.
        absent: How a class in neither target nor prediction counts: ``skip`` leaves it out of the
            mean (NaN if ``average`` is ``none``), ``one`` counts it as perfect. Unused by
            ``micro``.
        ignore_index: Target id whose pixels are ignored.

    Raises:
        ValueError: If an argument is out of its range or none of its choices.
    """

    higher_is_better = True

    @checked
    def __init__(
        self,
        num_classes: Annotated[int, Ge(1)],
        *,
        average: Literal["macro", "micro", "none"] = "macro",
        absent: Absent = "skip",
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(num_classes, ignore_index=ignore_index)
        self.average = average
        self.absent = absent

    def compute(self) -> Tensor:
        """The score, float64: a scalar, or ``(C,)`` if ``average`` is ``none``."""
        if self.average == "micro":
            return micro_dice(self.matrix)
        if self.average == "macro":
            return macro_dice(self.matrix, absent=self.absent)
        scores = dice_per_class(self.matrix)
        return scores if self.absent == "skip" else scores.nan_to_num(nan=1.0)
