"""The model card of a run: what the network is for, how well it does, and where it fails."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aerialseg.durations import counted
from aerialseg.metrics.bootstrap import FEWEST, Interval
from aerialseg.metrics.calibration import expected_calibration_error
from aerialseg.report.pages.rendering import render_text
from aerialseg.report.pages.run_page import RunPage
from aerialseg.report.run_scores import SCORES
from aerialseg.storage.checkpoints import Description
from aerialseg.viz.theme import DASH

_WORST = 5
_MARKUP = re.compile(r"[\\`*\[\]|]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
"""What could begin a link, a cell or an emphasis; within words an underscore does not."""
_Row = Sequence[str]


@dataclass(frozen=True)
class ModelCard:
    """All that the card says.

    Attributes:
        page: The page of the run, whose scores, stages and images are those of the card.
        description: What the checkpoint of the last stage says about itself.
        place: Where the data lie.
        start: What the first stage started from, as recorded in its provenance.
    """

    page: RunPage
    description: Description
    place: str
    start: Mapping[str, str | None]

    def markdown(self) -> str:
        """The card, as Markdown with the header that model hubs read."""
        page, description = self.page, self.description
        return render_text(
            "model_card.md",
            cell=as_cell,
            run_name=page.run_name,
            classes=page.classes.names,
            where=page.where(),
            protocol=page.protocol,
            scores=self._scores(),
            leakage=page.leakage_about(),
            scale=_scale(description),
            worst_classes=self._worst_classes(),
            worst_images=self._worst_images(),
            calibration_error=f"{expected_calibration_error(page.results.confidence):.3f}",
            by_class=self._by_class(),
            about_intervals=self._about_intervals(),
            data=self._data(),
            network=_network(description),
            start=_start(self.start),
            details=page.details,
            stages=self._stages(),
            commands=page.commands,
            footer=page.footer,
        )

    def _scores(self) -> list[_Row]:
        """Each score with its interval, and again without leakage where images leak."""
        rows = self.page.rows_left()
        chosen = [("", None), *([(" without leakage", rows)] if rows else [])]
        found: list[_Row] = []
        for about, each in chosen:
            values, ends = self.page.results.scores(each), self.page.results.intervals(each)
            found += [
                (f"{name}{about}", _score(values[key]), _ends(ends.get(key)))
                for key, name in SCORES.items()
            ]
        return found

    def _about_intervals(self) -> str:
        """What the intervals are of, or why there are none."""
        if self.page.groups < FEWEST:
            return f"Intervals need {FEWEST} groups of images."
        return (
            f"95 % intervals by a bootstrap over groups of images; a class that is in fewer than "
            f"{FEWEST} groups with the network's errors on it has none."
        )

    def _by_class(self) -> list[_Row]:
        """Share of pixels, images and scores of each class, with intervals."""
        return [
            (
                row.name,
                f"{row.share:.2%}",
                f"{row.images:,}",
                _score(row.iou),
                _ends(row.iou_interval),
                _score(row.dice),
                _ends(row.dice_interval),
            )
            for row in self.page.results.of_classes(self.page.classes.names)
        ]

    def _worst_classes(self) -> list[_Row]:
        """Of the classes that are in the images, those with the lowest IoU."""
        names, matrix = self.page.classes.names, self.page.results.matrix
        rows = []
        for index, row in enumerate(self.page.results.of_classes(names)):
            if not row.images or row.iou is None:
                continue
            wrong = matrix[index].copy()
            pixels, wrong[index] = wrong.sum(), 0
            share = wrong.max() / pixels
            mistaken = f"{names[int(wrong.argmax())]} ({share:.0%} of its pixels)" if share else ""
            rows.append((row.iou, (row.name, _score(row.iou), f"{row.share:.2%}", mistaken)))
        return [cells for _, cells in sorted(rows, key=lambda row: row[0])[:_WORST]]

    def _worst_images(self) -> list[_Row]:
        scored = [(image.scores["dice"], image.id) for image in self.page.gallery if image.scores]
        return [(name, _score(dice)) for dice, name in sorted(scored)[:_WORST]]

    def _data(self) -> str:
        """The images that it was trained and scored on."""
        seen = self.description.seen
        if seen is None:
            return f"{self.place}; the checkpoint does not say which images it was trained on"
        trained, validated = (
            counted(sum(map(len, each.values())), "image")
            for each in (seen.trained, seen.validated)
        )
        return f"{self.place}; {trained} to train on, {validated} to validate on"

    def _stages(self) -> list[_Row]:
        """All stages, in the order of training."""
        return [
            (
                stage.name,
                f"{stage.trainable_parameters:,}",
                f"{stage.epochs}, best {stage.best_epoch}",
                _score(stage.dice),
                _score(stage.miou),
                "" if stage.gain is None else f"{stage.gain:+.4f}",
                stage.verdict,
                stage.time,
            )
            for stage in self.page.stages
        ]


def as_cell(text: str) -> str:
    """Text on one line of Markdown, in a table too, that is no markup."""
    line = html.escape(" ".join(text.split()), quote=False)
    return _MARKUP.sub(r"\\\g<0>", line)


def _score(value: float | None) -> str:
    return DASH if value is None or value != value else f"{value:.4f}"


def _ends(interval: Interval | None) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}" if interval else ""


def _scale(description: Description) -> str:
    """How large things may be in images."""
    edge, trained = description.image_min_size, description.original_min_size
    size = f"of about {trained} pixels on their smaller edge" if trained else "of about their size"
    return f"{size}; they are scaled to {edge} pixels" if edge else f"{size}; they are not scaled"


def _network(description: Description) -> str:
    name = str(description.network.get("_target_", "")).rpartition(".")[2]
    return f"{name}, {counted(description.channels, 'channel')}"


def _start(start: Mapping[str, str | None]) -> str:
    """What the first stage started from."""
    if path := start.get("path"):
        return f"{path}, sha256 {start.get('sha256')}"
    weights = start.get("weights")
    if weights is None:
        return "not recorded"
    return "random weights" if weights == "none" else f"the published weights {weights}"
