"""The data module: one data set, listed, checked, counted, split and loaded."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
from annotated_types import Ge, Gt, Lt
from torch.utils.data import DataLoader

from aerialseg.classes import ClassTable
from aerialseg.data.cache.features import FeatureStore
from aerialseg.data.cache.mask_memory import MaskMemory, keep_masks
from aerialseg.data.contents import Contents, common_size, read_contents
from aerialseg.data.dataset import Augmentation, SemSegDataset
from aerialseg.data.images.headers import MAX_MEGAPIXELS, Megapixels
from aerialseg.data.images.reading import MaskFormat
from aerialseg.data.layouts.listing import Layout, Sample, Split
from aerialseg.data.sampling import EpochSampler, SameSizeBatchSampler, TrainBatchSampler
from aerialseg.data.serving import Serving
from aerialseg.errors import DataError


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
        batch_size: Images in a batch; a last batch of one joins the batch before it.
        num_workers: Processes that decode and augment; 0 works in the main process.
        mask_format: ``index`` masks hold class ids, ``colour`` masks the class table's colours.
        val_fraction: Share of the images without an official split that validate, 0 to 1.
        group_pattern: Regular expression whose one group is the part of an id that neighbouring
            frames share; they stay on one side of the split. None: each image is its own group.
        seed: Decides the split, the order of every epoch and every augmentation.
        augmentation: What the training images go through; None leaves them as they are.
        mask_memory_mb: Most megabytes (10**6 bytes) of masks kept in memory as run lengths,
            about 40 masks of 1280x720 in one; those beyond are read from their files each time.
        max_megapixels: Most millions of pixels of an image or a mask, asked of their headers.
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
        self._class_source = classes
        self._serving = Serving(num_workers=num_workers, seed=seed)

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

    def samples(self, split: Split) -> tuple[Sample, ...]:
        """The samples of one split, in the order of their listing; empty if there is none."""
        return self._contents.of(split)

    @property
    def class_counts(self) -> npt.NDArray[np.int64]:
        """``(N, num_classes)`` int64: pixels of each class in each training image."""
        counts: npt.NDArray[np.int64] = self._contents.counts[self._contents.rows("train")]
        return counts

    @property
    def sample_submission(self) -> Path | None:
        """The competition's example of a submission, where the data set has one."""
        return self._contents.sample_submission

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of what is learnt from; a copy of the folder has the same.

        Made of ids, splits, file sizes, the pixels per class of each mask, the class table and
        the size that images are resized to.
        """
        return self._contents.fingerprint(self.classes.to_mapping(), self.image_min_size)

    @property
    def features(self) -> FeatureStore | None:
        """What is served instead of images, as :meth:`serve_features` said; None for none."""
        return self._serving.features

    def serve_features(self, store: FeatureStore) -> None:
        """Lets loaders made from now on serve features instead of images in the store's splits."""
        self._serving.serve_features(store)

    def sample_of_worker(self, pid: int) -> tuple[Sample, bool] | None:
        """The last sample of a loader's worker process, and whether it was still loading it.

        Returns:
            None if the process is no worker of these loaders, or began no sample.
        """
        return self._serving.sample_of_worker(pid)

    def reduced(
        self, samples_per_split: int, *, cache_dir: Path | None = None
    ) -> "AerialSegDataModule":
        """The same data with a few samples of training and validation, evenly spread over each.

        Args:
            samples_per_split: Most samples of each split, 1 or more.
            cache_dir: Where the reduced data keep what they compute; None for the same place.
        """
        listing = self._contents.reduced(samples_per_split)
        return AerialSegDataModule(
            self.root,
            lambda root, cache_dir: listing,
            classes=self._class_source,
            cache_dir=self.cache_dir if cache_dir is None else cache_dir,
            image_min_size=self.image_min_size,
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            mask_format=self.mask_format,
            val_fraction=self.val_fraction,
            group_pattern=self.group_pattern,
            seed=self.seed,
            augmentation=self.augmentation,
            mask_memory_mb=self.mask_memory_mb,
            max_megapixels=self.max_megapixels,
        )

    def dataset(
        self,
        split: Split,
        *,
        augment: bool = False,
        original_size: bool = False,
        remember_masks: bool = False,
    ) -> SemSegDataset:
        """The images and masks of one split.

        Args:
            split: Which.
            augment: Whether images go through the augmentation.
            original_size: Whether they keep their size.
            remember_masks: Whether masks come from the mask memory, where they are in it.
        """
        return SemSegDataset(
            self.samples(split),
            self.classes,
            image_min_size=None if original_size else self.image_min_size,
            mask_format=self.mask_format,
            augmentation=self.augmentation if augment else None,
            seed=self.seed,
            max_megapixels=self.max_megapixels,
            mask_memory=self._masks_of(split) if remember_masks and not original_size else None,
        )

    @cached_property
    def training_size(self) -> tuple[int, int] | None:
        """Height and width that every training image is padded to; None if batches differ.

        Where images are of nearly one size and not augmented, all are padded to the largest:
        then what the network makes of one does not depend on which others are in its batch.
        """
        if self.augmentation is not None and self.augmentation.transforms:
            return None
        return common_size(self.dataset("train").sizes())

    def frozen_batches(self, split: Split) -> DataLoader[dict[str, Any]]:
        """Every image of a split once, in batches of one size, padded as training pads them."""
        dataset = self.dataset(split)
        size = self.training_size if split == "train" else None
        sizes = dataset.sizes() if size is None else [size] * len(dataset)
        batches = SameSizeBatchSampler(sizes, self.batch_size)
        return self._serving.loader(dataset, batches, split=None, size=size)

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Shuffled and augmented batches."""
        dataset = self.dataset("train", augment=True, remember_masks=True)
        sampler = EpochSampler(len(dataset), seed=self.seed, shuffle=True)
        batches = TrainBatchSampler(sampler, self.batch_size)
        if self.trainer is not None:
            # On resume Lightning starts the workers before it tells the sampler its epoch.
            loop = self.trainer.fit_loop
            epochs: Any = loop.epoch_progress.current  # declared too wide
            sampler.set_epoch(epochs.processed)
            if loop.restarting:
                batches.skip(epochs.processed, loop.epoch_loop.batch_progress.current.ready)
        return self._serving.loader(dataset, batches, split="train", size=self.training_size)

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Plain batches of images of one size, so that none is padded."""
        return self._plain_loader("val")

    def test_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Like validation, of images that may have no mask.

        Raises:
            DataError: If the data set has no test split.
        """
        if not self.samples("test"):
            raise DataError(f"{self.root}: has no test split; validate on the val split instead")
        return self._plain_loader("test")

    @cached_property
    def _contents(self) -> Contents:
        """The data set, listed, checked, counted and split on first use."""
        return read_contents(
            self.layout(self.root, self.cache_dir),
            self.classes,
            mask_format=self.mask_format,
            max_megapixels=self.max_megapixels,
            val_fraction=self.val_fraction,
            seed=self.seed,
            group_pattern=self.group_pattern,
            cache_dir=self.cache_dir,
        )

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

    def _masks_of(self, split: Split) -> MaskMemory | None:
        if split == "test" or not self.mask_memory_mb:
            return None
        return self._mask_memory.select(self._contents.rows(split))

    def _plain_loader(self, split: Split) -> DataLoader[dict[str, Any]]:
        dataset = self.dataset(split, remember_masks=True)
        batches = SameSizeBatchSampler(dataset.sizes(), self.batch_size)
        return self._serving.loader(dataset, batches, split=split)
