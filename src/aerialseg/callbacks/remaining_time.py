"""Logs after the first batches how long the stage and those after it will take."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import RichProgressBar

from aerialseg.callbacks.ema import average_of
from aerialseg.callbacks.pace import Pace, StepTimes, Work
from aerialseg.durations import clock_time, rough_duration
from aerialseg.models.module import SegmentationModule

logger = logging.getLogger(__name__)

_SECONDS = 2.0
"""The total time of the steps that a forecast is based on."""


@dataclass(frozen=True)
class RemainingStages:
    """The forecasts of the stages after the current one.

    Attributes:
        seconds: The expected seconds of each later stage, by name.
        at_most: Whether one of them may end early.
        expected_pace: The measured pace of the current stage. The ratio of its actual pace to this
            one scales the forecasts of the later stages.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    at_most: bool = False
    expected_pace: Pace | None = None


class RemainingTime(pl.Callback):
    """Logs once, after the first batches, how long the stage and those after it will take.

    The time of a validation batch is not known by then. It is estimated as a training step without
    its backward pass or, if both were measured before, scaled by the same ratio as the step.

    In YAML::

        forecast:
          _target_: aerialseg.callbacks.remaining_time.RemainingTime
    """

    def __init__(self) -> None:
        self._remaining = RemainingStages()
        self._times: StepTimes | None = None

    def set_remaining_stages(self, remaining: RemainingStages) -> None:
        """Includes the stages that are trained after this one in the forecast."""
        self._remaining = remaining

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts timing, also in the middle of a resumed epoch."""
        self._times = StepTimes()
        self._times.begin(pl_module.device)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts timing an epoch."""
        if self._times is not None:
            self._times.begin(pl_module.device)

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: torch.Tensor
    ) -> None:
        """Records the time between forward and backward."""
        if self._times is not None:
            self._times.learn(pl_module.device)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Records the time, and logs the forecast as soon as there are enough steps."""
        times, accumulated = self._times, trainer.accumulate_grad_batches
        if times is None or not (trainer.max_epochs and trainer.max_epochs > 0):
            return
        times.end(pl_module.device)
        work = work_left(
            trainer,
            steps_per_epoch=int(trainer.num_training_batches),
            validation_batches=int(sum(trainer.num_val_batches)),
            epochs_done=trainer.current_epoch,
            steps_done=batch_idx + 1,
        )
        ends_epoch = batch_idx + 1 == trainer.num_training_batches
        enough = times.suffice(accumulated, seconds=0.0 if ends_epoch else _SECONDS)
        if enough or work.steps == 0:
            self._log_forecast(trainer, pl_module, times.pace(accumulated), work)
            self._times = None

    def _log_forecast(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, pace: Pace, work: Work
    ) -> None:
        """Logs the forecast, or prints it above the progress bar."""
        expected, scale = self._remaining.expected_pace, 1.0
        if expected is not None:
            scale = pace.step / expected.step
            pace = Pace(pace.step, expected.validation_batch * scale)
        elif average_of(trainer) is not None:  # which is validated too
            pace = Pace(pace.step, 2 * pace.validation_batch)
        line = forecast_line(
            pl_module.description.stage if isinstance(pl_module, SegmentationModule) else "",
            pace.seconds(work),
            {stage: seconds * scale for stage, seconds in self._remaining.seconds.items()},
            at_most=may_end_early(trainer) or self._remaining.at_most,
            now=datetime.now(),
        )
        bar = trainer.progress_bar_callback
        if isinstance(bar, RichProgressBar) and bar.is_enabled:
            bar.print(line)  # above the bar, which a log line would break
        else:
            logger.info("%s", line)


def forecast_line(
    stage: str, seconds: float, rest: Mapping[str, float], *, at_most: bool, now: datetime
) -> str:
    """The forecast in one line.

    Args:
        stage: The current stage; empty if it has no name.
        seconds: Its remaining time.
        rest: Seconds of each later stage, by name.
        at_most: Whether training may end early.
        now: The local time.
    """
    about, done = ("at most", "by") if at_most else ("about", "at")
    line = f"forecast: {f'stage {stage} ' if stage else ''}{about} {rough_duration(seconds)}"
    if rest:
        line += f"; then {_listed(list(rest))} {about} {rough_duration(sum(rest.values()))}"
    return f"{line}: done {done} {clock_time(seconds + sum(rest.values()), now=now)}"


def work_left(
    trainer: pl.Trainer,
    *,
    steps_per_epoch: int,
    validation_batches: int,
    epochs_done: int = 0,
    steps_done: int = 0,
) -> Work:
    """The remaining work of a trainer.

    Args:
        trainer: For its number of epochs and its validation interval.
        steps_per_epoch: Training batches in an epoch.
        validation_batches: Batches in one validation.
        epochs_done: Epochs that are finished.
        steps_done: Finished training batches of the current epoch.
    """
    epochs = trainer.max_epochs or 0
    every = trainer.check_val_every_n_epoch or 1
    interval = trainer.val_check_interval
    if isinstance(interval, float):  # a fraction of an epoch instead of steps
        interval = int(steps_per_epoch * interval)
    each = steps_per_epoch // max(1, interval) if isinstance(interval, int) else 1
    validations = (epochs // every - epochs_done // every) * each
    steps = max(0, (epochs - epochs_done) * steps_per_epoch - steps_done)
    return Work(steps, max(0, validations) * validation_batches)


def may_end_early(trainer: pl.Trainer) -> bool:
    """Whether steps are limited, or early stopping has less patience than there are epochs."""
    epochs = trainer.max_epochs or 0
    # The first validation always counts as an improvement.
    patient = all(1 + stop.patience >= epochs for stop in trainer.early_stopping_callbacks)
    return trainer.max_steps >= 0 or not patient


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
