"""Class weights from the pixels of every training mask."""

from collections.abc import Iterator
from itertools import count

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.counts import count_labels
from aerialseg.losses.class_weights import class_weights
from benchmarks.command import run
from benchmarks.experiment import data_module
from benchmarks.images import data_root, temporary_folder
from benchmarks.plain.data import PlainDataset
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare


def rows(setting: Setting) -> Iterator[Row]:
    """Class weights, seconds per image: computed, and read from the cache."""
    data = data_module(data_root(setting, train=setting.count(24)))
    samples, num_classes = data.samples("train"), len(data.classes)
    plain_dataset = PlainDataset(samples)
    new_folders = (temporary_folder() / "counts" / str(number) for number in count())

    def plain() -> npt.NDArray[np.int64]:
        """Iterates over the data set as training does, including the images."""
        pixels = np.zeros(num_classes, dtype=np.int64)
        for index in range(len(plain_dataset)):
            _, mask = plain_dataset[index]
            pixels += [int((mask == label).sum()) for label in range(num_classes)]
        return pixels

    def ours(new: bool = True) -> npt.NDArray[np.int64]:
        folder = next(new_folders) if new else data.cache_dir
        counts = count_labels(samples, data.reading, cache_dir=folder).classes
        class_weights(counts, "median_frequency")
        return counts

    check(np.array_equal(plain(), ours().sum(axis=0)), "pixels of each class")
    check(np.array_equal(ours(new=False), ours()), "cached pixels of each class")
    first = compare(plain, ours, setting, items=len(samples))
    reason = "decoding the PNG, which both do, takes most of our time"
    yield Row("class weights, first time", *first, goal=10, reason=reason)
    cached = compare(plain, lambda: ours(new=False), setting, items=len(samples))
    yield Row("class weights, cached", *cached, goal=100)


if __name__ == "__main__":
    run(rows)
