"""The Lightning data module of any sources: one data set, or several trained on together."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
from torch.utils.data import DataLoader

from aerialseg.classes import ClassTable
from aerialseg.data.augmentation import Augmentation
from aerialseg.data.cache.kept_pixels import KeptPixels
from aerialseg.data.cache.value_ranges import TrainingRanges
from aerialseg.data.checks.augmentation_probe import tried
from aerialseg.data.checks.augmentation_sizes import check_keeps_size
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.resizing import resized
from aerialseg.data.layouts.listing import Sample, Split
from aerialseg.data.loading.loaders import Loaders
from aerialseg.data.loading.pasting import Pasting
from aerialseg.data.loading.rare_classes import RareClasses, RareClassSampler
from aerialseg.data.loading.rare_objects import rare_objects
from aerialseg.data.loading.sampling import EpochSampler
from aerialseg.data.loading.set_weights import WeightedSampler, shown_in_epoch
from aerialseg.data.shared_settings import SharedSettings
from aerialseg.data.sources.contents import Contents, common_size
from aerialseg.data.sources.data_sources import Sources
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import fingerprint
from aerialseg.values.checked_calls import checked


class SourcesDataModule(pl.LightningDataModule):
    """Lists, checks, counts, splits and loads one data set or several, in uint8 batches.

    Args:
        sources: The data sets.
        shared: What holds for all of them.
    """

    def __init__(self, sources: Sources, shared: SharedSettings) -> None:
        super().__init__()
        self.sources = sources
        self.cache_dir = shared.cache_dir
        self.image_min_size, self.batch_size = shared.image_min_size, shared.batch_size
        self.num_workers = shared.num_workers
        self.seed = shared.seed
        self.augmentation = shared.augmentation
        self.crops = shared.crops
        self.rare = shared.rare
        self.window = shared.window
        self.ranges = TrainingRanges()
        self.loaders = Loaders(num_workers=shared.num_workers, seed=shared.seed)
        self._shared = shared

    @property
    def root(self) -> Path:
        """The folder or archive of the only data set; ValueError if there are several."""
        (source,) = self.sources.given.values()
        return source.root

    @property
    def place(self) -> str:
        """Where the data lie, for messages: the folder, or that of each data set with its name."""
        return self.sources.place

    @property
    def classes(self) -> ClassTable:
        """The classes that are trained: those of the table, as ``map_classes`` maps them."""
        return self.sources.table

    @property
    def reading(self) -> Reading:
        """How files are read; of several data sets, what they agree in."""
        return self.sources.reading

    @property
    def served(self) -> Reading:
        """As :attr:`reading`, with the values that percentiles of the training images are."""
        return self.ranges.applied(self.reading, lambda: self.contents.of("train"), self.cache_dir)

    @property
    def _served_readings(self) -> Mapping[str, Reading]:
        """The same of each data set, by name."""
        ranges, readings = self.served.ranges, self.sources.readings
        return {name: replace(reading, ranges=ranges) for name, reading in readings.items()}

    def prepare(self) -> None:
        """Lists, checks, counts and splits; raises DataError if anything is not as it should be."""
        _ = self.contents

    @checked
    def samples(self, split: Split) -> tuple[Sample, ...]:
        """What is served of one split: images in the order of their listing, or their windows."""
        return self.contents.served_of(split)

    @checked
    def counts_of(self, split: Split) -> npt.NDArray[np.int64]:
        """``(N, num_classes)`` int64: pixels of each class in each sample, or a window's share.

        Of several data sets, and of crops, pixels count as served, since images may differ much in
        size. Of crops, they are the classes of whole images at the size of crops: what random crops
        show on average, nearly, since they show the middle of an image more often than its border.
        """
        counts = self.contents.labels.classes[self.contents.served_rows(split)]
        edge, sizes = self.image_min_size, self.contents.served_sizes(split)
        if self.crops is not None and split == "train":
            pixels = math.prod(self.crops.size)
            shrunk = [pixels / math.prod(size) for size in sizes]
        elif self.sources.are_several and edge is not None:
            shrunk = [(edge / min(size)) ** 2 for size in sizes]
        else:
            return np.asarray(counts)
        # A class that occurs stays one that occurs.
        served = np.maximum(np.rint(counts * np.array(shrunk).reshape(-1, 1)), counts > 0)
        return np.asarray(served, dtype=np.int64)

    @property
    def shown_in_epoch(self) -> Mapping[str, int]:
        """The samples of each data set that an epoch of training shows, by name.

        Raises:
            ConfigError: If the weights of several data sets leave one of them without a sample.
        """
        sizes = Counter(sample.data_set for sample in self.samples("train"))
        weights = self.sources.weights
        return sizes if weights is None else shown_in_epoch(sizes, weights)

    def counts_in_training(self) -> npt.NDArray[np.float64]:
        """``(N, num_classes)`` float64: as :meth:`counts_of` training, times showings an epoch."""
        samples, shown = self.samples("train"), self.shown_in_epoch
        sizes = Counter(sample.data_set for sample in samples)
        times = np.array([shown[s.data_set] / sizes[s.data_set] for s in samples])
        if self._rare_classes is not None:
            times = self._rare_classes.times(times)
        return np.asarray(self.counts_of("train") * times.reshape(-1, 1))

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of what is learnt from, as of :class:`Contents`; a copy has the same."""
        return self.sources.fingerprint(self.image_min_size)

    @property
    def images_fingerprint(self) -> str:
        """Sha256 of the content of all image files, by id."""
        return fingerprint(sorted(self.contents.digests().items()))

    @checked
    def dataset(
        self,
        samples: Split | Sequence[Sample],
        *,
        augment: bool = False,
        original_size: bool = False,
        is_loaded: bool = False,
        shares_only: bool = False,
    ) -> SemSegDataset:
        """The images and masks of one split, or of some samples.

        Args:
            samples: Which split, or the samples.
            augment: Whether images are cropped and augmented as in training; that is tried first.
            original_size: Whether they keep their size.
            is_loaded: Whether a loader asks for them again and again: masks of a split then come
                from the mask memory, and windows from their store, if they are there.
            shares_only: As of :class:`SemSegDataset`.

        Raises:
            ConfigError: If the augmented cannot be trained on, or if there is nothing to paste.
        """
        split = samples if isinstance(samples, str) else None
        kept = split if is_loaded and not original_size else None
        return SemSegDataset(
            self.samples(samples) if isinstance(samples, str) else samples,
            self.classes,
            image_min_size=None if original_size else self.image_min_size,
            reading=self._served_readings,
            augmentation=self._tried_augmentation if augment else None,
            crops=self.crops if augment else None,
            pasting=self._pasting if augment else None,
            seed=self.seed,
            mask_memory=None if kept is None else self._kept.masks_of(kept),
            window_store=None if kept is None else self._kept.windows,
            shares_only=shares_only,
        )

    def served_sizes(self, split: Split) -> list[tuple[int, int]]:
        """Height and width of all :meth:`samples` without augmentation; opens no file."""
        return [resized(size, self.image_min_size) for size in self.contents.served_sizes(split)]

    @cached_property
    def training_size(self) -> tuple[int, int] | None:
        """Height and width that every training image is padded to; None if batches differ.

        Where images are of nearly one size and not augmented, all are padded to the largest:
        then what the network makes of one does not depend on which others are in its batch.
        """
        if self.crops is not None:
            return self.crops.size
        if self.augmentation is not None and self.augmentation.transforms:
            return None
        return common_size(self.served_sizes("train"))

    def frozen_batches(self, split: Split) -> DataLoader[dict[str, Any]]:
        """Every image of a split once, in batches of one size, padded as training pads them."""
        images, sizes = self.dataset(split), self.served_sizes(split)
        size = self.training_size if split == "train" else None
        return self.loaders.plain_loader(
            images, self.batch_size, sizes=sizes, split=None, size=size
        )

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Shuffled and augmented batches."""
        images = self.dataset("train", augment=True, is_loaded=True)
        size, trainer, order = self.training_size, self.trainer, self._order_of_epochs()
        return self.loaders.train_loader(images, order, self.batch_size, size=size, trainer=trainer)

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Plain batches of images of one size, so that none is padded."""
        return self._plain_loader("val")

    def test_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Like validation, of images that may have no mask; DataError if there are none."""
        if not self.samples("test"):
            raise DataError(f"{self.place}: has no test split; validate on the val split instead")
        return self._plain_loader("test")

    @property
    def checked(self) -> Contents:
        """The data, listed, checked and counted on first use, but not split."""
        return self.sources.checked

    @property
    def contents(self) -> Contents:
        """The data, checked and split on first use."""
        return self.sources.contents

    def _order_of_epochs(self) -> EpochSampler:
        """All training samples once an epoch, or data sets in proportion to their weights.

        Samples with rare classes take the places of some of them, if that was asked for.
        """
        order = EpochSampler(len(self.samples("train")), seed=self.seed, shuffle=True)
        if self.sources.weights is not None:
            shown = list(self.shown_in_epoch.values())
            order = WeightedSampler(self._data_sets, shown, seed=self.seed)
        rare = self._rare_classes
        return order if rare is None else RareClassSampler(order, rare)

    @property
    def _data_sets(self) -> npt.NDArray[np.intp]:
        """``(N,)``: the data set of each training sample, by its number in an epoch."""
        number = {name: number for number, name in enumerate(self.shown_in_epoch)}
        return np.array([number[s.data_set] for s in self.samples("train")], dtype=np.intp)

    @cached_property
    def _rare_classes(self) -> RareClasses | None:
        """Which samples take the places of others; None for none."""
        if not self.rare.share:
            return None
        return RareClasses.of(self.rare, self.counts_of("train"), self._data_sets)

    @cached_property
    def _pasting(self) -> Pasting | None:
        """What is pasted into training samples; None for nothing."""
        if not self.rare.pasted:
            return None
        images = self.dataset("train", original_size=self.crops is not None)
        counts = self.counts_of("train")
        return rare_objects(images, counts, self.rare, self.crops, self.cache_dir)

    @cached_property
    def _tried_augmentation(self) -> Augmentation | None:
        """The augmentation, after it has been tried."""
        size = min(self.served_sizes("train")) if self.crops is None else self.crops.size
        classes, bands = len(self.classes), self.reading.channels
        found = tried(self.augmentation, num_classes=classes, size=size, channels=bands)
        if self.crops is not None:
            check_keeps_size(found, size=size, channels=bands)
        return found

    @cached_property
    def _kept(self) -> KeptPixels:
        """Masks in memory and windows on disk."""
        # Crops are cut from images at their size.
        images = self.dataset(self.contents.served, original_size=self.crops is not None)
        limits = (self._shared.mask_memory_mb, self.window, self._shared.window_cache_gb)
        return KeptPixels(images, self.contents, self.cache_dir, *limits)

    def _plain_loader(self, split: Split) -> DataLoader[dict[str, Any]]:
        images = self.dataset(split, is_loaded=True, shares_only=True)
        sizes = self.served_sizes(split)
        return self.loaders.plain_loader(images, self.batch_size, sizes=sizes, split=split)
