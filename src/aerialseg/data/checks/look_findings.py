"""Findings about how images look: much darker, brighter or less sharp than the others."""

from collections.abc import Iterator, Sequence

import numpy as np

from aerialseg.data.checks.finding import Finding, found
from aerialseg.data.checks.inspected import Examined
from aerialseg.data.checks.outliers import THRESHOLD, robust_scores
from aerialseg.durations import counted

_LEAST_LUMA = 8.0  # of 255: where most images are alike, a difference of 40 stands out
_LEAST_LOG = 0.15  # of the logarithm of the variance: there half of it stands out


def look_findings(examined: Sequence[Examined]) -> Iterator[Finding]:
    """Outliers of brightness and sharpness among the images of one data set."""
    measured = [each for each in examined if each.measured is not None]
    facts = [each.measured for each in measured if each.measured is not None]
    ids = [each.sample.id for each in measured]
    luma = np.array([each.brightness for each in facts])
    scores = robust_scores(luma, least_deviation=_LEAST_LUMA)
    rule = f"robust z-score beyond {THRESHOLD}"
    for code, chosen, word in (
        ("dark_image", scores < -THRESHOLD, "darker"),
        ("bright_image", scores > THRESHOLD, "brighter"),
    ):
        if rows := np.flatnonzero(chosen).tolist():
            yield found(
                "note",
                code,
                f"{counted(len(rows), 'image')} much {word} than most (mean luma "
                f"{_range(luma[rows])}, the median is {np.median(luma):.0f}, {rule}); look whether "
                "they show anything, else leave them out",
                [ids[row] for row in rows],
            )
    sharpness = np.array([each.sharpness for each in facts])
    logs = np.log(np.maximum(sharpness, 1e-3))
    scores = robust_scores(logs, least_deviation=_LEAST_LOG)
    if rows := np.flatnonzero(scores < -THRESHOLD).tolist():
        yield found(
            "note",
            "blurred_image",
            f"{counted(len(rows), 'image')} much less sharp than most (variance of the Laplacian "
            f"{_range(sharpness[rows])}, the median is {np.median(sharpness):.0f}, {rule}); look "
            "whether they are blurred, or show water, fog or bare ground, which is no fault",
            [ids[row] for row in rows],
        )


def _range(numbers: np.ndarray) -> str:
    low, high = f"{numbers.min():.0f}", f"{numbers.max():.0f}"
    return low if low == high else f"{low} to {high}"
