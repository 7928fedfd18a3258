"""Features instead of images: what a loader serves once a stage's frozen part has been run."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import Dataset

from aerialseg.data.cache.features import FeatureStore
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.loading.batches import collate_masks, names_of
from aerialseg.data.loading.sampling import Key


class FeatureDataset(Dataset[dict[str, Any]]):
    """The samples of a data set with features in the place of images.

    Args:
        dataset: Serves the masks.
        store: Holds the features.
        split: The split that the data set is of, by which the store knows it.
    """

    def __init__(self, dataset: SemSegDataset, store: FeatureStore, *, split: str) -> None:
        self.dataset = dataset
        self.store = store
        self.split = split

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: int | Key) -> dict[str, Any]:
        """One sample; there is no augmentation, so the epoch of a key says nothing.

        Returns:
            ``features``, by head ``(h, w, K)`` float16, ``mask`` ``(H, W)`` uint8, ``id`` and
            ``index``.

        Raises:
            SampleError: If the mask cannot be loaded.
        """
        index = key[1] if isinstance(key, tuple) else key
        return {
            "features": self.store.read(self.split, index),
            "mask": self.dataset.mask(index),
            "id": self.dataset.samples[index].id,
            "index": index,
        }


def collate_features(
    batch: Sequence[dict[str, Any]], *, size: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    """Makes a batch of what :class:`FeatureDataset` serves.

    Args:
        batch: Samples whose features have one size.
        size: Least height and width of the masks, in pixels: that of the images as the frozen
            part saw them.

    Returns:
        ``features``, by head ``(N, K, h, w)`` float16 with channels last in memory, ``mask``
        ``(N, H, W)`` uint8, ``id`` a list, ``index`` ``(N,)`` int64.
    """
    features = {}
    for head, first in batch[0]["features"].items():
        stacked = torch.empty((len(batch), *first.shape), dtype=torch.float16)
        for row, sample in enumerate(batch):
            stacked[row].numpy()[:] = sample["features"][head]
        features[head] = stacked.permute(0, 3, 1, 2)
    masks = [sample["mask"] for sample in batch]
    height = max(size[0], *(mask.shape[0] for mask in masks))
    width = max(size[1], *(mask.shape[1] for mask in masks))
    mask = collate_masks(masks, (height, width))
    return {"features": features, "mask": mask, **names_of(batch)}
