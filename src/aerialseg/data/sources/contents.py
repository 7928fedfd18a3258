"""What a data set holds: its samples in their splits, and the pixels per class of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median_low

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.counts import count_labels
from aerialseg.data.cache.image_facts import ImageFacts, image_facts
from aerialseg.data.checks.label_checks import LabelCounts, check_labels
from aerialseg.data.checks.label_tags import check_nodata_tags
from aerialseg.data.images.reading import read_header
from aerialseg.data.images.reading_settings import FileKind, Reading
from aerialseg.data.layouts.listing import Listing, Sample, Split
from aerialseg.data.sources.class_map import ClassMap
from aerialseg.data.sources.cutting import cut_samples, image_id
from aerialseg.data.sources.splits import SplitSettings, split_samples
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import file_size, fingerprint

_PADDING = 1.25
"""Up to a quarter more pixels for the sake of one size."""


@dataclass(frozen=True)
class Contents:
    """A data set that has been checked and counted.

    Attributes:
        samples: All images, in the order of their listing.
        served: What loaders serve of them: windows of large images, and the others as they are.
        origins: ``(len(served),)`` the index in ``samples`` of the image that each is of.
        labels: The pixels of each mask, a row for each in ``served``: of a window its share, so
            that no pixel of an image counts twice.
        images: Digest and size of each image.
        sample_submission: The competition's example of a submission, where there is one.
    """

    samples: tuple[Sample, ...]
    served: tuple[Sample, ...]
    origins: npt.NDArray[np.intp]
    labels: LabelCounts
    images: ImageFacts
    sample_submission: Path | None

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """``(len(samples), num_classes)`` int64 pixels of each class in each image."""
        counts = np.zeros((len(self.samples), self.labels.classes.shape[1]), dtype=np.int64)
        np.add.at(counts, self.origins, self.labels.classes)
        return counts

    def rows(self, split: Split) -> npt.NDArray[np.intp]:
        """Where the images of a split stand among all."""
        return np.flatnonzero([sample.split == split for sample in self.samples])

    def of(self, split: Split) -> tuple[Sample, ...]:
        """The images of one split."""
        return tuple(sample for sample in self.samples if sample.split == split)

    def served_rows(self, split: Split) -> npt.NDArray[np.intp]:
        """Where what is served of a split stands among all that is."""
        return np.flatnonzero([sample.split == split for sample in self.served])

    def served_of(self, images: Split | Sequence[Sample]) -> tuple[Sample, ...]:
        """What is served of the images of a split, or of some images, in their order."""
        if isinstance(images, str):
            return tuple(sample for sample in self.served if sample.split == images)
        parts: dict[str, list[Sample]] = {}
        for sample in self.served:
            parts.setdefault(image_id(sample), []).append(sample)
        return tuple(part for image in images for part in parts[image_id(image)])

    def served_sizes(self, split: Split) -> list[tuple[int, int]]:
        """Height and width of what is served of a split, before it is resized."""
        sizes = self.images.sizes[self.origins]
        rows = self.served_rows(split)
        served = ((self.served[row].window, sizes[row].tolist()) for row in rows)
        return [(size[0], size[1]) if part is None else part.box.size for part, size in served]

    def cut(self, split: Split) -> tuple[int, int]:
        """How many images of a split are served in windows, and how many windows these are."""
        rows = [row for row in self.served_rows(split) if self.served[row].window is not None]
        return len(np.unique(self.origins[rows])), len(rows)

    def file_kind(self, reading: Reading) -> FileKind:
        """What the pixels of the images are, which is one thing where bands are named."""
        return read_header(self.samples[0].image, reading)[1]

    def lacking_data(self) -> tuple[Sample, ...]:
        """What is served of labelled images that lacks data somewhere."""
        rows = np.flatnonzero(self.labels.nodata).tolist()
        return tuple(self.served[row] for row in rows)

    def labelled(self) -> tuple[Sample, ...]:
        """The samples with a mask, of all splits."""
        return tuple(sample for sample in self.samples if sample.mask is not None)

    def digests(self) -> dict[str, str]:
        """The digest of each image by id."""
        return {s.id: digest for s, digest in zip(self.samples, self.images.digests, strict=True)}

    def ids_by_digest(self, split: Split) -> dict[str, list[str]]:
        """The ids of a split's images by digest: images of one content have one."""
        found: dict[str, list[str]] = {}
        for row in self.rows(split):
            found.setdefault(self.images.digests[row], []).append(self.samples[row].id)
        return found

    def median_edge(self) -> int:
        """The median of the smaller edges of training images or windows as stored, in pixels."""
        return median_low(min(size) for size in self.served_sizes("train"))

    def divided(self, settings: SplitSettings, cache_dir: Path) -> "Contents":
        """The same, with a split for each sample that has none.

        Raises:
            DataError: If training or validation is left without a sample.
            ConfigError: If a setting is not of its kind or fits no id.
        """
        samples = split_samples(self.samples, self.counts > 0, settings, cache_dir=cache_dir)
        pairs = zip(self.served, self.origins.tolist(), strict=True)
        served = tuple(replace(each, split=samples[origin].split) for each, origin in pairs)
        return replace(self, samples=samples, served=served)

    def mapped(self, class_map: ClassMap | None) -> "Contents":
        """The same, counted by the classes that are trained.

        Raises:
            DataError: If every pixel is of a class that is ignored.
        """
        if class_map is None:
            return self
        own = self.labels.classes
        counts = class_map.counts(own)
        if own.any() and not counts.any():
            raise DataError(
                "data.map_classes: ignores every class that occurs in the masks, so there is "
                "nothing to learn; map fewer classes to null"
            )
        dropped = own.sum(axis=1) - counts.sum(axis=1)
        ignored = self.labels.ignored + dropped
        return replace(self, labels=replace(self.labels, classes=counts, ignored=ignored))

    def fingerprint(
        self, reading: Reading, image_min_size: int | None, window: tuple[int, int] | None
    ) -> str:
        """Sha256 of ids, splits, file sizes, counts and how files are read; copies have the same.

        Args:
            reading: How files are read.
            image_min_size: As of the data module.
            window: Height and width of the windows of larger images.
        """
        files = [
            (sample.id, sample.split, file_size(sample.image), file_size(sample.mask))
            for sample in self.samples
        ]
        table = reading.given_encoding.classes.to_mapping()
        # What is new is left out where it is not used, so that older runs can be resumed.
        cut = [] if window is None else [("window", *window)]
        how = (image_min_size, *reading.chosen, *cut)
        return fingerprint(files, self.counts.tobytes(), table, *how)

    def reduced(self, samples_per_split: int) -> Listing:
        """A few samples of training and validation, evenly spread over each; windows are some."""
        train, val = (
            _spread(self.served_of(split), samples_per_split) for split in ("train", "val")
        )
        return Listing((*train, *val), is_part=True)


def joined(parts: Mapping[str, Contents]) -> Contents:
    """The samples of several data sets as one; the one without a name as it is.

    Args:
        parts: By name, which becomes the beginning of the ids; counted by the same classes.
    """
    if "" in parts:
        return parts[""]
    contents = list(parts.values())
    starts = np.cumsum([0, *(len(part.samples) for part in contents)])
    origins = [part.origins + start for part, start in zip(contents, starts, strict=False)]
    return Contents(
        tuple(_named(each, name) for name, part in parts.items() for each in part.samples),
        tuple(_named(each, name) for name, part in parts.items() for each in part.served),
        np.concatenate(origins),
        LabelCounts(
            np.concatenate([part.labels.classes for part in contents]),
            np.concatenate([part.labels.ignored for part in contents]),
            np.concatenate([part.labels.nodata for part in contents]),
        ),
        ImageFacts(
            tuple(digest for part in contents for digest in part.images.digests),
            np.concatenate([part.images.sizes for part in contents]),
        ),
        sample_submission=None,
    )


def _named(sample: Sample, name: str) -> Sample:
    return replace(sample, id=f"{name}/{sample.id}", data_set=name)


def read_contents(
    listing: Listing,
    reading: Reading,
    *,
    window: tuple[int, int] | None = None,
    cache_dir: Path,
) -> Contents:
    """Checks and counts the listed samples, by the classes of their masks; splits nothing.

    Args:
        listing: The samples.
        reading: How their files are read.
        window: Height and width of the windows that larger labelled images are served in; None
            cuts nothing.
        cache_dir: As of the data module.

    Raises:
        DataError: If anything about the data set is not as it should be.
    """
    samples = listing.samples
    # Counted as labelled, so that counts and split stay what they are when classes are merged.
    labels = count_labels(samples, reading.unmapped, window=window, cache_dir=cache_dir)
    if not listing.is_part:
        check_labels(labels, reading.given_encoding)
        masks = (sample.mask for sample in samples if sample.mask is not None)
        check_nodata_tags(masks, reading.given_encoding)
    images = image_facts(samples, reading, cache_dir=cache_dir)
    served, origins = cut_samples(samples, images.sizes.tolist(), window)
    if len(served) != len(labels.ignored):
        raise DataError("images changed while they were read; start again")
    submission = listing.sample_submission
    return Contents(samples, served, np.array(origins, dtype=np.intp), labels, images, submission)


def common_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Height and width that hold all of ``sizes``; None if that takes too many more pixels."""
    height, width = (max(edges) for edges in zip(*sizes, strict=True))
    pixels = sum(height * width for height, width in sizes)
    return (height, width) if height * width * len(sizes) <= _PADDING * pixels else None


def _spread(samples: Sequence[Sample], count: int) -> Sequence[Sample]:
    return samples[:: max(1, len(samples) // count)][:count]
