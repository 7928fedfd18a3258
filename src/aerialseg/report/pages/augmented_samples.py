"""Training images of a page: as they are stored, and as training would augment them."""

from dataclasses import dataclass

from aerialseg.data.dataset import SemSegDataset
from aerialseg.errors import DataError
from aerialseg.report.pages.thumbnails import Thumbnail, masked_thumbnail, thumbnail
from aerialseg.report.sheet_rows import random_indices, sample_row

SAMPLES, VERSIONS = 6, 2
"""How many images, and how many augmented versions of each."""


@dataclass(frozen=True)
class ShownVersion:
    """A training image as it is stored, or one augmented version of it.

    Attributes:
        name: Which of them.
        image: The image.
        masked: The image below its mask; None where there is no mask.
    """

    name: str
    image: Thumbnail
    masked: Thumbnail | None


@dataclass(frozen=True)
class ShownSample:
    """One training image.

    Attributes:
        id: Its id.
        versions: As stored, then augmented; empty if it cannot be read.
        problem: Why; empty if it can.
    """

    id: str
    versions: tuple[ShownVersion, ...]
    problem: str = ""


@dataclass(frozen=True)
class SampleSheet:
    """Some training images.

    Attributes:
        samples: The images.
        is_augmented: Whether training changes images at all.
        problem: Why there are none; empty if there are some.
    """

    samples: tuple[ShownSample, ...]
    is_augmented: bool
    problem: str = ""


def augmented_samples(dataset: SemSegDataset, *, seed: int) -> SampleSheet:
    """Images chosen by a seed, as the first epochs of training would show them.

    Args:
        dataset: The training images, with their augmentation.
        seed: Decides which.
    """
    chosen = random_indices(dataset, SAMPLES, seed=seed)
    samples = tuple(_shown(dataset, index) for index in chosen)
    return SampleSheet(samples, dataset.is_augmented, "" if samples else "there are none")


def _shown(dataset: SemSegDataset, index: int) -> ShownSample:
    """One training image in all its versions, or why it cannot be read."""
    try:
        row = sample_row(dataset, index, augmented_versions=VERSIONS)
    except DataError as error:
        return ShownSample(dataset.samples[index].id, (), str(error))
    names = ["as stored", *(f"augmented, epoch {n + 1}" for n in range(len(row.augmented)))]
    versions = [(row.image, row.mask), *row.augmented]
    shown = []
    for name, (image, mask) in zip(names, versions, strict=True):
        what = f"{row.id}, {name}"
        over = None
        if mask is not None:
            over = masked_thumbnail(image, mask, dataset.classes, f"{what}, with its mask")
        shown.append(ShownVersion(name, thumbnail(image, what), over))
    return ShownSample(row.id, tuple(shown))
