"""Numbers that stand out from most of the others, measured without being led by them."""

import numpy as np
import numpy.typing as npt

THRESHOLD = 3.5
"""Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993, for the modified z-score."""

_AS_SIGMA = 0.6745  # the median deviation of a normal distribution, in standard deviations
_FEWEST = 8  # numbers of which a median says something


def robust_scores(
    numbers: npt.NDArray[np.float64], *, least_deviation: float
) -> npt.NDArray[np.float64]:
    """``(N,)`` modified z-scores: how many deviations each number is away from the median.

    Args:
        numbers: ``(N,)``; with fewer than 8 all scores are 0.
        least_deviation: What the median deviation counts as where it is less, so that in a set of
            equal numbers a small difference is none.
    """
    if len(numbers) < _FEWEST:
        return np.zeros(len(numbers))
    away = numbers - np.median(numbers)
    deviation = max(float(np.median(np.abs(away))), least_deviation)
    return np.asarray(_AS_SIGMA * away / deviation)
