"""Scores near the borders between classes, where small objects and thin ones are won or lost."""

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX

_SHARE_OF_DIAGONAL = 0.005


def band_width(size: tuple[int, int]) -> int:
    """How many pixels on either side of a border belong to its band.

    Args:
        size: Height and width of the image in pixels.

    Returns:
        A two-hundredth of the diagonal, at least 1: 7 at 1280x720.
    """
    return max(1, round(_SHARE_OF_DIAGONAL * float(np.hypot(*size))))


def near_borders(mask: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.bool_]:
    """Which pixels have a pixel of another class at most ``width`` pixels away.

    Args:
        mask: ``(H, W)`` uint8 class ids. Ignored pixels make no border, and are not near one.
        width: Of the band on either side, in pixels, at least 1.

    Returns:
        ``(H, W)`` bool.
    """
    ignored = mask == IGNORE_INDEX
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    largest = cv2.dilate(np.where(ignored, 0, mask).astype(np.uint8), kernel)
    least = cv2.erode(mask, kernel)  # an ignored pixel holds the largest number
    near: npt.NDArray[np.bool_] = (largest > least) & ~ignored
    return near


def band_only(mask: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.uint8]:
    """The mask with all pixels ignored that are not near a border, for a confusion matrix.

    Args:
        mask: ``(H, W)`` uint8 class ids, of the truth.
        width: Of the band on either side, in pixels, at least 1.
    """
    kept: npt.NDArray[np.uint8] = np.where(near_borders(mask, width), mask, IGNORE_INDEX)
    return kept.astype(np.uint8)
