"""Masks as colours: painted, hatched, laid over the picture they belong to."""

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.viz.theme import STRIPE, WRONG, Mask, Picture

_STRIPE_PERIOD = 10


def colourise(mask: Mask, classes: ClassTable) -> Picture:
    """Paints a mask with the colours of the class table, exactly.

    Args:
        mask: ``(H, W)`` class ids.
        classes: The table that names the colours.

    Returns:
        ``(H, W, 3)`` uint8 RGB; ids of no class are white, as :class:`ClassTable` has it.
    """
    return classes.palette[as_bytes(mask)]


def paint(mask: Mask, classes: ClassTable) -> Picture:
    """Paints a mask as :func:`colourise` does, with ignored pixels hatched.

    A hatch reads as "nothing here" where plain white could pass for a class.
    """
    picture = colourise(mask, classes)
    hatch_ignored(picture, mask, classes)
    return picture


def overlay(
    image: Picture,
    mask: Mask,
    classes: ClassTable,
    *,
    opacity: float = 0.5,
    outline_width: int = 0,
) -> Picture:
    """Lays the painted mask over its image.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        mask: ``(H, W)`` class ids.
        classes: The table that names the colours.
        opacity: 0 shows the image alone, 1 the painted mask alone.
        outline_width: Pixels from a border between classes that are painted opaque, on
            either side in the class's own colour; 0 draws no outlines.

    Raises:
        ValueError: If image and mask differ in size, or opacity is not within 0 to 1.
    """
    _require_same_size(image, mask)
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity is {opacity}; wanted 0 to 1")
    painted = paint(mask, classes)
    picture = np.asarray(cv2.addWeighted(image, 1 - opacity, painted, opacity, 0), dtype=np.uint8)
    if outline_width > 0:
        border = borders(mask, outline_width) & ~ignored_pixels(mask, classes)
        picture[border] = painted[border]
    return picture


def error_map(image: Picture, truth: Mask, prediction: Mask, classes: ClassTable) -> Picture:
    """Shows the wrong pixels in red on a pale grey copy of the image; ignored ones are hatched.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        truth: ``(H, W)`` class ids.
        prediction: ``(H, W)`` class ids.
        classes: The table that says which ids are classes.

    Raises:
        ValueError: If the three differ in size.
    """
    _require_same_size(image, truth)
    _require_same_size(image, prediction)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) // 2 + 120
    picture = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    picture[truth != prediction] = WRONG
    hatch_ignored(picture, truth, classes)
    return picture


def hatch_ignored(picture: Picture, mask: Mask, classes: ClassTable) -> None:
    """Hatches ``picture``, in place, where the ``mask`` of the same size names no class."""
    ignored = ignored_pixels(mask, classes)
    if ignored.any():
        picture[ignored] = hatch(*mask.shape)[ignored]


def as_bytes(mask: Mask) -> npt.NDArray[np.uint8]:
    """The mask as uint8, with every id that does not fit made 255."""
    if mask.dtype == np.uint8:
        return np.asarray(mask, dtype=np.uint8)
    return np.where((mask < 0) | (mask > 255), 255, mask).astype(np.uint8)


def ignored_pixels(mask: Mask, classes: ClassTable) -> npt.NDArray[np.bool_]:
    """``(H, W)`` bool: true where the id is no class of the table."""
    return np.asarray((mask < 0) | (mask >= len(classes)), dtype=np.bool_)


def hatch(height: int, width: int) -> Picture:
    """``(height, width, 3)`` of soft diagonal stripes: grey on white."""
    wave = np.arange(height)[:, None] + np.arange(width)
    distance = np.abs(wave % _STRIPE_PERIOD - _STRIPE_PERIOD / 2)
    ink = np.clip(2 - distance, 0, 1)[..., None]  # the ramp of one pixel smooths the edge
    return np.asarray(255 - ink * (255 - np.array(STRIPE)), dtype=np.uint8)


def borders(mask: Mask, width: int) -> npt.NDArray[np.bool_]:
    """``(H, W)`` bool: true within ``width`` pixels of another id."""
    ids = as_bytes(mask)
    kernel = np.ones((2 * width + 1, 2 * width + 1), dtype=np.uint8)
    return np.asarray(cv2.dilate(ids, kernel) != cv2.erode(ids, kernel), dtype=np.bool_)


def _require_same_size(image: Picture, mask: Mask) -> None:
    if image.shape[:2] != mask.shape:
        raise ValueError(
            f"the image is {image.shape[1]}x{image.shape[0]} pixels "
            f"and its mask {mask.shape[1]}x{mask.shape[0]}; wanted the same size"
        )
