"""Means over folds with their 95 % intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy.stats import t as student

Scores = Mapping[tuple[int, int], float]
"""A score by fold and seed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over folds.

    Attributes:
        mean: Of the folds' means.
        half_width: Of its 95 % interval by Student's t; None for one fold, which has no spread.
        folds: How many there are.
    """

    mean: float
    half_width: float | None
    folds: int


def estimate(scores: Scores) -> Estimate | None:
    """The mean over folds, each of which is the mean over its seeds; None without scores.

    Seeds of one fold are scored on the same places, so they are no independent observations: only
    folds count as such.
    """
    folds = _fold_means(scores)
    if not folds:
        return None
    return Estimate(fmean(folds), half_width(folds), len(folds))


def paired_difference(scores: Scores, others: Scores) -> Estimate | None:
    """The mean of ``scores - others`` over the folds and seeds that both have."""
    both = scores.keys() & others.keys()
    return estimate({run: scores[run] - others[run] for run in both})


def half_width(values: Sequence[float]) -> float | None:
    """Half of the 95 % interval of a mean; None for fewer than two values."""
    if len(values) < 2:
        return None
    quantile = float(student.ppf(0.975, len(values) - 1))
    return quantile * stdev(values) / sqrt(len(values))


def _fold_means(scores: Scores) -> list[float]:
    by_fold: dict[int, list[float]] = {}
    for (fold, _), score in sorted(scores.items()):
        by_fold.setdefault(fold, []).append(score)
    return [fmean(seeds) for seeds in by_fold.values()]
