"""Images and masks by index, and how they become a batch."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Ge
from torch.utils.data import Dataset

from aerialseg.classes import ClassTable
from aerialseg.data.augmentation import Augmentation, augmented
from aerialseg.data.cache.mask_memory import MaskMemory, keep_masks
from aerialseg.data.cache.window_store import WindowStore, keep_windows
from aerialseg.data.images.crops import Crops
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.resizing import resize_keep_aspect, resize_to, resized
from aerialseg.data.images.windows import Window
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.loading.pasting import Pasting
from aerialseg.data.loading.sample_files import SampleFiles, with_encoding
from aerialseg.data.loading.sampling import Key, SampleKey
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import stamp
from aerialseg.values.checked_calls import checked


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

    A key is an index, ``(epoch, index)`` or a :class:`SampleKey`; the epoch decides crop and
    augmentation. What comes back depends on seed and key alone, not on order, workers or what was
    asked for before.

    Args:
        samples: What to serve.
        classes: Every mask must keep to this table.
        image_min_size: Length in pixels the smaller edge is resized to; None keeps the size.
        reading: How files are read; without an encoding, the values of masks are class ids. For
            samples of several data sets by the name of each.
        augmentation: Applied after resizing; None for none.
        crops: Which crops of the images are served instead of whole images; None for none.
        pasting: Pastes objects before the augmentation; None for none.
        seed: Decides crops, what is pasted and augmentation, 0 or more.
        mask_memory: The masks of these samples where they are kept in memory; None if not.
        window_store: Keeps the pixels of windows on disk; None to cut them from the images.
        shares_only: Whether masks of windows are ignored outside the window's share, so that no
            pixel of an image is scored twice.

    Raises:
        ConfigError: If ``reading`` has the encoding of another class table.
    """

    @checked
    def __init__(
        self,
        samples: Sequence[Sample],
        classes: ClassTable,
        *,
        image_min_size: Annotated[int, Ge(1)] | None,
        reading: Reading | Mapping[str, Reading] | None = None,
        augmentation: Augmentation | None = None,
        crops: Crops | None = None,
        pasting: Pasting | None = None,
        seed: Annotated[int, Ge(0)] = 0,
        mask_memory: MaskMemory | None = None,
        window_store: WindowStore | None = None,
        shares_only: bool = False,
    ) -> None:
        self.samples = tuple(samples)
        self.classes = classes
        self.image_min_size = image_min_size
        self.seed = seed
        self.mask_memory = mask_memory
        self.window_store = window_store
        self.shares_only = shares_only
        readings = reading if isinstance(reading, Mapping) else {"": reading or Reading()}
        self.files = SampleFiles({n: with_encoding(readings[n], classes) for n in readings})
        self._crops, self._pasting = crops, pasting
        self._augmentation = augmentation if augmentation and augmentation.transforms else None

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: int | Key) -> dict[str, Any]:
        """Loads one sample.

        Returns:
            ``image`` ``(3, H, W)`` uint8 RGB or ``(B, H, W)`` uint8 bands, ``mask`` ``(H, W)``
            uint8 unless the sample has none, ``id`` and ``index``.

        Raises:
            IndexError: If the index is not that of a sample.
            SampleError: If it cannot be loaded or augmented.
        """
        asked = SampleKey.of(key)
        index = asked.sample
        if not 0 <= index < len(self):
            raise IndexError(f"no sample {index} among {len(self)}")
        sample = self.samples[index]
        try:
            arrays, share = self._load(asked)
            seeds = (self.seed, asked.epoch, asked.place)
            if self._pasting is not None:
                arrays = self._pasting.pasted(arrays, sample.data_set, seeds, zoom=1 / share)
            if self._augmentation is not None:
                arrays = augmented(self._augmentation, arrays, seeds=seeds)
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
        """Whether samples are augmented or cropped, or something is pasted into them."""
        return any(part is not None for part in (self._augmentation, self._crops, self._pasting))

    def without_augmentation(self) -> "SemSegDataset":
        """The same samples without augmentation, crops and what is pasted."""
        plain = copy.copy(self)
        plain._augmentation = plain._crops = plain._pasting = None
        return plain

    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of every image as served without augmentation, from the headers.

        Raises:
            SampleError: If an image's header cannot be read.
        """
        return [resized(self._size(sample), self.image_min_size) for sample in self.samples]

    def _size(self, sample: Sample) -> tuple[int, int]:
        """Height and width of an image before resizing, upright if orientations are applied."""
        if sample.window is not None:
            return sample.window.box.size
        try:
            return self.files.size(sample)
        except DataError as error:
            raise _naming(sample, error) from None

    def keep_masks(
        self, megabytes: int, cache_dir: Path, *, lacking: Sequence[Sample] = ()
    ) -> MaskMemory:
        """The masks of all samples in memory, as :func:`cache.mask_memory.keep_masks` says.

        Args:
            megabytes: Most memory.
            cache_dir: Where they are kept.
            lacking: Those whose images lack data somewhere: their masks depend on the images too.
        """
        images = [[stamp(sample.image) for sample in lacking]] if lacking else []
        return keep_masks(
            self.samples,
            self.files.mask,
            made_with=self.files.made_with(lambda reading: (*reading.identity, *images)),
            image_min_size=self.image_min_size,
            megabytes=megabytes,
            cache_dir=cache_dir,
        )

    def keep_windows(
        self, window: tuple[int, int], gigabytes: float, cache_dir: Path
    ) -> WindowStore:
        """The windows of all samples on disk, as :func:`cache.window_store.keep_windows` says."""
        return keep_windows(
            self.samples,
            window=window,
            image_min_size=self.image_min_size,
            made_with=self.files.made_with(lambda reading: reading.identity_of_images),
            channels=self.files.channels,
            gigabytes=gigabytes,
            cache_dir=cache_dir,
        )

    def _load(self, key: SampleKey) -> tuple[dict[str, npt.NDArray[np.uint8]], float]:
        """A sample or a crop of it, which the key and the seed decide, and the crop's share."""
        if self._crops is None:
            return self._load_whole(key.sample), 1.0
        return self._load_crop(key, self._crops)

    def _load_whole(self, index: int) -> dict[str, npt.NDArray[np.uint8]]:
        """The resized image of a sample, and its mask if it has one."""
        sample = self.samples[index]
        if sample.window is not None:
            image, size = self._load_window(sample, sample.window), sample.window.box.size
        else:
            image, size = self.files.image(sample, self.image_min_size)
        if sample.mask is None:
            return {"image": image}
        return {"image": image, "mask": self._load_mask(index, size)}

    def _load_crop(
        self, key: SampleKey, crops: Crops
    ) -> tuple[dict[str, npt.NDArray[np.uint8]], float]:
        """A crop resized to the size of crops, and its share."""
        sample = self.samples[key.sample]
        size = self._size(sample)
        # The 2 keeps it apart from the generators of orders and of the augmentation.
        random = np.random.default_rng((self.seed, key.epoch, key.place, 2))
        arrays = {}
        if sample.mask is None:
            crop = crops.draw(size, random)
        else:
            mask = self._stored_mask(key.sample, size)
            if mask.shape != size:
                raise ValueError("the mask memory of crops must keep masks at their size")
            crop = crops.draw_labelled(mask, random, class_id=key.class_id)
            arrays["mask"] = resize_to(crop.box.of(mask), crops.size, is_mask=True)
        if sample.window is None:
            pixels = self.files.part(sample, crop)
        else:
            pixels = crop.box.of(self._stored_window(sample, sample.window))
        arrays["image"] = resize_to(pixels, crops.size, is_mask=False)
        share = crops.share_of(crop.box, size)
        return {name: np.ascontiguousarray(array) for name, array in arrays.items()}, share

    def _load_window(self, sample: Sample, window: Window) -> npt.NDArray[np.uint8]:
        """The resized pixels of a window of a sample's image."""
        return resize_keep_aspect(self._stored_window(sample, window), self.image_min_size)

    def _stored_window(self, sample: Sample, window: Window) -> npt.NDArray[np.uint8]:
        """The pixels of a window as the store has them, which may be resized; else as they are."""
        path, whole = sample.image, self.files.whole_image(sample)
        if self.window_store is not None:
            return self.window_store.read(path, window, whole)
        return window.cut(whole(path), path)

    def _load_mask(self, index: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """The resized mask of an image, or of its window, that has this height and width."""
        sample, stored = self.samples[index], self._stored_mask(index, size)
        mask = resize_keep_aspect(stored, self.image_min_size, is_mask=True)
        return sample.window.share_of(mask) if self.shares_only and sample.window else mask

    def _stored_mask(self, index: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """The mask as the memory has it, which may be resized; else as it is in its file."""
        sample = self.samples[index]
        if sample.mask is None:
            raise DataError("has no mask")
        if self.mask_memory is not None:
            kept = self.mask_memory.read(index, sample.mask, size)
            if kept is not None:
                return kept
        if sample.window is not None:
            mask = self.files.window_mask(sample, sample.window)
        else:
            mask = self.files.mask(sample)
        if mask.shape != size:
            raise DataError(f"{sample.mask}: its size differs from that of {sample.image}")
        return mask


def _naming(sample: Sample, error: DataError) -> SampleError:
    return SampleError(*(f"{sample.name}: {problem}" for problem in error.problems))
