"""How training goes besides its scores: gradient norm, throughput and memory in TensorBoard."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch.optim import Optimizer

from aerialseg.callbacks.guards import NonFiniteLossGuard
from aerialseg.callbacks.step_statistics import (
    GradientNorms,
    Throughput,
    gradient_norm,
    memory_in_use,
)
from aerialseg.callbacks.tensorboard_curves import board_of, epoch_step


class TrainingStatistics(pl.Callback):
    """Logs for each epoch the gradient norm, the throughput and the memory to TensorBoard.

    ``train/gradient_norm`` is the mean of the epoch's optimizer steps before clipping,
    ``train/gradient_norm_max`` the largest of them; ``train/epoch`` counts from 1, as log lines do.
    ``system/images_per_second`` counts training alone, loading included.
    ``system/gpu_memory_peak_gb`` is the most that torch had allocated since training began;
    without a GPU, ``system/resident_memory_gb`` is what the process has resident. The device is
    waited for once an epoch, never within it. Without TensorBoard nothing is computed.

    In YAML::

        statistics:
          _target_: aerialseg.callbacks.training_statistics.TrainingStatistics
    """

    def __init__(self) -> None:
        self._norms, self._throughput = GradientNorms(), Throughput()
        self._restored: dict[str, Any] = {}
        self._is_on = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begins, or goes on with the steps of an interrupted epoch."""
        self._is_on = board_of(trainer) is not None
        if not self._is_on:
            return
        self._norms.load_state_dict(self._restored, pl_module.device)
        self._restored = {}
        self._throughput.reset()
        if pl_module.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(pl_module.device)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begins an epoch."""
        if self._is_on:
            self._throughput.reset()

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Counts the norm of the step's gradients, which are not clipped yet."""
        if self._is_on:
            known = _norm_of_guard(trainer)
            self._norms.add(gradient_norm(optimizer) if known is None else known)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,  # noqa: ANN401 - Lightning's signature
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Counts the images of the batch."""
        if not self._is_on:
            return
        if trainer.is_last_batch and pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)  # else steps would count that still run
        self._throughput.add(len(batch["mask"]))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leaves the time of the validation out."""
        self._throughput.resume()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Logs the epoch."""
        board = board_of(trainer)
        if board is None:
            return
        values = {"train/epoch": trainer.current_epoch + 1.0}
        if (norms := self._norms.read()) is not None:
            values["train/gradient_norm"], values["train/gradient_norm_max"] = norms
        if (rate := self._throughput.read()) is not None:
            values["system/images_per_second"] = rate
        values |= {f"system/{name}": gb for name, gb in memory_in_use(pl_module.device).items()}
        board.log_metrics(values, epoch_step(trainer))
        self._norms.reset()

    def state_dict(self) -> dict[str, Any]:
        """The norms of an epoch that is not finished, for a resumed run."""
        return dict(self._norms.state_dict())

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remembers the norms until training starts."""
        self._restored = state_dict


def _norm_of_guard(trainer: pl.Trainer) -> torch.Tensor | None:
    """What the guard has computed for the same step, if it comes before."""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    guards = (each for each in callbacks if isinstance(each, NonFiniteLossGuard))
    return next((each.gradient_norm for each in guards), None)
