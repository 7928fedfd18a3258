"""Samplers whose order depends on seed and epoch only."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

import numpy as np
from torch.utils.data import Sampler


class SampleKey(NamedTuple):
    """What a data set is asked for where a sample takes the place of another.

    Attributes:
        epoch: Decides crop and augmentation, with the place.
        sample: Index of the sample.
        place: The index that the sampler gave before another sample took its place; no two keys
            of an epoch have the same.
        class_id: The class that a crop must hold; None for any.
    """

    epoch: int
    sample: int
    place: int
    class_id: int | None = None

    @classmethod
    def of(cls, key: "int | Key") -> "SampleKey":
        """The key that an index, in epoch 0, or ``(epoch, index)`` stands for."""
        if isinstance(key, SampleKey):
            return key
        epoch, index = key if isinstance(key, tuple) else (0, key)
        return cls(epoch, index, index)


Key: TypeAlias = tuple[int, int] | SampleKey
"""``(epoch, index)``, or with what took the place of that index."""


class EpochSampler(Sampler[Key]):
    """Yields ``(epoch, index)`` for every index once per epoch.

    The epoch is part of the key because persistent workers need it to seed the augmentation.

    Args:
        length: Number of samples.
        seed: Seed of the order, 0 or more.
        shuffle: Whether each epoch has its own random order.
    """

    def __init__(self, length: int, *, seed: int, shuffle: bool) -> None:
        self.length = length
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the next iteration; called by Lightning."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys())

    def _keys(self) -> list[Key]:
        """The keys of the epoch, in its order."""
        order = np.arange(self.length)
        if self.shuffle:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.length)
        return [(self.epoch, int(index)) for index in order]


class TrainBatchSampler(Sampler[list[Key]]):
    """Batches of ``batch_size``; none is dropped and none has a single sample.

    A last batch of one sample is merged into the batch before it, because BatchNorm after global
    pooling cannot be trained on a single sample.

    Args:
        sampler: The order; Lightning finds it here to set the epoch.
        batch_size: Samples per batch. With 1 every batch has one sample.
    """

    def __init__(self, sampler: EpochSampler, batch_size: int) -> None:
        self.sampler = sampler
        self.batch_size = batch_size
        self._done = (0, 0)

    def skip(self, epoch: int, batches: int) -> None:
        """Skips the first batches of an epoch, which a resumed run has already trained on."""
        self._done = (epoch, batches)

    def __len__(self) -> int:
        return len(_starts(len(self.sampler), self.batch_size))

    def __iter__(self) -> Iterator[list[Key]]:
        keys = list(self.sampler)
        starts = _starts(len(keys), self.batch_size)
        batches = zip(starts, [*starts[1:], len(keys)], strict=True)
        epoch, done = self._done
        for start, end in islice(batches, done if self.sampler.epoch == epoch else 0, None):
            yield keys[start:end]


class SameSizeBatchSampler(Sampler[list[int]]):
    """Batches of images of equal size, in the order in which sizes first occur.

    No image is padded, so predictions do not depend on the batch size.

    Args:
        sizes: Height and width of each sample.
        batch_size: Maximum number of samples per batch.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], batch_size: int) -> None:
        by_size: dict[tuple[int, int], list[int]] = {}
        for index, size in enumerate(sizes):
            by_size.setdefault(size, []).append(index)
        self.batches = [
            indices[start : start + batch_size]
            for indices in by_size.values()
            for start in range(0, len(indices), batch_size)
        ]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)


def _starts(length: int, batch_size: int) -> list[int]:
    starts = list(range(0, length, batch_size))
    if len(starts) > 1 and batch_size > 1 and length - starts[-1] == 1:
        starts.pop()
    return starts
