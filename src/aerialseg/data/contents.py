"""What a data set holds: its samples in their splits, and the pixels per class of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.data.cache.counts import class_counts
from aerialseg.data.images.reading import MaskFormat
from aerialseg.data.layouts.listing import Listing, Sample, Split
from aerialseg.data.splits import split_samples
from aerialseg.storage.fingerprints import file_size, fingerprint

_PADDING = 1.25
"""Up to a quarter more pixels for the sake of one size."""


@dataclass(frozen=True)
class Contents:
    """A data set that has been checked, counted and split.

    Attributes:
        samples: All of them, in the order of their listing; each has a split.
        counts: ``(len(samples), num_classes)`` int64 pixels of each class.
        sample_submission: The competition's example of a submission, where there is one.
    """

    samples: tuple[Sample, ...]
    counts: npt.NDArray[np.int64]
    sample_submission: Path | None

    def rows(self, split: Split) -> npt.NDArray[np.intp]:
        """Where the samples of a split stand among all."""
        return np.flatnonzero([sample.split == split for sample in self.samples])

    def of(self, split: Split) -> tuple[Sample, ...]:
        """The samples of one split."""
        return tuple(sample for sample in self.samples if sample.split == split)

    def fingerprint(self, *more: object) -> str:
        """Sha256 of ids, splits, file sizes, counts and ``more``; copied files have the same."""
        files = [
            (sample.id, sample.split, file_size(sample.image), file_size(sample.mask))
            for sample in self.samples
        ]
        return fingerprint(files, self.counts.tobytes(), *more)

    def reduced(self, samples_per_split: int) -> Listing:
        """A few samples of training and validation, evenly spread over each."""
        train, val = (_spread(self.of(split), samples_per_split) for split in ("train", "val"))
        return Listing((*train, *val))


def read_contents(
    listing: Listing,
    classes: ClassTable,
    *,
    mask_format: MaskFormat,
    max_megapixels: float,
    val_fraction: float,
    seed: int,
    group_pattern: str | None,
    cache_dir: Path,
) -> Contents:
    """Checks and counts the listed samples, and splits those that have no split.

    The arguments are those of the data module.

    Raises:
        DataError: If anything about the data set is not as it should be.
        ConfigError: If ``val_fraction`` or ``group_pattern`` is not of its kind.
    """
    counts = class_counts(
        listing.samples,
        classes,
        mask_format=mask_format,
        max_megapixels=max_megapixels,
        cache_dir=cache_dir,
    )
    samples = split_samples(
        listing.samples,
        counts > 0,
        val_fraction=val_fraction,
        seed=seed,
        group_pattern=group_pattern,
        cache_dir=cache_dir,
    )
    return Contents(samples, counts, listing.sample_submission)


def common_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Height and width that hold all of ``sizes``; None if that takes too many more pixels."""
    height, width = (max(edges) for edges in zip(*sizes, strict=True))
    pixels = sum(height * width for height, width in sizes)
    return (height, width) if height * width * len(sizes) <= _PADDING * pixels else None


def _spread(samples: Sequence[Sample], count: int) -> Sequence[Sample]:
    return samples[:: max(1, len(samples) // count)][:count]
