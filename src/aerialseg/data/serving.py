"""Images or features: what the loaders of a data set serve, and what their workers are at."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from torch.utils.data import DataLoader, Dataset

from aerialseg.data.cache.feature_dataset import FeatureDataset, collate_features
from aerialseg.data.cache.features import FeatureStore
from aerialseg.data.dataset import SemSegDataset, collate
from aerialseg.data.layouts.listing import Sample, Split
from aerialseg.data.loaders import make_loader, whereabouts


class Serving:
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

    def sample_of_worker(self, pid: int) -> tuple[Sample, bool] | None:
        """The last sample of a worker process, and whether it was still loading it.

        Returns:
            None if the process is no worker of these loaders, or began no sample.
        """
        return whereabouts(self._served, pid)
