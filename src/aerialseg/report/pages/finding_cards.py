"""The findings of an inspection as a page shows them: with the images that they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aerialseg.classes import ClassTable
from aerialseg.data.checks.finding import Finding
from aerialseg.data.checks.in_parallel import Progress, in_parallel
from aerialseg.data.checks.inspected import InspectedImage
from aerialseg.data.checks.inspection import Inspection
from aerialseg.data.images.reading_settings import Reading
from aerialseg.report.pages.links import image_link
from aerialseg.report.pages.thumbnails import Thumbnail, sample_thumbnails

SHOWN = 12
"""Images, or pairs of images, of a finding; the others are counted."""
_OF_MASKS = frozenset(
    {
        *("unreadable_mask", "ids_out_of_range", "colours_of_no_class", "mask_is_lossy"),
        *("mask_looks_like_colours", "mask_looks_like_ids", "sizes_differ"),
        *("exif_orientation_unsaid", "nothing_to_learn", "mostly_ignored"),
        *("class_absent_from_train", "class_absent_from_val"),
    }
)
"""Codes of findings for which the mask is drawn too."""


@dataclass(frozen=True)
class NamedImage:
    """An image that a finding names.

    Attributes:
        id: Its id, or the name of a file without an image.
        split: The side of the split; empty if there is none.
        thumbnails: What is shown of it; empty if only its name is known.
        fact: What makes it stand out, in words; may be empty.
        file: Relative link to the image; may be empty.
    """

    id: str
    split: str
    thumbnails: tuple[Thumbnail, ...]
    fact: str
    file: str


@dataclass(frozen=True)
class NamedPair:
    """Two images of one place.

    Attributes:
        images: The two.
        fact: How much they share, in words.
    """

    images: tuple[NamedImage, NamedImage]
    fact: str


@dataclass(frozen=True)
class FindingCard:
    """A finding with what is shown of it.

    Attributes:
        finding: The finding.
        images: The first images that it names, unless it is about pairs.
        pairs: The first pairs.
        more: How many images or pairs are not shown, in words; empty if there are none.
    """

    finding: Finding
    images: tuple[NamedImage, ...]
    pairs: tuple[NamedPair, ...]
    more: str


def finding_cards(
    inspection: Inspection,
    readings: Mapping[str, Reading],
    classes: ClassTable,
    *,
    folder: Path,
    progress: Progress,
) -> list[FindingCard]:
    """All findings, worst first.

    Args:
        inspection: What was found.
        readings: How the files of each data set are read, by its name.
        classes: Of the ids that the readings give.
        folder: Of the page, from which links lead to images.
        progress: Shows how far the drawing is.
    """
    images = {image.sample.id: image for image in inspection.images}
    wanted: dict[tuple[str, bool], None] = {}
    for finding in inspection.findings:
        shown = [key for pair in finding.pairs[:SHOWN] for key in pair] or finding.files[:SHOWN]
        with_mask = finding.code in _OF_MASKS
        wanted |= {(key, with_mask): None for key in shown if key in images}

    def draw(key: tuple[str, bool]) -> tuple[Thumbnail, ...]:
        sample = images[key[0]].sample
        reading = readings[sample.data_set]
        return sample_thumbnails(sample, reading, classes, with_mask=key[1])

    drawn = in_parallel(draw, list(wanted), progress, "draw")
    cards = _Cards(inspection, images, dict(zip(wanted, drawn, strict=True)), folder)
    return [cards.of(finding) for finding in inspection.findings]


class _Cards:
    """Makes cards of findings from thumbnails that are drawn."""

    def __init__(
        self,
        inspection: Inspection,
        images: Mapping[str, InspectedImage],
        drawn: Mapping[tuple[str, bool], tuple[Thumbnail, ...]],
        folder: Path,
    ) -> None:
        self._images, self._drawn, self._folder = images, drawn, folder
        self._shares = {
            (pair.one.sample.id, pair.other.sample.id): pair for pair in inspection.pairs
        }

    def of(self, finding: Finding) -> FindingCard:
        """The card of one finding."""
        if finding.pairs:
            pairs = tuple(self._pair(*pair, finding.code) for pair in finding.pairs[:SHOWN])
            return FindingCard(finding, (), pairs, _more(finding.pairs, "pair"))
        images = tuple(self._image(key, finding.code) for key in finding.files[:SHOWN])
        are_images = all(image.thumbnails for image in images)
        more = _more(finding.files, "image" if are_images else "file")
        return FindingCard(finding, images, (), more)

    def _image(self, key: str, code: str) -> NamedImage:
        image = self._images.get(key)
        if image is None:
            return NamedImage(key, "", (), "", "")
        thumbnails = self._drawn[key, code in _OF_MASKS]
        link = image_link(image.sample.image, self._folder)
        return NamedImage(key, image.sample.split or "", thumbnails, _fact(image, code), link)

    def _pair(self, one: str, other: str, code: str) -> NamedPair:
        pair = self._shares.get((one, other)) or self._shares[other, one]
        fact = "the same bytes" if pair.is_copy else f"overlap {pair.share:.0%}"
        return NamedPair((self._image(one, code), self._image(other, code)), fact)


def _more(items: Sequence[object], noun: str) -> str:
    """``78 more images``; empty if all are shown."""
    count = len(items) - SHOWN
    return f"{count} more {noun}{'s' if count > 1 else ''}" if count > 0 else ""


def _fact(image: InspectedImage, code: str) -> str:
    """The measurement that a finding is about."""
    if code == "mostly_ignored":
        return f"{image.ignored_share or 0:.0%} ignored"
    if image.measured is None:
        return ""
    if code in ("dark_image", "bright_image"):
        return f"brightness {image.measured.brightness:.0f}"
    return f"sharpness {image.measured.sharpness:.0f}" if code == "blurred_image" else ""
