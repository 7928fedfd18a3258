"""The page of an inspection: what was found, the classes, the images."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aerialseg.classes import ClassTable
from aerialseg.data.checks.finding import SEVERITIES
from aerialseg.data.checks.image_measurements import ImageMeasurements
from aerialseg.data.checks.inspected import InspectedImage
from aerialseg.data.checks.inspection import Inspection
from aerialseg.durations import counted
from aerialseg.report.inspection_files import (
    FINDINGS,
    IMAGES,
    images_by_split,
    severities,
    statistics,
)
from aerialseg.report.pages.augmented_samples import SampleSheet
from aerialseg.report.pages.finding_cards import FindingCard
from aerialseg.report.pages.inspection_charts import class_shares, histogram, image_sizes
from aerialseg.report.pages.rendering import as_json, asset, render_page, vega

_CONTENTS = (
    ("findings", "Findings"),
    ("classes", "Classes"),
    ("images", "Images"),
    ("samples", "Training images"),
)
_WORDS = {
    "error": ("Errors", "training would refuse the data, or its scores would mean nothing"),
    "warning": ("Warnings", "may be meant; look before you train"),
    "note": ("Notes", "worth a look"),
}
_NO_SPLIT = "not split"
_BARS = 24  # of a histogram
_MOST_ROWS = 8  # of a small table; what is rarer is counted together


@dataclass(frozen=True)
class InspectionPage:
    """All that the page of an inspection shows.

    Attributes:
        inspection: What was found.
        classes: The classes that are trained.
        cards: The findings, worst first.
        samples: Training images.
        samples_about: Which, and with what augmentation, in words.
        tables: Names of files beside the page that hold groups.
        footer: Who made the page and when.
        review: Relative link to the page of labels to review; empty if there is none.
    """

    inspection: Inspection
    classes: ClassTable
    cards: Sequence[FindingCard]
    samples: SampleSheet
    samples_about: str
    tables: Sequence[str]
    footer: str
    review: str = ""

    def html(self) -> str:
        """The page."""
        charts = self._charts()
        return render_page(
            "inspection.html",
            title="Is this data set fit for training?",
            subtitle=[self.inspection.place],
            contents=_CONTENTS,
            footer=self.footer,
            page_css=asset("inspection.css"),
            figures=self._figures(),
            verdict=self._verdict(),
            files=(FINDINGS, IMAGES, *self.tables),
            review=self.review,
            findings_file=FINDINGS,
            images_file=IMAGES,
            severities=[(each, *_WORDS[each]) for each in SEVERITIES],
            cards=self.cards,
            splits=self._splits(),
            classes=self._class_rows(),
            columns=[split or _NO_SPLIT for split in self._labelled],
            charts_shown=[name for name in charts if name != "classes"],
            tables=self._small_tables(),
            legend=self._swatches(),
            sheet=self.samples,
            samples_about=self.samples_about,
            charts=as_json(charts),
            vega=vega(),
            charts_js=asset("charts.js"),
        )

    @property
    def _measured(self) -> list[tuple[str, ImageMeasurements]]:
        """The split and the measurements of each image that could be read."""
        images = self.inspection.images
        return [(each.sample.split or _NO_SPLIT, m) for each in images if (m := each.measured)]

    @property
    def _labelled(self) -> dict[str, dict[str, Any]]:
        """The statistics of each split that has masks."""
        found = {}
        for name, images in images_by_split(self.inspection):
            facts = statistics(images, self.inspection.classes)
            if facts["without_mask"] < facts["images"]:
                found[name] = facts
        return found

    def _figures(self) -> list[dict[str, str]]:
        """The counts, large at the top."""
        images = self.inspection.images
        broken = sum(not each.is_sound for each in images)
        counts = severities(self.inspection)
        figures = [
            ("images", len(images), f"{broken} with faults" if broken else "all can be read"),
            ("classes", len(self.classes), ""),
            *(
                (f"{each}s", counts[each], "" if counts[each] else "none found")
                for each in SEVERITIES
            ),
        ]
        return [
            {"name": name, "value": f"{number:,}", "note": note, "tone": _tone(name, number)}
            for name, number, note in figures
        ]

    def _verdict(self) -> dict[str, str]:
        """Whether to train on the data, as ``task.require`` would decide."""
        counts = severities(self.inspection)
        if errors := counts["error"]:
            text = f"Not yet: {counted(errors, 'error')} to mend first."
            return {"text": text, "tone": "bad"}
        if warnings := counts["warning"]:
            text = f"Yes, once you have looked at {counted(warnings, 'warning')}."
            return {"text": text, "tone": "fair"}
        return {"text": "Yes: nothing stands against training.", "tone": "good"}

    def _splits(self) -> list[dict[str, Any]]:
        """A row for each split: images with and without mask, and ignored pixels."""
        rows = []
        for name, images in images_by_split(self.inspection):
            facts = statistics(images, self.inspection.classes)
            pixels = sum(facts["class_pixels"].values()) + facts["ignored_pixels"]
            rows.append(
                {
                    "name": name or _NO_SPLIT,
                    "images": facts["images"],
                    "bare": facts["without_mask"],
                    "pixels": sum(facts["class_pixels"].values()),
                    "ignored": facts["ignored_pixels"] / pixels if pixels else None,
                    "nodata": facts["nodata_pixels"] / pixels if pixels else None,
                }
            )
        return rows

    def _class_rows(self) -> list[dict[str, Any]]:
        """For each class its pixels and images in each split that has masks."""
        rows = []
        for swatch in self._swatches():
            name, cells = swatch["name"], []
            for facts in self._labelled.values():
                total = sum(facts["class_pixels"].values())
                pixels = facts["class_pixels"][name]
                share = pixels / total if total else 0.0
                images = facts["images_with_class"][name]
                cells.append({"pixels": pixels, "share": share, "images": images})
            rows.append({**swatch, "cells": cells})
        return rows

    def _swatches(self) -> list[dict[str, str]]:
        pairs = zip(self.classes.names, self.classes.colours, strict=True)
        return [{"name": n, "colour": "rgb({} {} {})".format(*colour)} for n, colour in pairs]

    def _charts(self) -> dict[str, dict[str, Any]]:
        """The charts by name; what there is nothing of is left out."""
        charts = {}
        if self._labelled:
            charts["classes"] = class_shares(self._shares(), self.classes.names)
        if measured := self._measured:
            charts["sizes"] = image_sizes(_by_split((s, m.size) for s, m in measured))
            lumas = _by_split((split, m.brightness) for split, m in measured)
            highest = max(255.0, *(m.brightness for _, m in measured))
            edges = np.linspace(0, highest, _BARS + 1)
            charts["brightness"] = histogram(lumas, edges, title="brightness (mean luma)")
            sharp = _by_split((split, m.sharpness) for split, m in measured)
            found = np.maximum([m.sharpness for _, m in measured], 0.1)
            edges = np.geomspace(found.min() / 1.05, found.max() * 1.05, _BARS + 1)
            title = "sharpness (variance of the Laplacian), logarithmic"
            charts["sharpness"] = histogram(sharp, edges, title=title, is_log=True)
        shares = [(_side(each), each.ignored_share) for each in self.inspection.images]
        known = [(split, share) for split, share in shares if share is not None]
        if known:
            edges = np.linspace(0, 1, 21)
            title = "ignored share of a mask"
            charts["ignored"] = histogram(_by_split(known), edges, title=title, form=".0%")
        return charts

    def _shares(self) -> pd.DataFrame:
        rows = [
            (row["name"], split or _NO_SPLIT, cell["share"], cell["images"])
            for row in self._class_rows()
            for split, cell in zip(self._labelled, row["cells"], strict=True)
        ]
        return pd.DataFrame(rows, columns=["class", "split", "share", "images"])

    def _small_tables(self) -> list[dict[str, Any]]:
        """Formats, cameras and the like: a value, and how many images have it."""
        measured = [each for _, each in self._measured]
        columns: list[tuple[str, list[str]]] = [
            ("format", [each.format for each in measured]),
            ("channels", [str(each.channels) for each in measured]),
            ("camera", [each.camera.camera or "not said" for each in measured]),
            ("EXIF orientation", [_orientation(each.orientation) for each in measured]),
            ("GPS position", ["yes" if each.camera.position else "no" for each in measured]),
        ]
        unread = len(self.inspection.images) - len(measured)
        tables = []
        for name, values in columns:
            ranked = Counter(values + ["cannot be read"] * unread).most_common()
            rows, rest = ranked[:_MOST_ROWS], ranked[_MOST_ROWS:]
            if rest:
                rows.append((f"{len(rest)} others", sum(number for _, number in rest)))
            tables.append({"name": name, "rows": rows})
        return tables


def _tone(name: str, number: int) -> str:
    """The colour of a count: only what was found has one."""
    return {"errors": "bad", "warnings": "fair"}.get(name, "") if number else ""


def _side(image: InspectedImage) -> str:
    return image.sample.split or _NO_SPLIT


def _orientation(number: int) -> str:
    return "1 (upright)" if number == 1 else str(number)


def _by_split(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """The values of each split."""
    values: dict[str, list[Any]] = {}
    for split, value in pairs:
        values.setdefault(split, []).append(value)
    return values
