"""The page of a run: its stages, scores, confusions and images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aerialseg.classes import ClassTable
from aerialseg.durations import counted, duration
from aerialseg.metrics.bootstrap import FEWEST, Interval
from aerialseg.metrics.calibration import confidence_bins, expected_calibration_error
from aerialseg.report.leakage import Leakage
from aerialseg.report.pages.charts import learning_curves, reliability
from aerialseg.report.pages.gallery import GalleryImage, as_data
from aerialseg.report.pages.rendering import as_json, asset, render_page, vega
from aerialseg.report.run_scores import SCORES, ImageMatrices
from aerialseg.report.stage_verdicts import StageVerdict
from aerialseg.viz.theme import DASH

_CONTENTS = (
    ("stages", "Stages"),
    ("curves", "Learning curves"),
    ("classes", "Classes"),
    ("confusion", "Confusion"),
    ("calibration", "Calibration"),
    ("images", "Images"),
    ("details", "How it was made"),
)
_LAYERS = {
    "photo": "Image",
    "truth": "Truth",
    "prediction": "Prediction",
    "errors": "Errors",
    "confidence": "Confidence",
}


@dataclass(frozen=True)
class RunPage:
    """All that the page of a run shows.

    Attributes:
        run_name: The run.
        subtitle: Lines below the title.
        classes: The class table.
        stages: In the order of training; scores are those of ``images`` validation images.
        curves: As :func:`~aerialseg.report.pages.charts.learning_curves` reads them; may be empty.
        results: Of the last stage, on all validation images.
        leakage: Among these images, if there is some.
        grouped_by: What makes a group, in words; empty if each image is its own.
        protocol: How predictions came about, as ``single scale``.
        gallery: Images that are shown.
        details: Name and value of what the run was made with.
        commands: What was typed for each stage.
        footer: Who made the page and when.
    """

    run_name: str
    subtitle: Sequence[str]
    classes: ClassTable
    stages: Sequence[StageVerdict]
    curves: pd.DataFrame
    results: ImageMatrices
    leakage: Leakage | None
    grouped_by: str
    protocol: str
    gallery: Sequence[GalleryImage]
    details: Sequence[tuple[str, str]]
    commands: Sequence[str]
    footer: str

    def html(self) -> str:
        """The page."""
        curves = learning_curves(self.curves) if len(self.curves) else {}
        bins = confidence_bins(self.results.confidence)
        return render_page(
            "run.html",
            title=f"Run {self.run_name}",
            subtitle=self.subtitle,
            contents=_CONTENTS,
            footer=self.footer,
            figures=self._figures(),
            leakage=self.leakage_about(),
            stages=self.stages,
            stages_about=self._stages_about(),
            curves=list(curves),
            curves_about="Of all stages on one axis of epochs, at the size of training; the table "
            "above is at the images' original size.",
            classes=self._class_rows(),
            classes_about=self._classes_about(),
            groups_word="groups" if self.grouped_by else "images",
            matrix=self._matrix_rows(),
            calibration_about=self._calibration_about(),
            images_about=self._images_about(),
            sorts=self._sorts(),
            orders=((1, "worst first"), (-1, "best first")),
            layers=_LAYERS.items(),
            first_layer="errors",
            marks=(),
            leaks=any(image.seen_in for image in self.gallery),
            details=self.details,
            commands=self.commands,
            gallery=as_json(as_data(self.gallery, self.classes, SCORES)),
            charts=as_json({**curves, "calibration": reliability(bins)}),
            vega=vega(),
            charts_js=asset("charts.js"),
            gallery_js=asset("gallery.js"),
        )

    def _figures(self) -> list[dict[str, str]]:
        """The scores of all images and the time of training, large at the top."""
        figures = []
        scores, notes = self.results.scores(), _notes(self.results.intervals())
        rows = self.rows_left()
        left, notes_left = self.results.scores(rows), _notes(self.results.intervals(rows))
        for key, name in SCORES.items():
            figure = {"name": name, "value": _four_digits(scores[key]), "note": notes.get(key, "")}
            if rows:
                figure["left"] = _four_digits(left[key])
                figure["left_note"] = notes_left.get(key, "")
            figures.append(figure)
        time = sum(stage.seconds for stage in self.stages)
        stages = counted(len(self.stages), "stage")
        return [*figures, {"name": "training", "value": duration(time), "note": stages}]

    def rows_left(self) -> list[int]:
        """Where what does not leak stands; empty if nothing leaks, or everything does."""
        return [] if self.leakage is None else self.leakage.rows_left(self.results.images)

    def leakage_about(self) -> str:
        """What leaks, in words, and in how many groups the others are; empty if nothing does."""
        if self.leakage is None:
            return ""
        text, rows = self.leakage.sentence("validation image"), self.rows_left()
        if rows and self.grouped_by:
            groups = counted(self.results.groups_of(rows), "group")
            text = f"{text} They are in {groups} of {self.groups} ({self.grouped_by})."
        return f"{text} All that follows is of all images." if rows else text

    @property
    def groups(self) -> int:
        """How many groups of images are scored."""
        return len(set(self.results.groups))

    def where(self) -> str:
        """The images and groups of all scores, in words."""
        images = counted(len(set(self.results.images)), "validation image")
        if not self.grouped_by:
            return f"{images}, each taken to be of a place of its own"
        return f"{images} in {counted(self.groups, 'group')} ({self.grouped_by})"

    def _stages_about(self) -> str:
        """Of which images the scores are, and what the intervals mean, in words."""
        text = f"Scores of {self.where()}, at their original size, {self.protocol}. "
        if self.groups < FEWEST:
            return f"{text}So few groups tell nothing about chance; intervals need {FEWEST}."
        return (
            f"{text}Small figures are 95 % intervals by a bootstrap over the groups, of a gain "
            "over the same groups before and after."
        )

    def _classes_about(self) -> str:
        """What the scores of classes are, in words."""
        least, most = self.results.band
        band = f"{least}" if least == most else f"{least} to {most}"
        return (
            "Of the last stage. Boundary Dice counts the pixels that are at most "
            f"{band} pixels from a border between classes."
        )

    def _calibration_about(self) -> str:
        error = expected_calibration_error(self.results.confidence)
        return (
            "How often the network is right where it is so sure; on the dashed line it is right as "
            f"often as it says. Expected calibration error: {error:.3f}."
        )

    def _images_about(self) -> str:
        """Which of the validation images are shown, in words."""
        shown, total = len(self.gallery), len(self.results.images)
        whole = len(set(self.results.images)) == total
        what = "validation images" if whole else "windows of validation images"
        if shown == total:
            return f"All {what}."
        return (
            f"{shown} of {total} {what}: the worst ones, and for each pair of classes the one with "
            "most pixels confused."
        )

    def _sorts(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What images can be sorted by, in groups: key and name."""
        classes = [
            (f"class:{row['id']}", f"IoU of {row['name']}")
            for row in self._class_rows()
            if row["iou"] is not None
        ]
        return [("Worst first", list(SCORES.items())), ("Worst first, of a class", classes)]

    def _class_rows(self) -> list[dict[str, Any]]:
        scores = self.results.of_classes(self.classes.names)
        pairs = enumerate(zip(scores, self.classes.colours, strict=True))
        return [
            {**vars(row), "id": index, "colour": "rgb({} {} {})".format(*colour)}
            for index, (row, colour) in pairs
        ]

    def _matrix_rows(self) -> list[list[dict[str, Any]]]:
        """The cells of the confusion matrix, row by row."""
        matrix = self.results.matrix
        shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        return [
            [
                {
                    "pixels": int(pixels),
                    "share": float(share),
                    "text": _percent(float(share), pixels),
                }
                for pixels, share in zip(row, row_shares, strict=True)
            ]
            for row, row_shares in zip(matrix.tolist(), shares.tolist(), strict=True)
        ]


def _notes(found: Mapping[str, Interval]) -> dict[str, str]:
    """Intervals by score, in words."""
    return {key: f"95 %: {each.low:.3f} to {each.high:.3f}" for key, each in found.items()}


def _four_digits(score: float) -> str:
    return DASH if math.isnan(score) else f"{score:.4f}"


def _percent(share: float, pixels: int) -> str:
    """A share in percent, short; empty if there is not one pixel."""
    if not pixels:
        return ""
    percent = 100 * share
    if percent < 0.1:
        return "<0.1"
    return f"{percent:.1f}" if percent < 10 else f"{percent:.0f}"
