"""Checks of settings that only the data can answer, before training."""

from collections.abc import Iterator
from typing import Any

import pytorch_lightning as pl
import torch

from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts.listing import Split
from aerialseg.data.loading.sampling import EpochSampler, SameSizeBatchSampler, TrainBatchSampler
from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.metrics.scores import summarise


def check_with_data(experiment: Experiment, trainer: pl.Trainer, data: AerialSegDataModule) -> None:
    """Checks the augmentation, the trainer's numbers of batches, and what callbacks watch.

    Args:
        experiment: The config.
        trainer: The stage's trainer.
        data: The stage's data.

    Raises:
        ConfigError: With one line for each problem.
    """
    data.dataset("train", augment=True)
    _ = data.shown_in_epoch  # raises if a data set has no share
    problems = [*_batch_problems(trainer, data), *_watch_problems(experiment, data)]
    if problems:
        raise ConfigError(*problems)


def limited(batches: int, limit: int | float | None) -> int:
    """Lightning's ``limit_*_batches``: a share of the batches, or at most that many."""
    if isinstance(limit, float):
        return int(batches * limit)
    return batches if limit is None else min(batches, limit)


def _batch_problems(trainer: pl.Trainer, data: AerialSegDataModule) -> Iterator[str]:
    """Shares that are less than one batch, and validation that does not end the epoch."""
    limits: dict[Split, float] = {
        "train": trainer.limit_train_batches,
        "val": trainer.limit_val_batches,
    }
    for split, limit in limits.items():
        if limit < 1 and limited(batches := _batches(data, split), limit) < 1:
            key = f"trainer.limit_{split}_batches"
            yield f"{key}: {limit} of {batches} batches is less than one; set {key}=1"
    steps, interval = limited(_batches(data, "train"), limits["train"]), trainer.val_check_interval
    if steps < 1 or not isinstance(interval, int | float):
        return
    every = interval if isinstance(interval, int) else max(1, int(steps * interval))
    if every > steps or steps % every:
        fitting = ", ".join(str(n) for n in range(1, steps + 1) if steps % n == 0)
        yield (
            f"trainer.val_check_interval: {interval} validates every {every} batches, but an epoch "
            f"has {steps}, so it would not end with a validation; set one of {fitting}"
        )


def _batches(data: AerialSegDataModule, split: Split) -> int:
    """The number of batches of an epoch, without making a loader."""
    if split == "train":
        images = len(data.samples("train"))
        return len(TrainBatchSampler(EpochSampler(images, seed=0, shuffle=False), data.batch_size))
    return len(SameSizeBatchSampler(data.served_sizes(split), data.batch_size))


def _watch_problems(experiment: Experiment, data: AerialSegDataModule) -> Iterator[str]:
    """Scores of a class that is not in the table, or in no mask of the split."""
    nodes: dict[str, Any] = {f"callbacks.{key}": node for key, node in experiment.callbacks.items()}
    nodes["scheduler"] = experiment.scheduler
    for path, node in nodes.items():
        watched, _, name = str(node.get("monitor", "")).partition("/")
        if watched not in ("train", "val") or not name.startswith(("iou_", "dice_")):
            continue
        split: Split = "train" if watched == "train" else "val"
        known = _scores(torch.ones(len(data.classes)), data)
        present = _scores(torch.from_numpy(data.counts_of(split).sum(axis=0)), data)
        if name not in known:
            text = did_you_mean(f"{split}/{name}", [f"{split}/{each}" for each in known])
            yield f"{path}.monitor: '{split}/{name}' is never logged{text}"
        elif name not in present:
            yield (
                f"{path}.monitor: no mask of the {split} split has a pixel of the class of "
                f"'{split}/{name}', so it has no score; watch {split}/dice instead"
            )


def _scores(pixels: torch.Tensor, data: AerialSegDataModule) -> set[str]:
    """The scores that are logged when each class has this many pixels."""
    return set(summarise(torch.diag(pixels.to(torch.int64)), data.classes.names))
