"""Regions of all images in which networks contradict the masks, the most doubtful first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aerialseg.data.checks.in_parallel import Progress
from aerialseg.data.checks.inspected import InspectedImage
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.labels.disagreements import Disagreement, Judgement, find_disagreements
from aerialseg.data.labels.review_record import TrainedOn
from aerialseg.data.layouts.listing import Sample
from aerialseg.inference.label_judgement import judge_labels
from aerialseg.report.sheet_rows import image_array
from aerialseg.training.label_judges import LabelJudges
from aerialseg.viz.band_colours import as_rgb
from aerialseg.viz.theme import RGBImage

_TRUST: dict[TrainedOn, int] = {"no": 0, "unknown": 1, "yes": 2}


@dataclass(frozen=True)
class ReviewLimits:
    """What is reviewed.

    Attributes:
        regions: Most regions.
        border: As of :func:`~aerialseg.data.labels.disagreements.find_disagreements`.
        least_pixels: Likewise.
    """

    regions: int
    border: int | None
    least_pixels: int | None


@dataclass(frozen=True, eq=False)
class JudgedImage:
    """An image with its judgement.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB.
        judgement: Of its labels.
        trained_on: Whether the networks were trained on it.
        judged_by: Their checkpoints.
    """

    image: RGBImage
    judgement: Judgement
    trained_on: TrainedOn
    judged_by: tuple[str, ...]


@dataclass(frozen=True)
class DoubtfulRegion:
    """A region of one of the images.

    Attributes:
        index: Of the image.
        found: The region.
        trained_on: Whether the networks were trained on the image.
        judged_by: Their checkpoints.
    """

    index: int
    found: Disagreement
    trained_on: TrainedOn
    judged_by: tuple[str, ...]

    @property
    def order(self) -> tuple[int, bool, float, int]:
        """Images that were not trained on come first, then what no other crop shows, by score."""
        found = self.found
        return _TRUST[self.trained_on], found.is_companion, found.score, self.index


@dataclass(frozen=True)
class LabelRanking:
    """The most doubtful regions.

    Attributes:
        regions: As many as were asked for.
        found: How many there are altogether, by whether their images were trained on.
        images: How many images were judged, likewise.
    """

    regions: tuple[DoubtfulRegion, ...]
    found: Counter[TrainedOn]
    images: Counter[TrainedOn]


class JudgedImages:
    """The labelled images that can be used, judged one at a time.

    Args:
        data: The data, read as the judges were trained.
        judges: The networks.
        images: Of the inspection.
    """

    def __init__(
        self, data: AerialSegDataModule, judges: LabelJudges, images: Sequence[InspectedImage]
    ) -> None:
        usable = [each for each in images if each.is_sound and each.sample.mask is not None]
        self.samples: list[Sample] = [each.sample for each in usable]
        self._digests = [each.measured.digest for each in usable if each.measured is not None]
        self._judges, self._window = judges, data.window
        self._dataset: SemSegDataset = data.dataset(self.samples, original_size=True)

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of one image, upright if orientations are applied."""
        return self._dataset.files.size(self.samples[index])

    def judged(self, index: int) -> JudgedImage:
        """What the networks say about one image."""
        predictors, trained_on = self._judges.of_image(self._digests[index])
        sample = self._dataset[index]
        image, mask = image_array(sample), sample["mask"].numpy()
        judgement = judge_labels(predictors, image, mask, window=self._window)
        judged_by = tuple(str(each.checkpoint) for each in predictors)
        return JudgedImage(as_rgb(image), judgement, trained_on, judged_by)


def rank_labels(images: JudgedImages, limits: ReviewLimits, *, progress: Progress) -> LabelRanking:
    """Judges all images, one in memory at a time, and keeps the most doubtful regions.

    Args:
        images: The images.
        limits: What is reviewed.
        progress: Shows how far it is.
    """
    kept: list[DoubtfulRegion] = []
    found: Counter[TrainedOn] = Counter()
    judged_images: Counter[TrainedOn] = Counter()
    for index in progress(range(len(images.samples)), "labels"):
        judged = images.judged(index)
        here = find_disagreements(
            judged.judgement, border=limits.border, least_pixels=limits.least_pixels
        )
        kept += [DoubtfulRegion(index, each, judged.trained_on, judged.judged_by) for each in here]
        kept = sorted(kept, key=lambda each: each.order)[: limits.regions]
        found[judged.trained_on] += len(here)
        judged_images[judged.trained_on] += 1
    return LabelRanking(tuple(kept), found, judged_images)
