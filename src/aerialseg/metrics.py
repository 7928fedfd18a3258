"""Metrics of segmentation, all computed from one confusion matrix.

A class that is neither in the truth nor in the prediction has no score. What a mean does with
it is always said by ``absent``: ``"skip"`` leaves it out (the metrics of record), ``"one"``
counts it as perfect (the convention of some competitions).
"""

import re
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from aerialseg.classes import IGNORE_INDEX
from aerialseg.confusion import confusion_matrix
from aerialseg.upsampling import most_likely

Absent = Literal["skip", "one"]
"""What a mean does with a class that is in neither map: leave it out, or count 1.0."""


def pixel_accuracy(matrix: Tensor) -> Tensor:
    """The share of pixels with the right class, float64; NaN if there is no pixel."""
    return matrix.diagonal().sum().double() / matrix.sum().double()


def iou_per_class(matrix: Tensor) -> Tensor:
    """Intersection over union, the Jaccard index: ``TP / (TP + FP + FN)``.

    Returns:
        ``(C,)`` float64, 0 to 1; NaN for classes absent from both truth and prediction.
    """
    hits, in_truth, in_prediction = _sums(matrix)
    return hits / (in_truth + in_prediction - hits)


def dice_per_class(matrix: Tensor) -> Tensor:
    """Dice score, the F1 score: ``2 TP / (2 TP + FP + FN)``.

    Returns:
        ``(C,)`` float64, 0 to 1; NaN for classes absent from both truth and prediction.
    """
    hits, in_truth, in_prediction = _sums(matrix)
    return 2 * hits / (in_truth + in_prediction)


def mean_iou(matrix: Tensor, *, absent: Absent = "skip") -> Tensor:
    """Mean of :func:`iou_per_class`, float64; NaN if every class is skipped."""
    return _mean(iou_per_class(matrix), absent)


def macro_dice(matrix: Tensor, *, absent: Absent = "skip") -> Tensor:
    """Mean of :func:`dice_per_class`, float64; NaN if every class is skipped."""
    return _mean(dice_per_class(matrix), absent)


def micro_dice(matrix: Tensor) -> Tensor:
    """Dice of all classes' pixels pooled, float64.

    Where each pixel has one class, a false positive of one class is a false negative of
    another, so this equals :func:`pixel_accuracy`.
    """
    hits, in_truth, in_prediction = _sums(matrix)
    return 2 * hits.sum() / (in_truth.sum() + in_prediction.sum())


def image_scores(matrix: Tensor) -> dict[str, float]:
    """What a caption says of one picture: ``dice``, ``iou`` and ``accuracy``.

    Args:
        matrix: ``(C, C)`` integer, of that picture; absent classes are left out.
    """
    return {
        "dice": float(macro_dice(matrix)),
        "iou": float(mean_iou(matrix)),
        "accuracy": float(pixel_accuracy(matrix)),
    }


def summarise(matrix: Tensor, class_names: Sequence[str]) -> dict[str, float]:
    """All scores of a confusion matrix by name, ready to be logged.

    Args:
        matrix: ``(C, C)`` integer, row truth and column prediction.
        class_names: One name per class; written in lower case with underscores.

    Returns:
        ``accuracy``, ``miou``, ``dice``, ``dice_micro``, ``miou_absent_one`` and
        ``dice_absent_one`` (the first four leave absent classes out), then ``iou_<class>``
        and ``dice_<class>`` for the classes that are present. Without a single pixel the
        first four are NaN.

    Raises:
        ValueError: If there are not as many names as classes.
    """
    if len(class_names) != len(matrix):
        raise ValueError(f"{len(class_names)} class names for {len(matrix)} classes")
    matrix = matrix.cpu()
    scores = {
        "accuracy": pixel_accuracy(matrix),
        "miou": mean_iou(matrix),
        "dice": macro_dice(matrix),
        "dice_micro": micro_dice(matrix),
        "miou_absent_one": mean_iou(matrix, absent="one"),
        "dice_absent_one": macro_dice(matrix, absent="one"),
    }
    keys = _keys(class_names)
    for name, per_class in (("iou", iou_per_class(matrix)), ("dice", dice_per_class(matrix))):
        scores |= {
            f"{name}_{key}": score
            for key, score in zip(keys, per_class, strict=True)
            if not score.isnan()
        }
    return {name: float(score) for name, score in scores.items()}


class SegmentationMetrics(Metric):
    """Adds up one confusion matrix over batches and devices.

    The result does not depend on how pictures are grouped into batches. Feed it with
    ``update``; calling the object computes the score of the batch as well, at twice the cost.

    Args:
        num_classes: How many classes there are.
        ignore_index: The id in the target whose pixels are left out.
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
            DataError: If, on the CPU, a map holds ids that are no class.
            ValueError: If the shapes do not fit.
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
        """The ``(C, C)`` int64 matrix so far: row truth, column prediction."""
        return self.matrix


class MulticlassDiceScore(SegmentationMetrics):
    """Dice score over all batches seen, from pooled pixels rather than a mean of batches.

    Args:
        num_classes: How many classes there are.
        average: ``macro`` is the mean over classes, ``micro`` pools their pixels, ``none``
            gives one score per class.
        absent: What becomes of a class in neither truth nor prediction: ``skip`` leaves it
            out of the mean (NaN if ``average`` is ``none``), ``one`` counts it as perfect.
            ``micro`` has no use for it.
        ignore_index: The id in the target whose pixels are left out.
    """

    higher_is_better = True

    def __init__(
        self,
        num_classes: int,
        *,
        average: Literal["macro", "micro", "none"] = "macro",
        absent: Absent = "skip",
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(num_classes, ignore_index=ignore_index)
        if average not in ("macro", "micro", "none") or absent not in ("skip", "one"):
            raise ValueError(
                f"average is {average!r} and absent {absent!r}; "
                "wanted macro, micro or none, and skip or one"
            )
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


def _sums(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Per class: pixels that were right, in the truth, in the prediction; float64."""
    return matrix.diagonal().double(), matrix.sum(1).double(), matrix.sum(0).double()


def _mean(scores: Tensor, absent: Absent) -> Tensor:
    return scores.nanmean() if absent == "skip" else scores.nan_to_num(nan=1.0).mean()


def _keys(class_names: Sequence[str]) -> list[str]:
    """Lower snake case; names that would become the same are told apart by their id."""
    keys = [re.sub(r"\W+", "_", name.strip().lower()).strip("_") for name in class_names]
    return [f"{key}_{i}" if keys.count(key) > 1 else key for i, key in enumerate(keys)]
