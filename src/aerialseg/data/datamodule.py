"""The data module: one data set, listed, checked, counted, split and loaded."""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
from annotated_types import Ge, Gt, Lt
from torch.utils.data import DataLoader, Dataset

from aerialseg.classes import ClassTable
from aerialseg.data.cache.counts import class_counts
from aerialseg.data.cache.feature_dataset import FeatureDataset, collate_features
from aerialseg.data.cache.features import FeatureStore
from aerialseg.data.cache.mask_memory import MaskMemory, keep_masks
from aerialseg.data.dataset import Augmentation, SemSegDataset, collate
from aerialseg.data.images.headers import MAX_MEGAPIXELS, Megapixels
from aerialseg.data.images.reading import MaskFormat
from aerialseg.data.layouts.listing import Layout, Listing, Sample, Split
from aerialseg.data.loaders import make_loader
from aerialseg.data.sampling import EpochSampler, SameSizeBatchSampler, TrainBatchSampler
from aerialseg.data.splits import split_samples
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import file_size, fingerprint

_PADDING = 1.25
"""Up to a quarter more pixels for the sake of one size."""


class AerialSegDataModule(pl.LightningDataModule):
    """Lists a data set, checks every mask, splits it and serves uint8 batches.

    In YAML::

        _target_: aerialseg.data.datamodule.AerialSegDataModule
        root: data/folders
        layout: {_target_: aerialseg.data.layouts.folders, _partial_: true}
        classes: ${data.root}/classes.yaml
        cache_dir: ${paths.cache_dir}
        image_min_size: 720
        batch_size: 8
        num_workers: 2

    Args:
        root: The data set's folder, or its archive where the layout takes one.
        layout: Says where the files lie; called as ``layout(root, cache_dir)``.
        classes: The class table: ``{name: [red, green, blue]}``, or the path of such a YAML file.
        cache_dir: Where counts, splits and unpacked archives are kept; may be deleted.
        image_min_size: Length in pixels the smaller edge is resized to; None keeps the size.
        batch_size: Pictures in a batch; a last batch of one joins the batch before it.
        num_workers: Processes that decode and augment; 0 works in the main process.
        mask_format: ``index`` masks hold class ids, ``colour`` masks the class table's colours.
        val_fraction: Share of the pictures without an official split that validate, 0 to 1.
        group_pattern: Regular expression whose one group is the part of an id that neighbouring
            frames share; they stay on one side of the split. None: each picture is its own group.
        seed: Decides the split, the order of every epoch and every augmentation.
        augmentation: What the training pictures go through; None leaves them as they are.
        mask_memory_mb: Most megabytes (10**6 bytes) of masks kept in memory as run lengths,
            about 40 masks of 1280x720 in one; those beyond are read from their files each time.
        max_megapixels: Most millions of pixels of a picture or a mask, asked of their headers.

    Attributes:
        features: Served instead of pictures where it holds a split; None to begin with.
        served: What the loaders that were made so far serve.
    """

    def __init__(
        self,
        root: str | Path,
        layout: Layout,
        *,
        classes: Mapping[str, list[int]] | str,
        cache_dir: str | Path,
        image_min_size: Annotated[int, Ge(1)] | None,
        batch_size: Annotated[int, Ge(1)],
        num_workers: Annotated[int, Ge(0)],
        mask_format: MaskFormat = "index",
        val_fraction: Annotated[float, Gt(0), Lt(1)] = 0.2,
        group_pattern: str | None = None,
        seed: Annotated[int, Ge(0)] = 0,
        augmentation: Augmentation | None = None,
        mask_memory_mb: Annotated[int, Ge(0)] = 512,
        max_megapixels: Megapixels = MAX_MEGAPIXELS,
    ) -> None:
        super().__init__()
        self.root = Path(root).expanduser()
        self.layout = layout
        self.cache_dir = Path(cache_dir).expanduser()
        self.image_min_size = image_min_size
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.mask_format: MaskFormat = mask_format
        self.val_fraction = val_fraction
        self.group_pattern = group_pattern
        self.seed = seed
        self.augmentation = augmentation
        self.mask_memory_mb = mask_memory_mb
        self.max_megapixels = max_megapixels
        self.features: FeatureStore | None = None
        self._class_source = classes
        self.served: list[Dataset[dict[str, Any]]] = []

    @cached_property
    def classes(self) -> ClassTable:
        """The class table.

        Raises:
            DataError: If its file is missing or breaks the rules of a class table.
        """
        if isinstance(self._class_source, str):
            return ClassTable.read(Path(self._class_source).expanduser())
        return ClassTable.from_mapping(self._class_source)

    def prepare(self) -> None:
        """Lists, checks, counts and splits the data set; later calls do nothing.

        Works before there is a trainer, so that bad input is found before training.

        Raises:
            DataError: If anything about the data set is not as it should be.
        """
        _ = self._contents

    def setup(self, stage: str | None = None) -> None:
        """Lightning's hook: :meth:`prepare`."""
        self.prepare()

    def reduced(self, samples_per_split: int) -> "AerialSegDataModule":
        """The same data with about so many samples of train and of val, from all over them."""
        few = copy.copy(self)
        chosen = (*self._some("train", samples_per_split), *self._some("val", samples_per_split))
        few.layout = lambda root, cache_dir: Listing(chosen)
        for name in ("_contents", "fingerprint", "training_size", "_mask_memory"):
            few.__dict__.pop(name, None)
        return few

    def _some(self, split: Split, count: int) -> tuple[Sample, ...]:
        samples = self.samples(split)
        return samples[:: max(1, len(samples) // count)][:count]

    def samples(self, split: Split) -> tuple[Sample, ...]:
        """The samples of one split, in the order of their listing; empty if there is none."""
        return tuple(sample for sample in self._contents.samples if sample.split == split)

    @property
    def class_counts(self) -> npt.NDArray[np.int64]:
        """``(N, num_classes)`` int64: pixels of each class in each training picture."""
        training = [sample.split == "train" for sample in self._contents.samples]
        counts: npt.NDArray[np.int64] = self._contents.counts[np.array(training)]
        return counts

    @property
    def sample_submission(self) -> Path | None:
        """The competition's example of a submission, where the data set has one."""
        return self._contents.sample_submission

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of what is learnt from; a copy of the folder has the same.

        Made of ids, splits, file sizes, the pixels per class of each mask, the class table and
        the size that pictures are resized to.
        """
        files = [
            (sample.id, sample.split, file_size(sample.image), file_size(sample.mask))
            for sample in self._contents.samples
        ]
        counts = self._contents.counts.tobytes()
        return fingerprint(files, counts, self.classes.to_mapping(), self.image_min_size)

    def dataset(
        self, split: Split, *, augment: bool = False, original_size: bool = False
    ) -> SemSegDataset:
        """The pictures of one split, plain unless ``augment``, resized unless ``original_size``."""
        return SemSegDataset(
            self.samples(split),
            self.classes,
            image_min_size=None if original_size else self.image_min_size,
            mask_format=self.mask_format,
            augmentation=self.augmentation if augment else None,
            seed=self.seed,
            max_megapixels=self.max_megapixels,
        )

    @cached_property
    def training_size(self) -> tuple[int, int] | None:
        """Height and width that every training picture is padded to; None if batches differ.

        Where pictures are of nearly one size and not augmented, all are padded to the largest:
        then what the network makes of one does not depend on which others are in its batch.
        """
        if self.augmentation is not None and self.augmentation.transforms:
            return None
        sizes = self.dataset("train").sizes()
        height, width = (max(edges) for edges in zip(*sizes, strict=True))
        pixels = sum(height * width for height, width in sizes)
        return (height, width) if height * width * len(sizes) <= _PADDING * pixels else None

    def frozen_batches(self, split: Split) -> DataLoader[dict[str, Any]]:
        """Every picture of a split once, in batches of one size, padded as training pads them."""
        dataset = self.dataset(split)
        size = self.training_size if split == "train" else None
        sizes = dataset.sizes() if size is None else [size] * len(dataset)
        return self._loader(dataset, SameSizeBatchSampler(sizes, self.batch_size), size=size)

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Shuffled and augmented batches."""
        dataset = self.dataset("train", augment=True)
        sampler = EpochSampler(len(dataset), seed=self.seed, shuffle=True)
        batches = TrainBatchSampler(sampler, self.batch_size)
        if self.trainer is not None:
            # On resume Lightning starts the workers before it tells the sampler its epoch.
            loop = self.trainer.fit_loop
            epochs: Any = loop.epoch_progress.current  # declared too wide
            sampler.set_epoch(epochs.processed)
            if loop.restarting:
                batches.skip(epochs.processed, loop.epoch_loop.batch_progress.current.ready)
        return self._loader(dataset, batches, split="train", size=self.training_size)

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Plain batches of pictures of one size, so that none is padded."""
        return self._plain_loader("val")

    def test_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Like validation, of pictures that may have no mask.

        Raises:
            DataError: If the data set has no test split.
        """
        if not self.samples("test"):
            raise DataError(f"{self.root}: has no test split; validate on the val split instead")
        return self._plain_loader("test")

    @cached_property
    def _contents(self) -> "_Contents":
        listing = self.layout(self.root, self.cache_dir)
        counts = class_counts(
            listing.samples,
            self.classes,
            mask_format=self.mask_format,
            max_megapixels=self.max_megapixels,
            cache_dir=self.cache_dir,
        )
        samples = split_samples(
            listing.samples,
            counts > 0,
            val_fraction=self.val_fraction,
            seed=self.seed,
            group_pattern=self.group_pattern,
            cache_dir=self.cache_dir,
        )
        return _Contents(samples, counts, listing.sample_submission)

    @cached_property
    def _mask_memory(self) -> MaskMemory:
        """The masks of all splits; filled when the first loader is made, before its workers."""
        return keep_masks(
            self._contents.samples,
            self.dataset("train").read_mask,
            made_with=(self.classes.to_mapping(), self.mask_format),
            image_min_size=self.image_min_size,
            megabytes=self.mask_memory_mb,
            cache_dir=self.cache_dir,
        )

    def _plain_loader(self, split: Split) -> DataLoader[dict[str, Any]]:
        dataset = self.dataset(split)
        batches = SameSizeBatchSampler(dataset.sizes(), self.batch_size)
        return self._loader(dataset, batches, split=split)

    def _loader(
        self,
        dataset: SemSegDataset,
        batch_sampler: Iterable[list[Any]],
        *,
        split: Split | None = None,
        size: tuple[int, int] | None = None,
    ) -> DataLoader[dict[str, Any]]:
        """Loads features instead of pictures where there are some of the ``split``."""
        if split in ("train", "val") and self.mask_memory_mb:
            rows = [sample.split == split for sample in self._contents.samples]
            dataset.mask_memory = self._mask_memory.select(np.flatnonzero(rows))
        served: Dataset[dict[str, Any]] = dataset
        into_batch: Callable[..., dict[str, Any]] = collate
        if self.features is not None and split in self.features.splits:
            served = FeatureDataset(dataset, self.features, split=split)
            into_batch = collate_features
        loader = make_loader(
            served,
            dataset.samples,
            batch_sampler,
            collate_fn=partial(into_batch, size=size or (0, 0)),
            num_workers=self.num_workers,
            seed=self.seed,
        )
        self.served.append(loader.dataset)
        return loader


@dataclass(frozen=True)
class _Contents:
    samples: tuple[Sample, ...]
    counts: npt.NDArray[np.int64]
    sample_submission: Path | None
