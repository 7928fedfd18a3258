"""Pictures and masks by index, and how they become a batch."""

import random
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.images import (
    MaskFormat,
    read_image,
    read_mask,
    read_size,
    resize_keep_aspect,
    resized,
)
from aerialseg.data.listing import Sample
from aerialseg.data.masks import check_ids
from aerialseg.errors import DataError

PADDING_COLOUR = (124, 116, 104)
"""The mean colour of ImageNet: near zero once normalised, so padding says little."""


class Augmentation(Protocol):
    """What the data set needs of an ``albumentations.Compose``."""

    transforms: Sequence[Any]

    def __call__(self, **data: npt.NDArray[np.uint8]) -> dict[str, Any]:
        """Transforms ``image`` and ``mask`` together."""
        ...

    def set_random_state(
        self, random_generator: np.random.Generator, py_random: random.Random
    ) -> None:
        """Makes every transform, nested ones too, draw from these two."""
        ...


class SampleError(DataError):
    """A sample that cannot be loaded; says which.

    A loader's worker hands an exception on as its class and one text, which is the message
    wrapped in a traceback. The user is owed the message.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*(text.rpartition(_IN_TRACEBACK)[2].strip() for text in problems))


_IN_TRACEBACK = f"{SampleError.__module__}.{SampleError.__qualname__}: "


class SemSegDataset(Dataset[dict[str, Any]]):
    """Pictures with their masks, resized and augmented together, as uint8.

    A key is an index, or ``(epoch, index)``; the epoch decides the augmentation. What comes back
    depends on seed, epoch and index alone, not on order, workers or what was asked for before.

    Args:
        samples: What to serve.
        classes: Every mask must keep to this table.
        image_min_size: Length in pixels the smaller edge is resized to; None keeps the size.
        mask_format: What the pixels of a mask file are.
        augmentation: Applied after resizing; None for none.
        seed: Decides the augmentation, 0 or more.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        classes: ClassTable,
        *,
        image_min_size: int | None,
        mask_format: MaskFormat = "index",
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.samples = tuple(samples)
        self.classes = classes
        self.image_min_size = image_min_size
        self.seed = seed
        self._colours = classes.palette[: len(classes)] if mask_format == "colour" else None
        self._augmentation = augmentation if augmentation and augmentation.transforms else None

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: int | tuple[int, int]) -> dict[str, Any]:
        """Loads one sample.

        Returns:
            ``image`` ``(3, H, W)`` uint8 RGB, ``mask`` ``(H, W)`` uint8 unless the sample has
            none, ``id`` and ``index``.

        Raises:
            IndexError: If the index is not that of a sample.
            SampleError: If it cannot be loaded or augmented.
        """
        epoch, index = key if isinstance(key, tuple) else (0, key)
        if not 0 <= index < len(self):
            raise IndexError(f"no sample {index} among {len(self)}")
        sample = self.samples[index]
        try:
            arrays = self._augmented(self._load(sample), epoch, index)
        except DataError as error:
            lines = (f"{sample.name}: {problem}" for problem in error.problems)
            raise SampleError(*lines) from None
        # Channels stay last in memory: what was decoded is not copied, and devices like it.
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        tensors["image"] = tensors["image"].permute(2, 0, 1)
        return {**tensors, "id": sample.id, "index": index}

    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of every picture as served without augmentation, from the headers."""
        return [resized(read_size(s.image), self.image_min_size) for s in self.samples]

    def _load(self, sample: Sample) -> dict[str, npt.NDArray[np.uint8]]:
        image = read_image(sample.image)
        arrays = {"image": resize_keep_aspect(image, self.image_min_size)}
        if sample.mask is not None:
            mask = read_mask(sample.mask, colours=self._colours)
            if mask.shape != image.shape[:2]:
                raise DataError(f"{sample.mask}: its size differs from that of {sample.image}")
            check_ids(mask, self.classes, path=sample.mask)
            arrays["mask"] = resize_keep_aspect(mask, self.image_min_size, is_mask=True)
        return arrays

    def _augmented(
        self, arrays: dict[str, npt.NDArray[np.uint8]], epoch: int, index: int
    ) -> dict[str, npt.NDArray[np.uint8]]:
        if self._augmentation is None:
            return arrays
        # Not set_random_seed: it starts every transform from the same number, so that with p=0.5
        # all of them act or none does. Two generators shared by all are independent, and faster.
        self._augmentation.set_random_state(
            np.random.default_rng((self.seed, epoch, index)),
            random.Random(f"{self.seed} {epoch} {index}"),
        )
        try:
            changed = self._augmentation(**arrays)
        except Exception as error:  # a user's transforms may raise anything; the sample matters
            reason = " ".join(str(error).split())
            raise DataError(f"augmentation failed: {type(error).__name__}: {reason}") from error
        return {name: np.ascontiguousarray(changed[name]) for name in arrays}


def collate(
    batch: Sequence[dict[str, Any]], *, padding_colour: tuple[int, int, int] = PADDING_COLOUR
) -> dict[str, Any]:
    """Makes a batch of samples; smaller ones are padded at the bottom and on the right.

    Args:
        batch: What :class:`SemSegDataset` serves, all with a mask or all without.
        padding_colour: RGB, 0 to 255; masks are padded with 255, which is ignored.

    Returns:
        ``image`` ``(N, 3, H, W)`` uint8 with channels last in memory, ``mask`` ``(N, H, W)``
        uint8 unless there is none, ``id`` a list, ``index`` ``(N,)`` int64.
    """
    height = max(sample["image"].shape[1] for sample in batch)
    width = max(sample["image"].shape[2] for sample in batch)
    images = torch.empty((len(batch), height, width, 3), dtype=torch.uint8)
    masks = torch.empty((len(batch), height, width), dtype=torch.uint8)
    for row, sample in enumerate(batch):
        image = sample["image"]
        inside = (row, slice(image.shape[1]), slice(image.shape[2]))
        if image.shape[1:] != (height, width):
            images[row] = torch.tensor(padding_colour, dtype=torch.uint8)
            masks[row] = IGNORE_INDEX
        images[inside] = image.permute(1, 2, 0)
        if "mask" in sample:
            masks[inside] = sample["mask"]
    result: dict[str, Any] = {"image": images.permute(0, 3, 1, 2)}
    if "mask" in batch[0]:
        result["mask"] = masks
    result["id"] = [sample["id"] for sample in batch]
    result["index"] = torch.tensor([sample["index"] for sample in batch], dtype=torch.int64)
    return result
