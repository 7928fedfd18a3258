"""Segmentation scores, all computed from confusion matrices.

A matrix is ``(C, C)``: rows target, columns prediction. The functions that return tensors also take
``(..., C, C)``, a matrix for each image or draw, and return ``(...)`` or ``(..., C)``.

A class that is in neither target nor prediction has no score. ``absent`` says how a mean treats
it: ``"skip"`` leaves it out (our default), ``"one"`` counts it as perfect (the convention of some
competitions).
"""

import re
from collections.abc import Sequence
from typing import Literal

from torch import Tensor

Absent = Literal["skip", "one"]
"""How a mean treats a class in neither target nor prediction: leave it out, or count 1.0."""

LOWER_IS_BETTER = frozenset({"loss"})
"""Logged values of which less is better; of every score of :func:`summarise` more is."""


_OF_ALL_CLASSES = frozenset(
    {"accuracy", "miou", "dice", "dice_micro", "miou_absent_one", "dice_absent_one"}
)


def better_mode(logged: str) -> Literal["min", "max"]:
    """Which way a logged value improves.

    Args:
        logged: As ``val/dice`` or ``train/loss``.
    """
    return "min" if logged.rpartition("/")[2] in LOWER_IS_BETTER else "max"


def pixel_accuracy(matrix: Tensor) -> Tensor:
    """Fraction of correctly classified pixels, float64; NaN if there are no pixels."""
    hits, in_target, _ = _sums(matrix)
    return hits.sum(-1) / in_target.sum(-1)


def iou_per_class(matrix: Tensor) -> Tensor:
    """Intersection over union, the Jaccard index: ``TP / (TP + FP + FN)``.

    Returns:
        ``(C,)`` float64, 0 to 1; NaN for classes absent from both target and prediction.
    """
    hits, in_target, in_prediction = _sums(matrix)
    return hits / (in_target + in_prediction - hits)


def dice_per_class(matrix: Tensor) -> Tensor:
    """Dice score, the F1 score: ``2 TP / (2 TP + FP + FN)``.

    Returns:
        ``(C,)`` float64, 0 to 1; NaN for classes absent from both target and prediction.
    """
    hits, in_target, in_prediction = _sums(matrix)
    return 2 * hits / (in_target + in_prediction)


def mean_iou(matrix: Tensor, *, absent: Absent = "skip") -> Tensor:
    """Mean of :func:`iou_per_class`, float64; NaN if every class is skipped."""
    return _mean(iou_per_class(matrix), absent)


def macro_dice(matrix: Tensor, *, absent: Absent = "skip") -> Tensor:
    """Mean of :func:`dice_per_class`, float64; NaN if every class is skipped."""
    return _mean(dice_per_class(matrix), absent)


def micro_dice(matrix: Tensor) -> Tensor:
    """Dice over the pooled pixels of all classes, float64.

    Each pixel has one class, so a false positive of one class is a false negative of another and
    this equals :func:`pixel_accuracy`.
    """
    hits, in_target, in_prediction = _sums(matrix)
    return 2 * hits.sum(-1) / (in_target.sum(-1) + in_prediction.sum(-1))


def image_scores(matrix: Tensor) -> dict[str, float]:
    """The scores of one image: ``dice``, ``iou`` and ``accuracy``.

    Args:
        matrix: ``(C, C)`` integer; absent classes are left out.
    """
    return {
        "dice": float(macro_dice(matrix)),
        "iou": float(mean_iou(matrix)),
        "accuracy": float(pixel_accuracy(matrix)),
    }


def summarise(matrix: Tensor, class_names: Sequence[str]) -> dict[str, float]:
    """All scores of a confusion matrix by name, for logging.

    Args:
        matrix: ``(C, C)`` integer, rows target, columns prediction.
        class_names: One name per class; written in lower case with underscores.

    Returns:
        ``accuracy``, ``miou``, ``dice``, ``dice_micro``, ``miou_absent_one`` and
        ``dice_absent_one`` (the first four leave absent classes out), then ``iou_<class>``
        and ``dice_<class>`` for the classes that are present. Without any pixels the
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


def class_score(name: str) -> tuple[str, str] | None:
    """Which score of which class a name of :func:`summarise` means; None for one of all classes.

    Args:
        name: As ``iou_person``, which is ``("iou", "person")``, or ``dice``.
    """
    score, _, key = name.partition("_")
    return (
        (score, key) if score in ("iou", "dice") and key and name not in _OF_ALL_CLASSES else None
    )


def _sums(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Per class: correct pixels, target pixels, predicted pixels; float64."""
    hits = matrix.diagonal(dim1=-2, dim2=-1)
    return hits.double(), matrix.sum(-1).double(), matrix.sum(-2).double()


def _mean(scores: Tensor, absent: Absent) -> Tensor:
    return scores.nanmean(-1) if absent == "skip" else scores.nan_to_num(nan=1.0).mean(-1)


def _keys(class_names: Sequence[str]) -> list[str]:
    """Lower snake case; equal results get their class id as suffix."""
    keys = [re.sub(r"\W+", "_", name.strip().lower()).strip("_") for name in class_names]
    return [f"{key}_{i}" if keys.count(key) > 1 else key for i, key in enumerate(keys)]
