"""Scores of a network on groups of images, with intervals: what the page of a run shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from aerialseg.metrics.bootstrap import Interval, intervals, sum_by_group
from aerialseg.metrics.scores import (
    dice_per_class,
    iou_per_class,
    macro_dice,
    mean_iou,
    pixel_accuracy,
)

SCORES = {"dice": "Dice", "iou": "mIoU", "accuracy": "accuracy", "boundary": "boundary Dice"}
"""Scores of an image and of all, by key, as they are called."""

SCORE_FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "dice": macro_dice,
    "iou": mean_iou,
    "accuracy": pixel_accuracy,
    "boundary": macro_dice,
}
"""What computes each of them, ``boundary`` from the pixels near a border between classes."""


@dataclass(frozen=True)
class ClassScores:
    """A class on the images.

    Attributes:
        name: Of the class.
        share: Of all labelled pixels, 0 to 1.
        images: In how many images it is.
        iou: ``None`` if it is neither there nor predicted.
        dice: Likewise.
        boundary_dice: Near borders between classes; ``None`` if there is none of it.
        iou_interval: 95 %; ``None`` if it is in too few groups.
        dice_interval: Likewise.
    """

    name: str
    share: float
    images: int
    iou: float | None
    dice: float | None
    boundary_dice: float | None
    iou_interval: Interval | None
    dice_interval: Interval | None


@dataclass(frozen=True, eq=False)
class ImageMatrices:
    """Confusion matrices of images, or of their windows.

    Attributes:
        images: ``(N,)`` the id of the image of each.
        groups: ``(N,)`` the group of each.
        whole: ``(N, C, C)`` int64, of all labelled pixels.
        near_borders: ``(N, C, C)`` int64, of those near a border between classes.
        confidence: ``(256, 2)`` int64, wrong and right pixels by confidence, of all together.
        band: How near that is in pixels, at least and at most.
    """

    images: Sequence[str]
    groups: Sequence[str]
    whole: Tensor
    near_borders: Tensor
    confidence: npt.NDArray[np.int64]
    band: tuple[int, int]

    @property
    def matrix(self) -> npt.NDArray[np.int64]:
        """``(C, C)`` int64, of all images."""
        total: npt.NDArray[np.int64] = self.whole.sum(0).numpy()
        return total

    def scores(self, rows: Sequence[int] | None = None) -> dict[str, float]:
        """The scores of all images, or of some rows, by the keys of ``SCORES``."""
        chosen = slice(None) if rows is None else rows
        return scores_of(self.whole[chosen].sum(0), self.near_borders[chosen].sum(0))

    def groups_of(self, rows: Sequence[int]) -> int:
        """In how many groups some rows are."""
        return len({self.groups[row] for row in rows})

    def intervals(self, rows: Sequence[int] | None = None) -> dict[str, Interval]:
        """The 95 % intervals of these scores over the groups; none if there are too few."""
        chosen = range(len(self.groups)) if rows is None else rows
        groups = [self.groups[row] for row in chosen]
        if not groups:
            return {}
        both = self.whole[list(chosen)], self.near_borders[list(chosen)]
        whole, near = (sum_by_group(each, groups) for each in both)
        found = {
            key: intervals(near if key == "boundary" else whole, score)[0]
            for key, score in SCORE_FUNCTIONS.items()
        }
        return {key: interval for key, interval in found.items() if interval is not None}

    def of_classes(self, names: Sequence[str]) -> list[ClassScores]:
        """The scores of each class.

        Args:
            names: Of the classes, in the order of their ids.
        """
        groups, total = sum_by_group(self.whole, self.groups), self.whole.sum(0)
        by_image = sum_by_group(self.whole, self.images)
        columns = zip(
            names,
            (total.sum(1).double() / total.sum()).tolist(),
            (by_image.sum(2) > 0).sum(0).tolist(),
            _or_none(iou_per_class(total)),
            _or_none(dice_per_class(total)),
            _or_none(dice_per_class(self.near_borders.sum(0))),
            intervals(groups, iou_per_class),
            intervals(groups, dice_per_class),
            strict=True,
        )
        return [ClassScores(*each) for each in columns]


def scores_of(whole: Tensor, near_borders: Tensor) -> dict[str, float]:
    """The scores by the keys of ``SCORES``; NaN where nothing is labelled.

    Args:
        whole: ``(C, C)`` integer confusion matrix.
        near_borders: Likewise, of the pixels near a border between classes.
    """
    return {
        key: float(score(near_borders if key == "boundary" else whole))
        for key, score in SCORE_FUNCTIONS.items()
    }


def _or_none(scores: Tensor) -> list[float | None]:
    return [None if score != score else score for score in scores.tolist()]
