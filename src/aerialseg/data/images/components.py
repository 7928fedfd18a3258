"""Connected components of classes in a mask: the objects that can be cut out whole."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.windows import Box

LEAST_PIXELS = 16
"""Fewer show nothing that could be learnt from."""

_GREATEST_SHARE = 0.2  # of an image; what is larger is rather ground than an object
_AROUND = np.ones((3, 3), dtype=np.uint8)


@dataclass(frozen=True)
class Component:
    """Pixels of one class that touch each other, corners included.

    Attributes:
        class_id: Their class.
        box: The smallest rectangle around them, in pixels of the mask.
        shape: ``(h, w)`` bool, of the size of the box: which of its pixels they are.
    """

    class_id: int
    box: Box
    shape: npt.NDArray[np.bool_]


def whole_components(
    mask: npt.NDArray[np.uint8],
    class_ids: Sequence[int],
    random: np.random.Generator,
    *,
    most: int,
) -> list[Component]:
    """Components that are whole objects as far as the mask can tell.

    Left out are those that touch the border of the mask or a pixel without a label, where an object
    may go on unseen, those of fewer than 16 pixels, and those of more than a fifth of the mask.

    Args:
        mask: ``(H, W)`` uint8 class ids; 255 is no label.
        class_ids: The classes that are looked for.
        random: Chooses where there are more than ``most``.
        most: Components of each class, 1 or more.
    """
    found = []
    for class_id in class_ids:
        own = np.equal(mask, class_id).view(np.uint8)
        _, numbers, stats, _ = cv2.connectedComponentsWithStats(own, connectivity=8)
        labels, facts = np.asarray(numbers, dtype=np.int32), np.asarray(stats, dtype=np.int32)
        fitting = np.flatnonzero(_is_inside(facts, mask.shape) & _is_of_size(facts, mask.size))
        taken = 0
        for label in random.permutation(fitting[fitting > 0]).tolist():  # 0 is all the rest
            left, top, width, height, _ = facts[label].tolist()
            box = Box(top, left, height, width)
            part = labels[top : top + height, left : left + width]
            shape = np.asarray(part == label)
            if not _touches_unlabelled(mask, box, shape):
                found.append(Component(class_id, box, shape))
                taken += 1
            if taken == most:
                break
    return found


def _is_inside(facts: npt.NDArray[np.int32], size: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """``(N,)`` bool: which components keep a pixel from every border."""
    left, top, width, height = facts[:, :4].T
    is_inside = (left > 0) & (top > 0) & (left + width < size[1]) & (top + height < size[0])
    return np.asarray(is_inside, dtype=np.bool_)


def _is_of_size(facts: npt.NDArray[np.int32], pixels: int) -> npt.NDArray[np.bool_]:
    """``(N,)`` bool: which components are neither tiny nor huge."""
    area = facts[:, cv2.CC_STAT_AREA]
    is_of_size = (area >= LEAST_PIXELS) & (area <= _GREATEST_SHARE * pixels)
    return np.asarray(is_of_size, dtype=np.bool_)


def _touches_unlabelled(
    mask: npt.NDArray[np.uint8], box: Box, shape: npt.NDArray[np.bool_]
) -> bool:
    """Whether a pixel without a label lies at a component, which itself touches no border."""
    around = Box(box.top - 1, box.left - 1, box.height + 2, box.width + 2).of(mask)
    if not (around == IGNORE_INDEX).any():
        return False
    reach = cv2.dilate(np.pad(shape, 1).view(np.uint8), _AROUND)
    return bool((around[reach > 0] == IGNORE_INDEX).any())
