"""Images decoded with PIL and converted to float in the worker."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.layouts.listing import Sample

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PlainDataset(Dataset[tuple[Tensor, Tensor]]):
    """Image ``(3, H, W)`` float32, normalised, and mask ``(H, W)`` int64.

    Args:
        samples: Samples with masks.
        augmented: Whether to augment, in the ranges of ``conf/augmentation/drone.yaml``.
        min_size: The shorter edge that images are resized to, in pixels; None keeps their size.
        colours: By class id the colour that masks have instead of ids; white is ignored.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        *,
        augmented: bool = False,
        min_size: int | None = None,
        colours: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        self.samples = samples
        self.augment = _augmentation() if augmented else None
        self.resize = None if min_size is None else v2.Resize(min_size)
        self.colours = colours
        self.to_float = v2.Compose(
            [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
        )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Loads one sample."""
        sample = self.samples[index]
        image = Image.open(sample.image).convert("RGB")
        mask = tv_tensors.Mask(self._ids(Image.open(str(sample.mask))))
        if self.resize is not None:
            image, mask = self.resize(image, mask)
        if self.augment is not None:
            image, mask = self.augment(image, mask)
        return self.to_float(image), mask.as_subclass(torch.Tensor).long()

    def _ids(self, mask: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """The class ids of a mask, one class after the other if it has colours."""
        if not self.colours:
            return np.array(mask)
        pixels = np.array(mask.convert("RGB"))
        ids = np.full(pixels.shape[:2], IGNORE_INDEX, np.uint8)
        for index, colour in enumerate(self.colours):
            ids[(pixels == colour).all(-1)] = index
        return ids


def padded(samples: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """A batch of samples, those of other sizes padded at the right and below, which is ignored."""
    height, width = (max(mask.shape[axis] for _, mask in samples) for axis in (0, 1))
    images, masks = [], []
    for image, mask in samples:
        edges = (0, width - mask.shape[1], 0, height - mask.shape[0])
        images.append(pad(image, edges))
        masks.append(pad(mask, edges, value=IGNORE_INDEX))
    return torch.stack(images), torch.stack(masks)


def _augmentation() -> v2.Transform:
    """The augmentation of ``conf/augmentation/drone.yaml`` in torchvision."""
    fill = {tv_tensors.Mask: IGNORE_INDEX, "others": 0}
    affine = v2.RandomAffine(10, translate=(0.2, 0.2), scale=(0.9, 1.4), fill=fill)
    return v2.Compose(
        [
            v2.RandomApply([v2.ColorJitter(brightness=(0.7, 1.3), hue=0.1)], p=0.8),
            v2.RandomEqualize(p=0.2),
            v2.RandomHorizontalFlip(p=0.5),
            v2.RandomApply([affine], p=0.95),
        ]
    )
