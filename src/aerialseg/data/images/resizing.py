"""Resizing images and masks: one definition, for training and inference."""

from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from annotated_types import Ge

from aerialseg.values.checked_calls import checked

_MOST_CHANNELS = 4
"""OpenCV averages the areas of no more channels at once."""


def resized(size: tuple[int, int], image_min_size: int | None) -> tuple[int, int]:
    """Height and width that :func:`resize_keep_aspect` gives an image of ``size``."""
    if image_min_size is None:
        return size
    shorter = min(size)
    height, width = ((2 * edge * image_min_size + shorter) // (2 * shorter) for edge in size)
    return height, width


@checked
def resize_keep_aspect(
    array: npt.NDArray[np.uint8],
    image_min_size: Annotated[int, Ge(1)] | None,
    *,
    is_mask: bool = False,
) -> npt.NDArray[np.uint8]:
    """Resizes so that the smaller edge has ``image_min_size`` pixels.

    The other edge is rounded. Images are averaged by area when they shrink and interpolated
    bilinearly when they grow. Masks take the nearest pixel, with the same pixel centres as the
    image: OpenCV's plain INTER_NEAREST is off by up to half a pixel.

    Args:
        array: ``(H, W, B)`` uint8 image or ``(H, W)`` uint8 mask.
        image_min_size: Pixels of the smaller edge; None returns the array as it is.
        is_mask: Whether the array holds class ids, which must not be blended.

    Raises:
        ValueError: If ``image_min_size`` is below 1 or not a whole number.
    """
    return resize_to(
        array, resized((array.shape[0], array.shape[1]), image_min_size), is_mask=is_mask
    )


def resize_to(
    array: npt.NDArray[np.uint8], target: tuple[int, int], *, is_mask: bool
) -> npt.NDArray[np.uint8]:
    """Resizes an array to a height and width as :func:`resize_keep_aspect` does."""
    size = (array.shape[0], array.shape[1])
    if target == size:
        return array
    interpolation = cv2.INTER_AREA if min(target) < min(size) else cv2.INTER_LINEAR
    if is_mask:
        interpolation = cv2.INTER_NEAREST_EXACT
    if array.ndim == 3 and array.shape[2] > _MOST_CHANNELS:
        parts = [
            resize_to(
                np.ascontiguousarray(array[..., start : start + _MOST_CHANNELS]),
                target,
                is_mask=is_mask,
            )
            for start in range(0, array.shape[2], _MOST_CHANNELS)
        ]
        return np.concatenate(parts, axis=2)
    result = cv2.resize(array, target[::-1], interpolation=interpolation)
    return result.astype(np.uint8, copy=False).reshape(*target, *array.shape[2:])
