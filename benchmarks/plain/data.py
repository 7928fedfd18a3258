"""Images decoded with PIL and converted to float in the worker."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from aerialseg.data.layouts.listing import Sample

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PlainDataset(Dataset[tuple[Tensor, Tensor]]):
    """Image ``(3, H, W)`` float32, normalised, and mask ``(H, W)`` int64.

    Args:
        samples: Samples with masks.
        augmented: Whether to augment, in the ranges of ``conf/augmentation/drone.yaml``.
    """

    def __init__(self, samples: Sequence[Sample], *, augmented: bool = False) -> None:
        self.samples = samples
        self.augment = _augmentation() if augmented else None
        self.to_float = v2.Compose(
            [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
        )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Loads one sample."""
        sample = self.samples[index]
        image = Image.open(sample.image).convert("RGB")
        mask = tv_tensors.Mask(np.array(Image.open(str(sample.mask))))
        if self.augment is not None:
            image, mask = self.augment(image, mask)
        return self.to_float(image), mask.as_subclass(torch.Tensor).long()


def _augmentation() -> v2.Transform:
    """The augmentation of ``conf/augmentation/drone.yaml`` in torchvision."""
    return v2.Compose(
        [
            v2.RandomApply([v2.ColorJitter(brightness=(0.7, 1.3), hue=0.1)], p=0.8),
            v2.RandomEqualize(p=0.2),
            v2.RandomHorizontalFlip(p=0.5),
            v2.RandomApply([v2.RandomAffine(10, translate=(0.2, 0.2), scale=(0.9, 1.4))], p=0.95),
        ]
    )
