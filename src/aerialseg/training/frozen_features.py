"""Computing the features of every image with the frozen part of a network."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track

from aerialseg.data.cache.features import Features, FeatureStore, missing_disk, write_features
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts.listing import Split
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.models.frozen_prefix import FrozenPrefix
from aerialseg.models.module import SegmentationModule

logger = logging.getLogger(__name__)

SPLITS: tuple[Split, ...] = ("train", "val")
"""The splits that features are computed of."""

_SMALLEST = 2.0**-10  # of the largest feature: what is 16 times smaller loses digits


def compute_features(
    folder: Path, module: SegmentationModule, prefix: FrozenPrefix, data: AerialSegDataModule
) -> FeatureStore:
    """Runs the frozen part on every image of training and validation and keeps the features.

    Args:
        folder: Where they are kept.
        module: Normalises the images, on the device it is on.
        prefix: The frozen part of its network.
        data: Serves the images.

    Raises:
        DataError: If the disk has no room for the features, an image cannot be loaded, or the
            features do not fit half precision.
        AerialsegError: If the folder cannot be written.
    """
    loaders = {split: data.frozen_batches(split) for split in SPLITS}
    count = sum(len(data.samples(split)) for split in SPLITS)
    first = next(iter(loaders["train"]))["image"]
    size = sum(values.nbytes for values in _features(module, prefix, first[:1])[0].values())
    # An image of another size has about as many more features as it has pixels.
    needed = size * count * _mean_pixels(data) // (first.shape[2] * first.shape[3])
    if missing := missing_disk(folder, needed):
        raise DataError(
            f"features of {counted(count, 'image')} need {needed / 1e9:.1f} GB in {folder.parent}, "
            f"{missing / 1e9:.1f} GB more than may be used; point paths.cache_dir to a larger disk"
        )
    logger.info(
        "features of %s, once: %.0f MB into %s", counted(count, "image"), needed / 1e6, folder
    )

    def images() -> Iterator[tuple[str, int, Features]]:
        hidden = not Console().is_terminal
        for split, loader in loaders.items():
            for batch in track(loader, f"features of {split}", transient=True, disable=hidden):
                rows = _features(module, prefix, batch["image"])
                for index, row in zip(batch["index"].tolist(), rows, strict=True):
                    yield split, index, row

    return write_features(folder, images())


def _features(
    module: SegmentationModule, prefix: FrozenPrefix, images: torch.Tensor
) -> list[dict[str, npt.NDArray[np.float16]]]:
    """Of each image of a batch, its features by head, channels last."""
    features = prefix.features(module.normalised(images.to(module.device)))
    halves = {
        head: values.permute(0, 2, 3, 1).to("cpu", torch.float16).numpy()
        for head, values in features.items()
    }
    for values in halves.values():
        if not _SMALLEST < float(np.abs(values).max()) < np.inf:  # also false for NaN
            raise DataError("the features are too large or too small for half precision")
    return [{head: values[row] for head, values in halves.items()} for row in range(len(images))]


def _mean_pixels(data: AerialSegDataModule) -> int:
    """Height times width of an image, on average."""
    sizes = data.served_sizes("val") + data.served_sizes("train")
    return sum(height * width for height, width in sizes) // len(sizes)
