"""Whether a network is right as often as it says: confidence against accuracy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX

LEVELS = 256
_BINS = 15


@dataclass(frozen=True)
class ConfidenceBin:
    """Pixels of similar confidence.

    Attributes:
        confidence: Their mean confidence, 0 to 1.
        accuracy: The share of them that is right, 0 to 1.
        share: Their share of all pixels, 0 to 1.
    """

    confidence: float
    accuracy: float
    share: float


def count_confidence(
    confidence: npt.NDArray[np.uint8],
    prediction: npt.NDArray[np.uint8],
    truth: npt.NDArray[np.uint8],
) -> npt.NDArray[np.int64]:
    """Counts pixels by confidence; counts of images may be added.

    Args:
        confidence: ``(H, W)`` uint8, 0 to 255.
        prediction: ``(H, W)`` uint8 class ids.
        truth: ``(H, W)`` uint8 class ids; ignored pixels are left out.

    Returns:
        ``(256, 2)`` int64: wrong and right pixels of each level of confidence.
    """
    kept = truth != IGNORE_INDEX
    right = prediction[kept] == truth[kept]
    index = confidence[kept].astype(np.int64) * 2 + right
    return np.bincount(index, minlength=2 * LEVELS).reshape(LEVELS, 2).astype(np.int64)


def confidence_bins(counts: npt.NDArray[np.int64]) -> list[ConfidenceBin]:
    """Fifteen bins of equal width of :func:`count_confidence`; empty ones are left out."""
    level = np.arange(LEVELS) / (LEVELS - 1)
    bins = np.minimum((level * _BINS).astype(int), _BINS - 1)
    total = counts.sum(1)
    found = []
    for number in range(_BINS):
        inside = bins == number
        if pixels := int(total[inside].sum()):
            found.append(
                ConfidenceBin(
                    confidence=float((level * total)[inside].sum() / pixels),
                    accuracy=float(counts[inside, 1].sum() / pixels),
                    share=pixels / int(total.sum()),
                )
            )
    return found


def expected_calibration_error(counts: npt.NDArray[np.int64]) -> float:
    """How far confidence is from accuracy: the mean over bins, weighted by pixels; 0 is perfect."""
    return sum(
        each.share * abs(each.accuracy - each.confidence) for each in confidence_bins(counts)
    )
