"""Scores of two networks, a and b, on the same images, and whether they differ more than chance."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from aerialseg.metrics.bootstrap import FEWEST, Interval, paired_differences, sum_by_group
from aerialseg.metrics.scores import dice_per_class, iou_per_class
from aerialseg.report.run_scores import SCORE_FUNCTIONS, SCORES


@dataclass(frozen=True)
class ScoreDifference:
    """A score of both.

    Attributes:
        name: What is scored: ``Dice``, or a class.
        a: Of the one; ``None`` if a class is neither in the images nor predicted.
        b: Of the other.
        difference: ``b - a``.
        interval: 95 %, over the same groups of images for both; ``None`` if too few have it.
    """

    name: str
    a: float | None
    b: float | None
    difference: float | None
    interval: Interval | None

    @property
    def better(self) -> Literal["a", "b", ""]:
        """Which is surely better; empty if that cannot be told."""
        if self.interval is None or self.interval.low <= 0 <= self.interval.high:
            return ""
        return "b" if self.interval.low > 0 else "a"

    @property
    def verdict(self) -> str:
        """The same in words."""
        if self.difference is None:
            return "absent" if self.a is None and self.b is None else "predicted by one only"
        if self.interval is None:
            return "too few groups to tell"
        if self.better:
            return f"{self.better} is better"
        ends = (self.interval.low, self.interval.high)
        return "no difference" if ends == (0, 0) else "no sure difference"

    def to_mapping(self) -> dict[str, Any]:
        """As ``compare.json`` holds it."""
        ends = None if self.interval is None else [self.interval.low, self.interval.high]
        return {
            "name": self.name,
            "a": self.a,
            "b": self.b,
            "difference": self.difference,
            "interval": ends,
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class ClassDifference:
    """A class of both.

    Attributes:
        id: Of the class.
        share: Of all labelled pixels, 0 to 1.
        iou: Its IoU.
        dice: Its Dice.
    """

    id: int
    share: float
    iou: ScoreDifference
    dice: ScoreDifference

    @property
    def name(self) -> str:
        """The class."""
        return self.iou.name

    def to_mapping(self) -> dict[str, Any]:
        """As ``compare.json`` holds it."""
        scores = {"iou": self.iou.to_mapping(), "dice": self.dice.to_mapping()}
        for each in scores.values():
            del each["name"]
        return {"name": self.name, "share": self.share, **scores}


@dataclass(frozen=True, eq=False)
class PairedMatrices:
    """Confusion matrices of the same images by both.

    Attributes:
        groups: ``(N,)`` the group of each image.
        whole: ``(2, N, C, C)`` int64, of a and of b, of all labelled pixels.
        near_borders: Likewise, of those near a border between classes.
    """

    groups: Sequence[str]
    whole: Tensor
    near_borders: Tensor

    def scores(self) -> list[ScoreDifference]:
        """The scores of all images, in the order of ``SCORES``."""
        return [
            self._differences(
                [name],
                self.near_borders if key == "boundary" else self.whole,
                SCORE_FUNCTIONS[key],
            )[0]
            for key, name in SCORES.items()
        ]

    def of_classes(self, names: Sequence[str]) -> list[ClassDifference]:
        """The scores of each class.

        Args:
            names: Of the classes, in the order of their ids.
        """
        total = self.whole[0].sum(0)
        shares = (total.sum(1).double() / total.sum()).tolist()
        iou = self._differences(names, self.whole, iou_per_class)
        dice = self._differences(names, self.whole, dice_per_class)
        columns = enumerate(zip(shares, iou, dice, strict=True))
        return [ClassDifference(index, *each) for index, each in columns]

    def _differences(
        self, names: Sequence[str], matrices: Tensor, score: Callable[[Tensor], Tensor]
    ) -> list[ScoreDifference]:
        """Scores of all images, with intervals of their difference over the groups."""
        a, b = (sum_by_group(each, self.groups) for each in matrices)
        of_a, of_b = (_as_list(score(each.sum(0))) for each in (a, b))
        found = paired_differences(a, b, score)
        return [
            ScoreDifference(name, _known(x), _known(y), _known(difference), interval)
            for name, x, y, (difference, interval) in zip(names, of_a, of_b, found, strict=True)
        ]


def why_no_intervals(groups: int) -> str:
    """Why so few groups have no interval; empty if they have."""
    if groups >= FEWEST:
        return ""
    return (
        f"no intervals: {groups} groups of images tell nothing about chance, wanted {FEWEST} "
        "or more"
    )


def _as_list(scores: Tensor) -> list[float]:
    found: list[float] = scores.view(-1).tolist()
    return found


def _known(score: float) -> float | None:
    return None if math.isnan(score) else score
