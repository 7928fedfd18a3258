"""The training speed of each stage, with and without the real loader."""

from dataclasses import dataclass
from functools import partial
from os import cpu_count
from time import perf_counter
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from aerialseg.config.schema import Experiment
from aerialseg.training.build import build_data, chosen_precision
from aerialseg.training.quiet import quieten_lightning
from benchmarks.experiment import config, training_module
from benchmarks.images import data_root
from benchmarks.timing import Setting, peak_memory, synchronize

_BATCH_SIZE = 8
_SECONDS = 12  # for each measurement


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """The training speed of one stage.

    Attributes:
        name: The stage.
        epochs: Its number of epochs.
        batch_size: Images per step.
        resident: Images per second from one batch that stays on the device.
        loaded: Images per second from the real loader, augmented if the stage is.
        validated: Images per second in validation, from the real loader.
        memory: Peak memory of training in bytes.
    """

    name: str
    epochs: int
    batch_size: int
    resident: float
    loaded: float
    validated: float
    memory: float

    def seconds(self, train: int, val: int) -> float:
        """The time of the stage for these numbers of training and validation images."""
        return self.epochs * (train / self.loaded + val / self.validated)


def measure(stage: str, setting: Setting) -> StageSpeed:
    """Trains a stage briefly, without its predecessor and without writing anything."""
    batch_size = setting.count(_BATCH_SIZE)
    workers = 0 if setting.quick else cpu_count() or 1
    warm_up = 1 if setting.quick else 2 * workers + 8
    root = data_root(setting, train=setting.count(400) * batch_size, val=2 * warm_up * batch_size)
    choices = f"data.batch_size={batch_size}", f"data.num_workers={workers}"
    experiment = config(root, f"stage={stage}", *choices)
    data = build_data(experiment)
    module = training_module(experiment, data)
    loader, val_loader = data.train_dataloader(), data.val_dataloader()
    batch = data.transfer_batch_to_device(next(iter(loader)), torch.device(setting.device), 0)
    resident = DataLoader([batch] * len(loader), batch_size=None)  # type: ignore[arg-type, var-annotated] # any sequence works

    on_batch, on_loader = (Clock(warm_up, 0 if setting.quick else _SECONDS) for _ in range(2))
    trainer = _trainer(experiment, on_batch, setting.device, limit_val_batches=0)
    memory = peak_memory(partial(trainer.fit, module, resident, val_loader), setting.device)
    _trainer(experiment, on_loader, setting.device).fit(module, loader, val_loader)
    del loader, val_loader  # ends their workers
    return StageSpeed(
        name=stage,
        epochs=experiment.stage.epochs,
        batch_size=batch_size,
        resident=on_batch.training.rate,
        loaded=on_loader.training.rate,
        validated=on_loader.validation.rate,
        memory=memory,
    )


class Counter:
    """Counts images a second after a warm-up.

    Args:
        warm_up: Batches that are not counted: kernels are chosen, prefetched batches used up.
    """

    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up
        self.batches = self.images = 0
        self.start = self.seconds = 0.0

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / self.seconds

    def add(self, images: int) -> None:
        """Counts a finished batch."""
        self.batches += 1
        synchronize()
        if self.batches == self.warm_up:
            self.start = perf_counter()
        elif self.batches > self.warm_up:
            self.images += images
            self.seconds = perf_counter() - self.start


class Clock(pl.Callback):
    """Times training and validation, and stops training after ``seconds``.

    Args:
        warm_up: Batches that are not counted.
        seconds: How long to time training.
    """

    def __init__(self, warm_up: int, seconds: float) -> None:
        self.seconds = seconds
        self.training, self.validation = Counter(warm_up), Counter(warm_up)

    def on_train_batch_end(self, trainer: pl.Trainer, *rest: Any) -> None:  # noqa: ANN401
        """Counts a training batch; ``rest`` is module, outputs, batch and index."""
        self.training.add(len(rest[2]["mask"]))
        trainer.should_stop = self.training.seconds > self.seconds

    def on_validation_batch_end(self, trainer: pl.Trainer, *rest: Any) -> None:  # noqa: ANN401
        """Counts a validation batch."""
        self.validation.add(len(rest[2]["mask"]))


def _trainer(
    experiment: Experiment, clock: Clock, device: str, *, limit_val_batches: int | None = None
) -> pl.Trainer:
    """A trainer with the config's precision and clipping that writes nothing."""
    quieten_lightning()
    return pl.Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        precision=chosen_precision(experiment),  # type: ignore[arg-type] # one of Lightning's names
        gradient_clip_val=cast("float", experiment.trainer["gradient_clip_val"]),
        max_epochs=1,
        limit_val_batches=limit_val_batches,
        num_sanity_val_steps=0,
        callbacks=[clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
