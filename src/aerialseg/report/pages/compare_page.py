"""The page of a comparison: two runs side by side, and the images on which they differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aerialseg.classes import ClassTable
from aerialseg.durations import counted, duration
from aerialseg.report.comparison import Comparison
from aerialseg.report.pages.charts import compared_curves
from aerialseg.report.pages.gallery import GalleryImage, as_data
from aerialseg.report.pages.rendering import as_json, asset, render_page, vega
from aerialseg.viz.theme import DASH, ONLY_A, ONLY_B

_CONTENTS = (
    ("scores", "Scores"),
    ("classes", "Classes"),
    ("curves", "Learning curves"),
    ("config", "Config"),
    ("images", "Images"),
    ("details", "How they were made"),
)
_LAYERS = {
    "photo": "Image",
    "truth": "Truth",
    "a": "a",
    "b": "b",
    "one_right": "Only one is right",
}
IMAGE_SCORES = {
    "apart": "only one is right",
    "a": "Dice of a",
    "b": "Dice of b",
    "gain": "b - a",
}
"""Scores of an image by key, as they are called."""


@dataclass(frozen=True)
class ComparePage:
    """All that the page of a comparison shows.

    Attributes:
        comparison: The two runs.
        classes: The class table.
        gallery: Images that are shown, with the layers ``photo``, ``truth``, ``a`` and ``b`` and
            scores by the keys of ``IMAGE_SCORES``.
        commands: What was typed for a and for b, with the folder that each was typed in.
        footer: Who made the page and when.
    """

    comparison: Comparison
    classes: ClassTable
    gallery: Sequence[GalleryImage]
    commands: Sequence[tuple[str, Sequence[str]]]
    footer: str

    def html(self) -> str:
        """The page."""
        found = self.comparison
        charts = compared_curves(found.curves, found.names) if len(found.curves) else {}
        return render_page(
            "compare.html",
            title=" and ".join(found.names),
            subtitle=self._subtitle(),
            contents=_CONTENTS,
            footer=self.footer,
            figures=self._figures(),
            where=found.where,
            notes=found.notes,
            no_intervals=found.no_intervals,
            scores=found.scores,
            compared_classes=self._class_rows(),
            charts_names=list(charts),
            settings=found.settings,
            facts=found.facts(),
            names=found.names,
            images_about=self._images_about(),
            sorts=[("Sort by", list(IMAGE_SCORES.items()))],
            orders=((-1, "highest first"), (1, "lowest first")),
            classes=self._class_rows(),
            layers=_LAYERS.items(),
            first_layer="one_right",
            marks=[
                (f"only {side} is right", "rgb({} {} {})".format(*colour))
                for side, colour in zip("ab", (ONLY_A, ONLY_B), strict=True)
            ],
            leaks=False,
            commands=self.commands,
            gallery=as_json(
                as_data(self.gallery, self.classes, IMAGE_SCORES, caption={"a": "a", "b": "b"})
            ),
            charts=as_json(charts),
            vega=vega(),
            charts_js=asset("charts.js"),
            gallery_js=asset("gallery.js"),
        )

    def _subtitle(self) -> list[str]:
        """What a and b are, in a line each."""
        return [
            f"{side}: {stage.name}, {counted(stage.job.result.epochs, 'epoch')}, "
            f"{duration(stage.job.result.seconds)}"
            for side, stage in zip("ab", self.comparison.stages, strict=True)
        ]

    def _figures(self) -> list[dict[str, str]]:
        """The differences in all scores, large at the top."""
        figures = []
        for score in self.comparison.scores:
            value = DASH if score.difference is None else f"{score.difference:+.4f}"
            figures.append({"name": f"{score.name}, b - a", "value": value, "note": score.verdict})
        return figures

    def _class_rows(self) -> list[dict[str, Any]]:
        """The classes, and whether they are in an image that is shown."""
        present = {
            name
            for image in self.gallery
            for name, pixels in zip(self.classes.names, image.matrix.sum(1).tolist(), strict=True)
            if pixels
        }
        pairs = zip(self.comparison.classes, self.classes.colours, strict=True)
        return [
            {
                **vars(row),
                "name": row.name,
                "colour": "rgb({} {} {})".format(*colour),
                "images": row.name in present,
            }
            for row, colour in pairs
        ]

    def _images_about(self) -> str:
        """Which images are shown, in words."""
        shown, total = len(self.gallery), len(self.comparison.images)
        which = f"All {total} images" if shown == total else f"{shown} of {total} images"
        return (
            f"{which}, those first on which most labelled pixels are right by one of the two "
            "alone; below each its Dice by a and by b. Ignored pixels do not count."
        )
