"""Masks as colours: painted, hatched, blended over their images."""

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.viz.theme import ONLY_A, ONLY_B, STRIPE, WRONG, Mask, RGBImage

_STRIPE_PERIOD = 10


def colourise(mask: Mask, classes: ClassTable) -> RGBImage:
    """Paints a mask with the colours of the class table, exactly.

    Args:
        mask: ``(H, W)`` class ids.
        classes: The table that names the colours.

    Returns:
        ``(H, W, 3)`` uint8 RGB; ids outside the table are white, as in ``ClassTable.palette``.
    """
    return classes.palette[as_bytes(mask)]


def paint(mask: Mask, classes: ClassTable) -> RGBImage:
    """Paints a mask as :func:`colourise` does, with ignored pixels hatched.

    A hatch is recognised as "no label"; plain white could be mistaken for a class.
    """
    painted = colourise(mask, classes)
    hatch_ignored(painted, mask, classes)
    return painted


def overlay(
    image: RGBImage,
    mask: Mask,
    classes: ClassTable,
    *,
    opacity: float = 0.5,
    outline_width: int = 0,
) -> RGBImage:
    """Blends the painted mask over its image.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        mask: ``(H, W)`` class ids.
        classes: The table that names the colours.
        opacity: 0 shows the image alone, 1 the painted mask alone.
        outline_width: Width in pixels of the opaque outline on either side of a border between
            classes, in the colour of that side's class; 0 draws no outlines.

    Raises:
        ValueError: If image and mask differ in size, or opacity is not within 0 to 1.
    """
    _require_same_size(image, mask)
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity is {opacity}; wanted 0 to 1")
    painted = paint(mask, classes)
    blended = np.asarray(cv2.addWeighted(image, 1 - opacity, painted, opacity, 0), dtype=np.uint8)
    if outline_width > 0:
        border = borders(mask, outline_width) & ~ignored_pixels(mask, classes)
        blended[border] = painted[border]
    return blended


def error_map(image: RGBImage, truth: Mask, prediction: Mask, classes: ClassTable) -> RGBImage:
    """Marks wrong pixels in red on a pale grey copy of the image; ignored pixels are hatched.

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
    errors = _pale_grey(image)
    errors[truth != prediction] = WRONG
    hatch_ignored(errors, truth, classes)
    return errors


def one_right_map(image: RGBImage, truth: Mask, a: Mask, b: Mask, classes: ClassTable) -> RGBImage:
    """Marks where one of two predictions alone is right, on a pale grey copy of the image.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        truth: ``(H, W)`` class ids.
        a: ``(H, W)`` class ids; where they alone are right is ``ONLY_A``.
        b: Likewise, ``ONLY_B``.
        classes: The table that says which ids are classes; ignored pixels are hatched.

    Raises:
        ValueError: If the four differ in size.
    """
    for mask in (truth, a, b):
        _require_same_size(image, mask)
    marked = _pale_grey(image)
    marked[(a == truth) & (b != truth)] = ONLY_A
    marked[(b == truth) & (a != truth)] = ONLY_B
    hatch_ignored(marked, truth, classes)
    return marked


def _pale_grey(image: RGBImage) -> RGBImage:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) // 2 + 120
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def hatch_ignored(image: RGBImage, mask: Mask, classes: ClassTable) -> None:
    """Hatches ``image`` in place where the ``mask`` of the same size holds no class id."""
    ignored = ignored_pixels(mask, classes)
    if ignored.any():
        image[ignored] = hatch(*mask.shape)[ignored]


def as_bytes(mask: Mask) -> npt.NDArray[np.uint8]:
    """The mask as uint8; ids that do not fit become 255."""
    if mask.dtype == np.uint8:
        return np.asarray(mask, dtype=np.uint8)
    return np.where((mask < 0) | (mask > 255), 255, mask).astype(np.uint8)


def ignored_pixels(mask: Mask, classes: ClassTable) -> npt.NDArray[np.bool_]:
    """``(H, W)`` bool: true where the id is not in the table."""
    return np.asarray((mask < 0) | (mask >= len(classes)), dtype=np.bool_)


def hatch(height: int, width: int) -> RGBImage:
    """``(height, width, 3)`` uint8 with soft grey diagonal stripes on white."""
    wave = np.arange(height)[:, None] + np.arange(width)
    distance = np.abs(wave % _STRIPE_PERIOD - _STRIPE_PERIOD / 2)
    ink = np.clip(2 - distance, 0, 1)[..., None]  # a ramp of one pixel antialiases the edge
    return np.asarray(255 - ink * (255 - np.array(STRIPE)), dtype=np.uint8)


def borders(mask: Mask, width: int) -> npt.NDArray[np.bool_]:
    """``(H, W)`` bool: true within ``width`` pixels of a different id."""
    ids = as_bytes(mask)
    kernel = np.ones((2 * width + 1, 2 * width + 1), dtype=np.uint8)
    return np.asarray(cv2.dilate(ids, kernel) != cv2.erode(ids, kernel), dtype=np.bool_)


def _require_same_size(image: RGBImage, mask: Mask) -> None:
    if image.shape[:2] != mask.shape:
        raise ValueError(
            f"the image is {image.shape[1]}x{image.shape[0]} pixels "
            f"and its mask {mask.shape[1]}x{mask.shape[0]}; wanted the same size"
        )
