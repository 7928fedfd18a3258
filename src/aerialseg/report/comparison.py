"""Two runs side by side: all that the terminal, the page and ``compare.json`` say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aerialseg.durations import counted, duration
from aerialseg.report.config_differences import ConfigDifferences
from aerialseg.report.named_stages import NamedStage
from aerialseg.report.score_differences import ClassDifference, ScoreDifference, why_no_intervals

SIDES = ("a", "b")
"""What the two are called, in the order in which they were named."""


@dataclass(frozen=True)
class ImageDifference:
    """An image of both.

    Attributes:
        id: Its id.
        dice: Of a and of b; NaN where nothing is labelled.
        only_right: The share of the labelled pixels on which a alone is right, and b alone.
    """

    id: str
    dice: tuple[float, float]
    only_right: tuple[float, float]

    @property
    def apart(self) -> float:
        """The share of the labelled pixels on which one alone is right, 0 to 1."""
        return sum(self.only_right)

    def to_mapping(self) -> dict[str, Any]:
        """As ``compare.json`` holds it."""
        dice = [None if score != score else score for score in self.dice]
        return {
            "id": self.id,
            "dice": dict(zip(SIDES, dice, strict=True)),
            "only_right": dict(zip(SIDES, self.only_right, strict=True)),
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two stages, a and b, on the same images.

    Attributes:
        stages: The two.
        notes: Which images were left out and why, a line each.
        place: Where the images lie.
        groups: How many groups of images there are.
        grouped_by: What makes a group, in words; empty if each image is its own.
        scores: Of all images.
        classes: Of each class.
        images: Of each image, in the order of their listing.
        settings: What differs between their configs.
        curves: Of each epoch of both, with the columns ``run``, ``stage`` and ``epoch``, and those
            of :func:`~aerialseg.report.logged_curves.read_curves`; may be empty.
    """

    stages: tuple[NamedStage, NamedStage]
    notes: Sequence[str]
    place: str
    groups: int
    grouped_by: str
    scores: Sequence[ScoreDifference]
    classes: Sequence[ClassDifference]
    images: Sequence[ImageDifference]
    settings: ConfigDifferences
    curves: pd.DataFrame

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called."""
        return self.stages[0].name, self.stages[1].name

    @property
    def where(self) -> str:
        """What the scores are of, in words."""
        images = f"{counted(len(self.images), 'image')} of {self.place}, original size"
        if not self.grouped_by:
            return f"{images}; each is taken to be of a place of its own"
        return f"{images}, in {counted(self.groups, 'group')} ({self.grouped_by})"

    @property
    def no_intervals(self) -> str:
        """Why there are no intervals; empty if there are."""
        return why_no_intervals(self.groups)

    @property
    def most_different(self) -> list[int]:
        """The images on which the two differ most first, as indices of ``images``."""
        return sorted(range(len(self.images)), key=lambda row: -self.images[row].apart)

    def facts(self) -> list[tuple[str, str, str]]:
        """What each run was and took: a name, and the value of a and of b."""
        return [(name, *values) for name, *values in zip(*_columns(self.stages), strict=True)]

    def to_mapping(self) -> dict[str, Any]:
        """As ``compare.json`` holds it."""
        return {
            "runs": {
                side: _as_mapping(stage) for side, stage in zip(SIDES, self.stages, strict=True)
            },
            "notes": list(self.notes),
            "images": len(self.images),
            "groups": self.groups,
            "grouped_by": self.grouped_by,
            "no_intervals": self.no_intervals,
            "scores": [each.to_mapping() for each in self.scores],
            "classes": [each.to_mapping() for each in self.classes],
            "config": self.settings.to_mapping(),
            "curves": _plain_rows(self.curves),
            "each_image": [self.images[row].to_mapping() for row in self.most_different],
        }


def _columns(stages: Sequence[NamedStage]) -> list[list[str]]:
    """The names of the facts, and those of each stage."""
    columns = [["stages", "best epoch", "trained parameters", "training", "with stages before"]]
    for stage in stages:
        result = stage.job.result
        columns.append(
            [
                ", ".join(job.name for job in stage.jobs),
                f"{result.best_epoch} of {result.epochs}",
                f"{result.trainable_parameters:,}",
                duration(result.seconds),
                duration(_seconds(stage)),
            ]
        )
    if all(len(stage.jobs) == 1 for stage in stages):
        columns = [column[:-1] for column in columns]
    return columns


def _seconds(stage: NamedStage) -> float:
    return sum(job.result.seconds for job in stage.jobs)


def _as_mapping(stage: NamedStage) -> dict[str, Any]:
    """A stage as ``compare.json`` holds it."""
    result = stage.job.result
    return {
        "name": stage.name,
        "checkpoint": str(stage.checkpoint),
        "stages": [job.name for job in stage.jobs],
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "trainable_parameters": result.trainable_parameters,
        "seconds": result.seconds,
        "seconds_with_stages_before": _seconds(stage),
        "recorded": dict(result.scores),
    }


def _plain_rows(curves: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Rows without what was not logged."""
    return [
        {str(key): value for key, value in row.items() if value == value}
        for row in curves.to_dict("records")
    ]
