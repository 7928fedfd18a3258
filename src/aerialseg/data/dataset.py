"""Images and masks by index, and how they become a batch."""

import copy
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset, default_collate

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.cache.mask_memory import MaskMemory
from aerialseg.data.images.headers import MAX_MEGAPIXELS
from aerialseg.data.images.masks import check_ids
from aerialseg.data.images.reading import MaskFormat, read_mask, read_resized, read_size
from aerialseg.data.images.resizing import resize_keep_aspect, resized
from aerialseg.data.layouts.listing import Sample
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
    """Images with their masks, resized and augmented together, as uint8.

    A key is an index, or ``(epoch, index)``; the epoch decides the augmentation. What comes back
    depends on seed, epoch and index alone, not on order, workers or what was asked for before.

    Args:
        samples: What to serve.
        classes: Every mask must keep to this table.
        image_min_size: Length in pixels the smaller edge is resized to; None keeps the size.
        mask_format: What the pixels of a mask file are.
        augmentation: Applied after resizing; None for none.
        seed: Decides the augmentation, 0 or more.
        max_megapixels: Most millions of pixels of an image or a mask.
        mask_memory: The masks of these samples where they are kept in memory; None if not.
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
        max_megapixels: float = MAX_MEGAPIXELS,
        mask_memory: MaskMemory | None = None,
    ) -> None:
        self.samples = tuple(samples)
        self.classes = classes
        self.image_min_size = image_min_size
        self.seed = seed
        self.max_megapixels = max_megapixels
        self.mask_memory = mask_memory
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
            arrays = self._augmented(self._load(index), epoch, index)
        except DataError as error:
            raise _naming(sample, error) from None
        # Channels stay last in memory: what was decoded is not copied, and devices like it.
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        tensors["image"] = tensors["image"].permute(2, 0, 1)
        return {**tensors, "id": sample.id, "index": index}

    def mask(self, index: int) -> torch.Tensor:
        """The ``(H, W)`` uint8 mask of one sample, resized as its image is, which is not read.

        Raises:
            SampleError: If the sample has no mask or it cannot be loaded.
        """
        sample = self.samples[index]
        size = self._size(sample)
        try:
            return torch.from_numpy(self._load_mask(index, size))
        except DataError as error:
            raise _naming(sample, error) from None

    @property
    def is_augmented(self) -> bool:
        """Whether samples are augmented."""
        return self._augmentation is not None

    def without_augmentation(self) -> "SemSegDataset":
        """The same samples without augmentation."""
        plain = copy.copy(self)
        plain._augmentation = None
        return plain

    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of every image as served without augmentation, from the headers.

        Raises:
            SampleError: If an image's header cannot be read.
        """
        return [resized(self._size(sample), self.image_min_size) for sample in self.samples]

    def _size(self, sample: Sample) -> tuple[int, int]:
        try:
            return read_size(sample.image, max_megapixels=self.max_megapixels)
        except DataError as error:
            raise _naming(sample, error) from None

    def read_mask(self, path: Path) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
        """Reads a mask file: the resized ``(h, w)`` mask, and its height and width before.

        Raises:
            DataError: If the file cannot be read or holds an id or a colour of no class.
        """
        mask = read_mask(path, colours=self._colours, max_megapixels=self.max_megapixels)
        check_ids(mask, self.classes, path=path)
        size = mask.shape[0], mask.shape[1]
        return resize_keep_aspect(mask, self.image_min_size, is_mask=True), size

    def _load(self, index: int) -> dict[str, npt.NDArray[np.uint8]]:
        sample = self.samples[index]
        image, size = read_resized(
            sample.image, self.image_min_size, max_megapixels=self.max_megapixels
        )
        if sample.mask is None:
            return {"image": image}
        return {"image": image, "mask": self._load_mask(index, size)}

    def _load_mask(self, index: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """The resized mask of an image whose file has this height and width."""
        sample = self.samples[index]
        if sample.mask is None:
            raise DataError("has no mask")
        if self.mask_memory is not None:
            kept = self.mask_memory.read(index, sample.mask, size)
            if kept is not None:
                return kept
        mask, mask_size = self.read_mask(sample.mask)
        if mask_size != size:
            raise DataError(f"{sample.mask}: its size differs from that of {sample.image}")
        return mask

    def _augmented(
        self, arrays: dict[str, npt.NDArray[np.uint8]], epoch: int, index: int
    ) -> dict[str, npt.NDArray[np.uint8]]:
        """Applies the augmentation, seeded by seed, epoch and index."""
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
    batch: Sequence[dict[str, Any]],
    *,
    size: tuple[int, int] = (0, 0),
    padding_colour: tuple[int, int, int] = PADDING_COLOUR,
) -> dict[str, Any]:
    """Makes a batch of samples; smaller ones are padded at the bottom and on the right.

    Args:
        batch: What :class:`SemSegDataset` serves, all with a mask or all without.
        size: Least height and width of the batch, in pixels.
        padding_colour: RGB, 0 to 255; masks are padded with 255, which is ignored.

    Returns:
        ``image`` ``(N, 3, H, W)`` uint8 with channels last in memory, ``mask`` ``(N, H, W)``
        uint8 unless there is none, ``id`` a list, ``index`` ``(N,)`` int64.
    """
    images = [sample["image"] for sample in batch]
    height = max(size[0], *(image.shape[1] for image in images))
    width = max(size[1], *(image.shape[2] for image in images))
    stacked = _stack([image.permute(1, 2, 0) for image in images], (height, width), padding_colour)
    result: dict[str, Any] = {"image": stacked.permute(0, 3, 1, 2)}
    if "mask" in batch[0]:
        result["mask"] = collate_masks([sample["mask"] for sample in batch], (height, width))
    return {**result, **names_of(batch)}


def collate_masks(masks: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
    """``(N, H, W)`` uint8: masks padded to ``size`` with 255, which is ignored."""
    return _stack(masks, size, IGNORE_INDEX)


def names_of(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a batch knows of its samples: ``id`` a list, ``index`` ``(N,)`` int64."""
    indices = torch.tensor([sample["index"] for sample in batch], dtype=torch.int64)
    return {"id": [sample["id"] for sample in batch], "index": indices}


def _stack(
    arrays: Sequence[torch.Tensor], size: tuple[int, int], padding: int | tuple[int, int, int]
) -> torch.Tensor:
    """``(N, H, W, ...)`` uint8: what is smaller than ``size`` is padded."""
    # torch's own function, since in a worker it fills shared memory: no copy on the way out.
    stacked: torch.Tensor = default_collate([_pad(array, size, padding) for array in arrays])
    return stacked


def _pad(
    array: torch.Tensor, size: tuple[int, int], padding: int | tuple[int, int, int]
) -> torch.Tensor:
    if array.shape[:2] == size:
        return array
    padded = torch.tensor(padding, dtype=torch.uint8).expand(*size, *array.shape[2:]).clone()
    padded[: array.shape[0], : array.shape[1]] = array
    return padded


def _naming(sample: Sample, error: DataError) -> SampleError:
    return SampleError(*(f"{sample.name}: {problem}" for problem in error.problems))
