"""Rows of the image sheets, from samples of a data set and predictions for them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from aerialseg.data.dataset import SemSegDataset
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import image_scores
from aerialseg.viz.sheets import PredictionRow, SampleRow


def random_indices(dataset: SemSegDataset, count: int, *, seed: int) -> list[int]:
    """At most ``count`` different indices of a data set, chosen by ``seed``, in ascending order."""
    order = np.random.default_rng(seed).permutation(len(dataset))
    return sorted(order[:count].tolist())


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
        image=image_array(sample),
        mask=_mask_array(sample),
        augmented=[(image_array(version), _mask_array(version)) for version in augmented],
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
    return PredictionRow(str(sample["id"]), image_array(sample), mask, prediction, **scores)


def image_array(sample: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
    """The ``(H, W, 3)`` uint8 image of a sample."""
    image: npt.NDArray[np.uint8] = sample["image"].permute(1, 2, 0).numpy()
    return image


def _mask_array(sample: Mapping[str, Any]) -> npt.NDArray[np.uint8] | None:
    mask = sample.get("mask")
    return None if mask is None else mask.numpy()
