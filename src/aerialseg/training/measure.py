"""Estimates the time of a stage from a few real steps."""

import gc
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytorch_lightning as pl

from aerialseg.callbacks.ema import average_of
from aerialseg.callbacks.pace import Pace, StepTimes
from aerialseg.callbacks.remaining_time import may_end_early, work_left
from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.checkpoints import read_checkpoint, read_description
from aerialseg.storage.forecast import Forecast
from aerialseg.storage.run_folders import RunFolder
from aerialseg.training.build import chosen_precision
from aerialseg.training.data_checks import limited
from aerialseg.training.failures import explained_failures
from aerialseg.training.feature_cache import cache_stage_features
from aerialseg.training.instantiation import build

_BATCHES = 4
"""How many batches are validated, and how many of each split are cached as features."""


def measure_stage(
    experiment: Experiment,
    module: SegmentationModule,
    data: AerialSegDataModule,
    trainer: pl.Trainer,
    *,
    keeps_finished: bool,
) -> Forecast:
    """Times a few training steps of a stage and extrapolates to the whole stage.

    Args:
        experiment: The config.
        module: The stage's module; the trial trains it, so it cannot be used afterwards.
        data: The stage's data.
        trainer: The stage's trainer, for the number of epochs and batches.
        keeps_finished: Whether a finished stage takes no time; otherwise all of it is timed.

    Raises:
        ConfigError: If the number of epochs is not limited.
    """
    epochs = trainer.max_epochs or 0
    if epochs < 1:
        raise ConfigError("trainer.max_epochs: task.measure needs a number of epochs to count")
    left = epochs - _epochs_done(experiment, epochs, keeps_finished=keeps_finished)
    if left <= 0:
        return Forecast(experiment.stage.name, epochs=epochs, epochs_left=left)
    with _quiet(), explained_failures(module, data):
        pace, features = _run_trial(experiment, module, data, trainer)
    work = work_left(
        trainer,
        steps_per_epoch=limited(len(data.train_dataloader()), trainer.limit_train_batches),
        validation_batches=limited(len(data.val_dataloader()), trainer.limit_val_batches),
        epochs_done=epochs - left,
    )
    return Forecast(
        experiment.stage.name,
        epochs=epochs,
        epochs_left=left,
        step=pace.step,
        validation_batch=pace.validation_batch,
        features=features,
        seconds=features + pace.seconds(work),
        at_most=may_end_early(trainer),
    )


class _Trial(pl.Callback):
    """Times training until there are enough steps, and then one validation."""

    def __init__(self, accumulated: int) -> None:
        self._accumulated = accumulated
        self._training, self._validation = StepTimes(), StepTimes()

    @property
    def pace(self) -> Pace:
        return Pace(self._training.pace(self._accumulated).step, self._validation.pace().step)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._training.begin(pl_module.device)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *batch: object
    ) -> None:
        self._training.end(pl_module.device)
        if self._training.suffice(self._accumulated, seconds=1.0):
            trainer.should_stop = True  # Lightning validates once more before it stops

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._validation.begin(pl_module.device)

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *batch: object
    ) -> None:
        self._validation.end(pl_module.device)


def _run_trial(
    experiment: Experiment,
    module: SegmentationModule,
    data: AerialSegDataModule,
    trainer: pl.Trainer,
) -> tuple[Pace, float]:
    """The pace of a stage, and the seconds that caching its features takes, if it uses any.

    Features of a few images are cached in a temporary folder. A stage that trains from images uses
    its own loader, so that a slow disk is measured too.
    """
    trial = _Trial(trainer.accumulate_grad_batches)
    average = average_of(trainer)  # takes time in steps and validation
    callbacks: list[pl.Callback] = [trial] if average is None else [average, trial]
    # After an error the trial still has its files mapped, and Windows would not remove them.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        few = data.reduced(_BATCHES * data.batch_size, cache_dir=Path(folder))
        start = time.perf_counter()
        cached = cache_stage_features(experiment, module, few, cache_dir=Path(folder))
        seconds = time.perf_counter() - start
        _trainer(experiment, callbacks).fit(module, few if cached else data)
        features = seconds * _count(data) / _count(few) if cached else 0.0
        del few
        module.trainer = None  # which has the data
        gc.collect()
    return trial.pace, features


def _trainer(experiment: Experiment, callbacks: list[pl.Callback]) -> pl.Trainer:
    """A trainer like the stage's, but without checkpoints, logger and progress bar."""
    changes: dict[str, Any] = {
        "precision": chosen_precision(experiment),
        "max_epochs": 1000,
        "min_epochs": None,
        "max_steps": -1,
        "max_time": None,
        "profiler": None,
        "min_steps": None,
        "limit_train_batches": 1.0,
        "limit_val_batches": _BATCHES,
        "check_val_every_n_epoch": 1,
        "val_check_interval": 1.0,
        "num_sanity_val_steps": 0,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
    }
    node = {**experiment.trainer, **changes}
    trainer: pl.Trainer = build(node, "trainer", callbacks=callbacks, logger=False)
    return trainer


def _count(data: AerialSegDataModule) -> int:
    return len(data.samples("train")) + len(data.samples("val"))


def _epochs_done(experiment: Experiment, epochs: int, *, keeps_finished: bool) -> int:
    """How many epochs of the stage are already trained."""
    runs, stage = Path(experiment.paths.runs_dir), experiment.stage.name
    folder = RunFolder(runs / experiment.run_name / stage / "train")
    last = folder.checkpoints / "last.ckpt"
    if experiment.existing == "overwrite":
        return 0
    if experiment.existing != "extend" and folder.is_complete():
        return epochs if keeps_finished else 0
    try:
        return read_description(read_checkpoint(last), last).epoch
    except CheckpointError:
        return 0


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides log lines of the trial, which would look like those of training."""
    package = logging.getLogger("aerialseg")
    level = package.level
    package.setLevel(logging.WARNING)
    try:
        yield
    finally:
        package.setLevel(level)
