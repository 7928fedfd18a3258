"""An exponential moving average of the weights, validated beside them in each epoch."""

import logging
import math
from dataclasses import replace
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from aerialseg.errors import TrainingError
from aerialseg.metrics.accumulators import SegmentationMetrics
from aerialseg.metrics.scores import summarise
from aerialseg.models.epoch_sums import MeanLoss
from aerialseg.models.module import SegmentationModule
from aerialseg.models.moving_average import MovingAverage, averaged_tensors
from aerialseg.storage.averaged_weights import beside, put_beside
from aerialseg.values.checked_calls import checked

logger = logging.getLogger(__name__)

_PREFIX = "network."

_SHORTEST = 2
"""Steps below which an average is hardly one."""


class ExponentialMovingAverage(pl.Callback):
    """Averages the trained weights over the last optimizer steps, as a second candidate for best.

    Each validation scores both: what training has come to as ``val/NAME``, the average as
    ``ema/NAME``. The checkpoint callback keeps the better one of all epochs as ``best.ckpt``.
    Training itself does not change by a bit: schedules, early stopping and ``last.ckpt`` go by the
    weights themselves, and ``last.ckpt`` holds the average beside them for a resumed run.

    After each optimizer step ``average = d * average + (1 - d) * weights``, where ``d`` is the
    decay, but at most ``(1 + t) / (10 + t)`` after ``t`` steps. Running statistics of BatchNorm are
    averaged likewise; its counters are not, and frozen tensors stay as they are. Steps that the
    guard skips do not count.

    In YAML::

        ema:
          _target_: aerialseg.callbacks.ema.ExponentialMovingAverage
          horizon: 0.05
          decay: null

    Args:
        horizon: The length of the average as a share of the stage's optimizer steps: the decay is
            ``1 - 1 / (horizon * steps)``, which is 0.98 for 0.05 of 1000 steps.
        decay: A decay to use instead, whatever the length of the stage; null for the horizon's.

    Attributes:
        scores: Those of the average in the last validation, as ``val/NAME``.
    """

    @checked
    def __init__(
        self,
        *,
        horizon: Annotated[float, Gt(0), Le(1)] = 0.05,
        decay: Annotated[float, Ge(0), Lt(1)] | None = None,
    ) -> None:
        self.horizon = horizon
        self.decay = decay
        self.scores: dict[str, float] = {}
        self._average: MovingAverage | None = None
        self._restored: dict[str, Any] | None = None
        self._decay = math.nan
        self._steps = 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Lets checkpoints say that there is an average.

        Raises:
            TypeError: If the module is of another project.
        """
        if not isinstance(pl_module, SegmentationModule):
            raise TypeError(f"got a {type(pl_module).__name__}; wanted a SegmentationModule")
        pl_module.description = replace(pl_module.description, averaged_weights=False)
        self._average, self._restored, self.scores = None, None, {}
        self._metrics = SegmentationMetrics(len(pl_module.class_names))
        self._loss = MeanLoss()

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remembers the average of a checkpoint until the network is on its device."""
        self._restored = beside(checkpoint)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begins the average at the present weights, or goes on with that of the checkpoint.

        Raises:
            TrainingError: If the decay depends on a number of epochs that is not limited.
        """
        assert isinstance(pl_module, SegmentationModule)
        self._decay = self._chosen_decay(float(trainer.estimated_stepping_batches))
        self._steps = trainer.global_step
        tensors = averaged_tensors(pl_module.network, pl_module.plan)
        self._average = MovingAverage({f"{_PREFIX}{name}": t for name, t in tensors.items()})
        if self._restored is not None:
            self._average.restore(self._restored["weights"], self._restored["updates"])
            self.scores = dict(self._restored["scores"])
        self._metrics.to(pl_module.device)
        self._loss.to(pl_module.device)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,  # noqa: ANN401 - Lightning's signature
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Updates the average if the batch has ended an optimizer step that changed something."""
        stepped, self._steps = trainer.global_step > self._steps, trainer.global_step
        # Of a step that the guard has skipped there are no gradients left.
        if stepped and any(p.grad is not None for p in pl_module.parameters()):
            self._of_training.update(self._decay)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begins the scores anew."""
        self._metrics.reset()
        self._loss.reset()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,  # noqa: ANN401 - Lightning's signature
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Scores the average on the batch, too."""
        if trainer.sanity_checking:
            return
        assert isinstance(pl_module, SegmentationModule)
        target: Tensor = batch["mask"]
        with self._of_training.in_place(), trainer.precision_plugin.val_step_context():
            logits = pl_module.logits(batch)["out"]
            loss = pl_module.loss(logits, target)
        self._metrics.update(logits, target)
        self._loss.update(loss, len(target))

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Logs the scores of the average."""
        if trainer.sanity_checking:
            return
        assert isinstance(pl_module, SegmentationModule)
        scores = summarise(self._metrics.compute(), pl_module.class_names)
        scores["loss"] = float(self._loss.compute())
        # In float32, as the logged values that they are compared with.
        rounded = {name: torch.tensor(value).item() for name, value in scores.items()}
        self.scores = {f"val/{name}": value for name, value in rounded.items()}
        for name, value in rounded.items():
            pl_module.log(f"ema/{name}", value)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Adds the average and its scores to the checkpoint."""
        average = self._of_training
        put_beside(checkpoint, average.values, self.scores, average.updates)

    @property
    def _of_training(self) -> MovingAverage:
        if self._average is None:
            raise RuntimeError("there is no average before training has started")
        return self._average

    def _chosen_decay(self, steps: float) -> float:
        """The decay for a stage of so many optimizer steps."""
        if self.decay is not None:
            return self.decay
        if math.isinf(steps):
            raise TrainingError(
                "callbacks.ema.decay: must be set, because the number of epochs is not limited"
            )
        if self.horizon * steps < _SHORTEST:
            logger.warning(
                "callbacks.ema.horizon: %s of %d optimizer steps is less than %d, too short for an "
                "average; set more of it",
                *(self.horizon, steps, _SHORTEST),
            )
        return 1 - 1 / max(1.0, self.horizon * steps)


def average_of(trainer: pl.Trainer) -> ExponentialMovingAverage | None:
    """The callback that averages the weights of a trainer, if it has one."""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return next((c for c in callbacks if isinstance(c, ExponentialMovingAverage)), None)
