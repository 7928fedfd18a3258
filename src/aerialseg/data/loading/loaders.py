"""The loaders of a data module: of images, or of features where there are some."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import pytorch_lightning as pl
from torch.utils.data import DataLoader, Dataset

from aerialseg.data.cache.feature_dataset import FeatureDataset, collate_features
from aerialseg.data.cache.features import FeatureStore
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.layouts.listing import Sample, Split
from aerialseg.data.loading.batches import collate
from aerialseg.data.loading.sampling import EpochSampler, SameSizeBatchSampler, TrainBatchSampler
from aerialseg.data.loading.workers import make_loader, whereabouts


class Loaders:
    """Makes the loaders of a data module and remembers what they serve.

    Args:
        num_workers: Processes of each loader; 0 loads in the main process.
        seed: Of the loaders' random numbers.
    """

    def __init__(self, *, num_workers: int, seed: int) -> None:
        self._num_workers = num_workers
        self._seed = seed
        self._features: FeatureStore | None = None
        self._served: list[Dataset[dict[str, Any]]] = []

    @property
    def features(self) -> FeatureStore | None:
        """What is served instead of images in the splits it has; None for nothing."""
        return self._features

    def serve_features(self, store: FeatureStore) -> None:
        """Lets loaders made from now on serve features."""
        self._features = store

    def loader(
        self,
        dataset: SemSegDataset,
        batch_sampler: Iterable[list[Any]],
        *,
        split: Split | None,
        size: tuple[int, int] | None = None,
    ) -> DataLoader[dict[str, Any]]:
        """A loader of features where there are some of the split, else of the data set itself.

        Args:
            dataset: The images and masks of the split.
            batch_sampler: Gives the keys of each batch.
            split: The split by which the features know the data set; None serves images.
            size: Least height and width that a batch is padded to; None pads to its largest.
        """
        served: Dataset[dict[str, Any]] = dataset
        into_batch: Callable[..., dict[str, Any]] = collate
        if self._features is not None and split in self._features.splits:
            served = FeatureDataset(dataset, self._features, split=split)
            into_batch = collate_features
        loader = make_loader(
            served,
            dataset.samples,
            batch_sampler,
            collate_fn=partial(into_batch, size=size or (0, 0)),
            num_workers=self._num_workers,
            seed=self._seed,
        )
        self._served.append(loader.dataset)
        return loader

    def train_loader(
        self,
        dataset: SemSegDataset,
        sampler: EpochSampler,
        batch_size: int,
        *,
        size: tuple[int, int] | None,
        trainer: pl.Trainer | None,
    ) -> DataLoader[dict[str, Any]]:
        """Shuffled batches of the training split; those of a resumed run begin where it stopped.

        Args:
            dataset: The images and masks of the split.
            sampler: Their order in each epoch.
            batch_size: Images in a batch.
            size: As in :meth:`loader`.
            trainer: Knows where the run stopped.
        """
        batches = TrainBatchSampler(sampler, batch_size)
        if trainer is not None:
            # On resume Lightning starts the workers before it tells the sampler its epoch.
            loop = trainer.fit_loop
            epochs: Any = loop.epoch_progress.current  # declared too wide
            sampler.set_epoch(epochs.processed)
            if loop.restarting:
                batches.skip(epochs.processed, loop.epoch_loop.batch_progress.current.ready)
        return self.loader(dataset, batches, split="train", size=size)

    def plain_loader(
        self,
        dataset: SemSegDataset,
        batch_size: int,
        *,
        sizes: Sequence[tuple[int, int]],
        split: Split | None,
        size: tuple[int, int] | None = None,
    ) -> DataLoader[dict[str, Any]]:
        """Every image once in its order, in batches of one size.

        Args:
            dataset: The images and masks of the split.
            batch_size: Most images in a batch.
            sizes: Height and width of each image as it is served.
            split: As in :meth:`loader`.
            size: Height and width that all are padded to; None pads none.
        """
        batches = SameSizeBatchSampler(sizes if size is None else [size] * len(sizes), batch_size)
        return self.loader(dataset, batches, split=split, size=size)

    def sample_of_worker(self, pid: int) -> tuple[Sample, bool] | None:
        """The last sample of a worker process, and whether it was still loading it.

        Returns:
            None if the process is no worker of these loaders, or began no sample.
        """
        return whereabouts(self._served, pid)
