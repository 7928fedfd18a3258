"""Loading one sample from its two files, as in a worker of the loader."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count, repeat
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from aerialseg.models.normalisation import normalise
from benchmarks.command import run
from benchmarks.experiment import data_module
from benchmarks.images import data_root
from benchmarks.plain.data import MEAN, STD, PlainDataset
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare, one_core

_REASONS = {
    "plain": "decoding the JPEG, which both do, takes nearly all of our time",
    "augmented": "decoding and warping, which both do, take most of our time",
}


def rows(setting: Setting) -> Iterator[Row]:
    """One sample, plain and augmented, on one core."""
    root = data_root(setting, train=setting.count(8))
    for name, augmentation, goal in (("plain", "none", 4), ("augmented", "drone", 3)):
        data = data_module(root, f"augmentation={augmentation}")
        plain = PlainDataset(data.samples("train"), augmented=augmentation != "none")
        ours = data.train_dataloader().dataset
        if augmentation == "none":
            _check_same(plain[0], ours[0])
        indices = range(len(plain))
        load_plain = partial(_load, plain, repeat(indices))
        # Each epoch has its own augmentation.
        load_ours = partial(_load, ours, ([(e, index) for index in indices] for e in count()))
        with one_core():
            each = compare(load_plain, load_ours, setting, seconds=12, items=len(plain))
        yield Row(f"one sample, {name}, one core", *each, goal=goal, reason=_REASONS[name])


def _load(dataset: Dataset[Any], keys: Iterator[Iterable[Any]]) -> None:
    for key in next(keys):
        dataset[key]


def _check_same(plain: tuple[Tensor, Tensor], ours: dict[str, Any]) -> None:
    image, mask = plain
    check(torch.equal(mask, ours["mask"].long()), "mask")
    normalised = normalise(ours["image"][None], torch.tensor(MEAN), torch.tensor(STD))[0]
    # Decoders may differ by one level in some pixels.
    check(float((image - normalised).abs().mean()) < 1 / 255, "image")


if __name__ == "__main__":
    run(rows)
