"""How long the stage and those after it will take, said after the first batches."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import RichProgressBar

from aerialseg.callbacks.pace import Pace, StepTimes, Work
from aerialseg.durations import clock_time, rough_duration

logger = logging.getLogger(__name__)

_SECONDS = 2.0
"""As long as the steps must take, together, that a forecast is made from."""


@dataclass(frozen=True)
class RemainingStages:
    """What is known, before a stage is trained, of the stages after it.

    Attributes:
        seconds: By name of each later stage, how long it is expected to take.
        at_most: Whether one of these may end early.
        expected_pace: The pace that was measured for the stage that is trained now. The ratio of
            its actual pace to this one scales the expectations for the later stages.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    at_most: bool = False
    expected_pace: Pace | None = None


class RemainingTime(pl.Callback):
    """Says once, after the first batches, how long the stage and those after it will take.

    What a validation batch takes is not known by then: it is taken for a training step without
    its backward pass, or to be as much off as the step where both have been measured before.

    In YAML::

        forecast:
          _target_: aerialseg.callbacks.remaining_time.RemainingTime
          stage: ${stage.name}

    Args:
        stage: What to call the stage.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self._remaining = RemainingStages()
        self._times: StepTimes | None = None

    def set_remaining_stages(self, remaining: RemainingStages) -> None:
        """Makes the forecast include the stages that are trained after this one."""
        self._remaining = remaining

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock, also in the middle of an epoch that goes on."""
        self._times = StepTimes()
        self._times.begin(pl_module.device)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock of an epoch."""
        if self._times is not None:
            self._times.begin(pl_module.device)

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: torch.Tensor
    ) -> None:
        """Takes the time between forward and backward."""
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
        """Takes the time, and speaks as soon as there is enough to go by."""
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
            self._say(trainer, times.pace(accumulated), work)
            self._times = None

    def _say(self, trainer: pl.Trainer, pace: Pace, work: Work) -> None:
        expected, scale = self._remaining.expected_pace, 1.0
        if expected is not None:
            scale = pace.step / expected.step
            pace = Pace(pace.step, expected.validation_batch * scale)
        line = forecast_line(
            self.stage,
            pace.seconds(work),
            {stage: seconds * scale for stage, seconds in self._remaining.seconds.items()},
            at_most=may_end_early(trainer) or self._remaining.at_most,
            now=datetime.now(),
        )
        bar = trainer.progress_bar_callback
        if isinstance(bar, RichProgressBar) and bar.is_enabled:
            bar.print(line)  # above the bar, which a line of the log would cut in two
        else:
            logger.info("%s", line)


def forecast_line(
    stage: str, seconds: float, rest: Mapping[str, float], *, at_most: bool, now: datetime
) -> str:
    """The forecast in one line.

    Args:
        stage: The stage at hand.
        seconds: What is left of it.
        rest: Seconds by name of each stage that follows.
        at_most: Whether it may be less.
        now: The local time.
    """
    about, done = ("at most", "by") if at_most else ("about", "at")
    line = f"forecast: stage {stage} {about} {rough_duration(seconds)}"
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
    """What a trainer has still to do.

    Args:
        trainer: Says how many epochs there are and after how many it validates.
        steps_per_epoch: Training batches in an epoch.
        validation_batches: Batches in one validation.
        epochs_done: Epochs that are finished.
        steps_done: Training batches of the epoch at hand that are.
    """
    epochs = trainer.max_epochs or 0
    every = trainer.check_val_every_n_epoch or 1
    interval = trainer.val_check_interval
    if isinstance(interval, float):  # a share of an epoch instead of steps
        interval = int(steps_per_epoch * interval)
    each = steps_per_epoch // max(1, interval) if isinstance(interval, int) else 1
    validations = (epochs // every - epochs_done // every) * each
    steps = max(0, (epochs - epochs_done) * steps_per_epoch - steps_done)
    return Work(steps, max(0, validations) * validation_batches)


def may_end_early(trainer: pl.Trainer) -> bool:
    """Whether steps are limited, or early stopping has less patience than there are epochs."""
    epochs = trainer.max_epochs or 0
    # The first validation always improves on none.
    patient = all(1 + stop.patience >= epochs for stop in trainer.early_stopping_callbacks)
    return trainer.max_steps >= 0 or not patient


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
