"""Rows of the image sheets, from samples of a data set and predictions for them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from aerialseg.data.dataset import SemSegDataset
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import image_scores
from aerialseg.viz.band_colours import as_rgb
from aerialseg.viz.sheets import PredictionRow, SampleRow


def random_indices(dataset: SemSegDataset, count: int, *, seed: int) -> list[int]:
    """At most ``count`` different indices of a data set, chosen by ``seed``, in ascending order."""
    order = np.random.default_rng(seed).permutation(len(dataset))
    return sorted(order[:count].tolist())


def varied_indices(counts: npt.NDArray[np.integer], groups: Sequence[str], count: int) -> list[int]:
    """At most ``count`` indices of samples that together show all classes, in ascending order.

    Each sample that is taken adds most to the sum, over classes, of the square root of the share
    of the class's pixels that is shown: a class that is not shown yet, or rare, counts more than
    another view of a frequent one. A second sample of a group is taken when all groups have one.
    Of equal samples the first is taken.

    Args:
        counts: ``(N, C)`` pixels of each class in each sample.
        groups: The group of each sample, such as the flight it is a frame of.
        count: How many are wanted.
    """
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    taken, shown = Counter[str](), np.zeros(counts.shape[1])
    left = list(range(len(counts)))
    chosen: list[int] = []
    while left and len(chosen) < count:
        fewest = min(taken[groups[index]] for index in left)
        fresh = [index for index in left if taken[groups[index]] == fewest]
        gains = np.sqrt(shown + shares[fresh]).sum(axis=1)
        best = fresh[int(gains.argmax())]
        left.remove(best)
        taken[groups[best]] += 1
        shown += shares[best]
        chosen.append(best)
    return sorted(chosen)


def sample_row(dataset: SemSegDataset, index: int, *, augmented_versions: int = 0) -> SampleRow:
    """One sample without augmentation, and as the first epochs of training would show it.

    Args:
        dataset: The data set; its augmentation makes the augmented versions.
        index: Index of the sample.
        augmented_versions: Number of augmented versions; none if the data set has no augmentation.

    Raises:
        SampleError: If the sample cannot be loaded.
    """
    epochs = range(augmented_versions if dataset.is_augmented else 0)
    sample = dataset.without_augmentation()[index]
    augmented = [dataset[epoch, index] for epoch in epochs]
    return SampleRow(
        id=str(sample["id"]),
        image=as_rgb(image_array(sample)),
        mask=_mask_array(sample),
        augmented=[(as_rgb(image_array(version)), _mask_array(version)) for version in augmented],
    )


def prediction_row(
    sample: Mapping[str, Any], prediction: npt.NDArray[np.uint8], *, num_classes: int
) -> PredictionRow:
    """One sample beside a prediction, with the scores of this image if it has a mask.

    Args:
        sample: What :class:`SemSegDataset` returns for an index.
        prediction: ``(H, W)`` uint8 class ids, of the size of the sample's image.
        num_classes: Number of classes.
    """
    mask = _mask_array(sample)
    scores: dict[str, float] = {}
    if mask is not None:
        matrix = confusion_matrix(torch.from_numpy(prediction), sample["mask"], num_classes)
        scores = image_scores(matrix)
    image = as_rgb(image_array(sample))
    return PredictionRow(str(sample["id"]), image, mask, prediction, **scores)


def image_array(sample: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
    """The ``(H, W, B)`` uint8 image of a sample."""
    image: npt.NDArray[np.uint8] = sample["image"].permute(1, 2, 0).numpy()
    return image


def _mask_array(sample: Mapping[str, Any]) -> npt.NDArray[np.uint8] | None:
    mask = sample.get("mask")
    return None if mask is None else mask.numpy()
