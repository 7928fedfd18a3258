"""Which samples make which batch: a function of seed and epoch alone."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from torch.utils.data import Sampler


class EpochSampler(Sampler[tuple[int, int]]):
    """Gives ``(epoch, index)`` for every index once an epoch.

    The epoch travels with the index because workers outlive an epoch and must still know which
    augmentation to draw.

    Args:
        length: Number of samples.
        seed: Decides the order, 0 or more.
        shuffle: Whether each epoch has its own random order.
    """

    def __init__(self, length: int, *, seed: int, shuffle: bool) -> None:
        self.length = length
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch that the next pass is of; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.arange(self.length)
        if self.shuffle:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.length)
        return iter([(self.epoch, int(index)) for index in order])


class TrainBatchSampler(Sampler[list[tuple[int, int]]]):
    """Batches of ``batch_size`` in which no sample is lost and none is alone.

    A last batch of one joins the batch before it, which then holds one more: BatchNorm after
    global pooling cannot learn from a single sample.

    Args:
        sampler: Gives the order; Lightning finds it here to tell it the epoch.
        batch_size: Samples in a batch. With 1 every batch holds one.
    """

    def __init__(self, sampler: EpochSampler, batch_size: int) -> None:
        self.sampler = sampler
        self.batch_size = batch_size
        self._done = (0, 0)

    def skip(self, epoch: int, batches: int) -> None:
        """Leaves out the first batches of one epoch, which a resumed run has learnt from."""
        self._done = (epoch, batches)

    def __len__(self) -> int:
        return len(_starts(len(self.sampler), self.batch_size))

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        keys = list(self.sampler)
        starts = _starts(len(keys), self.batch_size)
        batches = zip(starts, [*starts[1:], len(keys)], strict=True)
        epoch, done = self._done
        for start, end in islice(batches, done if self.sampler.epoch == epoch else 0, None):
            yield keys[start:end]


class SameSizeBatchSampler(Sampler[list[int]]):
    """Batches of images of one size, in order of size first seen.

    No image is padded, so what a network says about it does not depend on the batch size.

    Args:
        sizes: Height and width of each sample.
        batch_size: Most samples in a batch.
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
