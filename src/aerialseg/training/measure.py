"""A trial of a stage: a few real steps tell what all of them will take."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

from aerialseg.callbacks.pace import Pace, StepTimes
from aerialseg.callbacks.remaining_time import may_end_early, work_left
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts.listing import Listing, Sample, Split
from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.inference.predictor import native_device
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.checkpoints import read_checkpoint, read_description
from aerialseg.storage.run_folders import RunFolder
from aerialseg.training.build import build
from aerialseg.training.failures import explained_failures
from aerialseg.training.feature_cache import cache_features, is_short_run
from aerialseg.training.hardware import precision

_BATCHES = 4
"""How many batches are validated, and of how many of each split features are made."""


def measure(
    cfg: DictConfig, module: SegmentationModule, data: AerialSegDataModule, trainer: pl.Trainer
) -> dict[str, Any]:
    """Times a few steps of a stage, as training would do them, and works out the whole of it.

    Args:
        cfg: The composed config.
        module: The stage's module; the trial trains it, so it is of no further use.
        data: The stage's data.
        trainer: The stage's trainer, which says how much there is to do.

    Returns:
        A row of the table: ``stage``; ``epochs``, and how many of them are ``left``; ``step``,
        ``validation_batch`` and ``features``, the seconds for one, one, and to prepare them all,
        each ``None`` where nothing is left to measure; ``seconds`` in all; and ``at_most``,
        whether it may be less.

    Raises:
        ConfigError: If the number of epochs is not limited.
    """
    epochs = trainer.max_epochs or 0
    if epochs < 1:
        raise ConfigError("trainer.max_epochs: task.measure needs a number of epochs to count")
    left = epochs - (0 if cfg.existing == "overwrite" else _epochs_done(cfg, epochs))
    row = {"stage": cfg.stage.name, "epochs": epochs, "left": left}
    if left <= 0:
        nothing = dict.fromkeys(("step", "validation_batch", "features"))
        return row | nothing | {"seconds": 0.0, "at_most": False}
    with _quiet(), explained_failures(module, data):
        pace, features = _try(cfg, module, data, accumulated=trainer.accumulate_grad_batches)
    work = work_left(
        trainer,
        steps_per_epoch=_limited(len(data.train_dataloader()), trainer.limit_train_batches),
        validation_batches=_limited(len(data.val_dataloader()), trainer.limit_val_batches),
        epochs_done=epochs - left,
    )
    return row | {
        "step": pace.step,
        "validation_batch": pace.validation_batch,
        "features": features,
        "seconds": features + pace.seconds(work),
        "at_most": may_end_early(trainer),
    }


class _Trial(pl.Callback):
    """Times training until its pace is known, and then a validation."""

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
            trainer.should_stop = True  # Lightning validates before it does

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._validation.begin(pl_module.device)

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *batch: object
    ) -> None:
        self._validation.end(pl_module.device)


def _try(
    cfg: DictConfig, module: SegmentationModule, data: AerialSegDataModule, *, accumulated: int
) -> tuple[Pace, float]:
    """The pace of a stage, and the seconds that its features take to prepare, if it uses any.

    They are made of a few pictures in a folder that is removed again. A stage that trains from
    pictures takes them as they come from its own loader, so that a slow disk shows.
    """
    trial = _Trial(accumulated)
    with TemporaryDirectory() as folder:
        own = cfg.copy()
        own.paths.cache_dir = folder
        few = _few_pictures(own, data)
        began = time.perf_counter()
        cache_features(
            module,
            few,
            cache_dir=Path(folder),
            run_name=cfg.run_name,
            setting=cfg.stage.cache_features,
            device=native_device(cfg.trainer.accelerator),
            short_run=is_short_run(cfg.trainer.max_epochs, cfg.trainer.get("limit_train_batches")),
        )
        seconds = time.perf_counter() - began
        cached = few.features is not None
        _trainer(cfg, trial).fit(module, few if cached else data)
    return trial.pace, seconds * _pictures(data) / _pictures(few) if cached else 0.0


def _trainer(cfg: DictConfig, trial: _Trial) -> pl.Trainer:
    """The stage's trainer, but that it ends with the trial and leaves nothing behind."""
    changes = {
        "precision": precision(cfg.trainer),
        "max_epochs": 1000,
        "min_epochs": None,
        "max_steps": -1,
        "min_steps": None,
        "limit_train_batches": 1.0,
        "limit_val_batches": _BATCHES,
        "check_val_every_n_epoch": 1,
        "val_check_interval": 1.0,
        "num_sanity_val_steps": 0,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
    }
    node = OmegaConf.create({**cfg.trainer, **changes})
    trainer: pl.Trainer = build(node, "trainer", callbacks=[trial], logger=False)
    return trainer


def _few_pictures(cfg: DictConfig, data: AerialSegDataModule) -> AerialSegDataModule:
    """The same data with a few pictures of each split, from all over it."""
    augmentation = build(cfg.augmentation, "augmentation")
    few: AerialSegDataModule = build(cfg.data, "data", augmentation=augmentation)
    chosen = Listing((*_some(data, "train"), *_some(data, "val")))
    few.layout = lambda root, cache_dir: chosen
    return few


def _some(data: AerialSegDataModule, split: Split) -> tuple[Sample, ...]:
    samples, count = data.samples(split), _BATCHES * data.batch_size
    return samples[:: max(1, len(samples) // count)][:count]


def _pictures(data: AerialSegDataModule) -> int:
    return len(data.samples("train")) + len(data.samples("val"))


def _epochs_done(cfg: DictConfig, epochs: int) -> int:
    """How many epochs of the stage need not be trained again."""
    folder = RunFolder(Path(cfg.paths.runs_dir) / cfg.run_name / cfg.stage.name / "train")
    last = folder.checkpoints / "last.ckpt"
    if folder.finished():
        return epochs
    try:
        return read_description(read_checkpoint(last), last).epoch
    except CheckpointError:
        return 0


def _limited(batches: int, limit: int | float | None) -> int:
    """Lightning's rule: a share of the batches, or so many of them at most."""
    if isinstance(limit, float):
        return int(batches * limit)
    return batches if limit is None else min(batches, limit)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what a trial says of itself from being taken for training."""
    package = logging.getLogger("aerialseg")
    level = package.level
    package.setLevel(logging.WARNING)
    try:
        yield
    finally:
        package.setLevel(level)
