"""The best and the last state of a run, in memory, and on disk often enough."""

import logging
import math
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import pytorch_lightning as pl
from annotated_types import Ge
from lightning_fabric.utilities.types import _PATH
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.callbacks.early_stopping import EarlyStoppingReason
from pytorch_lightning.plugins import CheckpointIO
from torch import Tensor

from aerialseg.errors import AerialsegError, TrainingError
from aerialseg.storage.checkpoints import read_checkpoint, write_checkpoint
from aerialseg.storage.sealed_tensors import keep_as

logger = logging.getLogger(__name__)

_PAUSES = (1, 10, 60)
"""Seconds before trying again to write what a finished training has come to."""


class InMemoryCheckpoint(Checkpoint):
    """Keeps the best and the last epoch in memory and writes them to disk now and then.

    They reach the disk every ``every_n_epochs`` epochs, at the end of training, and when an
    exception or a signal stops it. The ``last.ckpt`` before is kept as ``previous.ckpt``, for the
    case that the disk damages the newest. A full disk does not end training: both stay in memory
    and are written after the next epoch. The sanity check before training is not an epoch: an
    untrained network is never the best one, nor is one whose score is NaN.

    In YAML::

        checkpoint:
          _target_: aerialseg.callbacks.checkpoint.InMemoryCheckpoint
          folder: ${paths.output_dir}/checkpoints
          monitor: val/dice
          mode: max
          every_n_epochs: 5

    Args:
        folder: Where ``best.ckpt`` and ``last.ckpt`` are written.
        monitor: The logged value that chooses the best epoch.
        mode: Whether more of it is better, or less.
        every_n_epochs: Epochs between two writes.
    """

    def __init__(
        self,
        folder: str,
        monitor: str = "val/dice",
        *,
        mode: Literal["min", "max"] = "max",
        every_n_epochs: Annotated[int, Ge(1)] = 5,
    ) -> None:
        self.best_path = Path(folder) / "best.ckpt"
        self.last_path = Path(folder) / "last.ckpt"
        self.monitor = monitor
        self.mode = mode
        self.every_n_epochs = every_n_epochs
        self.best_score = math.nan
        self.best_epoch: int | None = None
        self.memory = _MemoryCheckpointIO(self.last_path)
        self._behind = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Puts the memory between the trainer and the disk."""
        trainer.strategy.checkpoint_io = self.memory

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lets a resumed run rest if early stopping had ended it already."""
        if any(
            callback.stopping_reason is not EarlyStoppingReason.NOT_STOPPED
            for callback in trainer.early_stopping_callbacks
        ):
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes a snapshot of the epoch; it is the best if no earlier one was as good."""
        score = trainer.callback_metrics.get(self.monitor)
        improved = score is not None and self._is_better(float(score))
        if score is not None and improved:
            self.best_score, self.best_epoch = float(score), trainer.current_epoch
        # The best first: were Ctrl-C to fall in between, the last must not know of a lost best.
        trainer.save_checkpoint(self.best_path if improved else self.last_path, weights_only=False)
        if improved:
            self.memory.held[self.last_path] = self.memory.held[self.best_path]

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the snapshots that are due; not sooner, for Lightning logs an epoch after them.

        A process killed in between would leave a snapshot of an epoch that its curves lack.
        """
        if self._behind or trainer.current_epoch % self.every_n_epochs == 0:
            self._write("kept in memory until after the next epoch")

    def take_snapshot(self, trainer: pl.Trainer) -> None:
        """Holds this very moment as the last; an exception must follow, which writes it."""
        trainer.save_checkpoint(self.last_path, weights_only=False)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes what the disk does not have yet.

        Raises:
            TrainingError: If it cannot be written, not at the fourth attempt either.
        """
        for pause in _PAUSES:
            if self._write(f"trying again in {pause} s"):
                return
            time.sleep(pause)
        if not self._write("giving up"):
            raise TrainingError(
                f"{self.last_path.parent}: training has ended but its last epochs cannot be "
                "written; make room, then repeat them with the same command and existing=resume"
            )

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Writes what the disk does not have yet; the last finished epoch is not lost."""
        self._write("what lies there is older and still whole")

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know of the best epoch so far."""
        return {"best_score": self.best_score, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on comparing with the best epoch so far, which lies on disk."""
        self.best_score = state_dict["best_score"]
        self.best_epoch = state_dict["best_epoch"]

    def _write(self, otherwise: str) -> bool:
        """Writes what the disk does not have yet; if that fails, one line says so."""
        try:
            self.memory.flush()
        except AerialsegError as error:
            logger.warning("%s; %s", error, otherwise)
            self._behind = True
        else:
            self._behind = False
        return not self._behind

    def _is_better(self, score: float) -> bool:
        if math.isnan(score):
            return False
        if math.isnan(self.best_score):
            return True
        return score > self.best_score if self.mode == "max" else score < self.best_score


class _MemoryCheckpointIO(CheckpointIO):
    """Takes what Lightning saves and holds it under its path until it is flushed.

    Args:
        last: The path whose file is kept as ``previous.ckpt`` when a new one takes its place.
    """

    def __init__(self, last: Path) -> None:
        self.last = last
        self.held: dict[Path, dict[str, Any]] = {}

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: _PATH,
        storage_options: Any | None = None,  # noqa: ANN401 - Lightning's signature
    ) -> None:
        self.held[Path(path)] = _copy_to_cpu(checkpoint)

    def load_checkpoint(
        self,
        path: _PATH,
        map_location: Any | None = None,  # noqa: ANN401 - Lightning's signature
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: _PATH) -> None:
        self.held.pop(Path(path), None)
        Path(path).unlink(missing_ok=True)

    def flush(self) -> None:
        """Writes everything held; the best first, so that the last never knows of a lost best.

        Raises:
            AerialsegError: If something cannot be written; that and all after it is still held.
        """
        for path in sorted(self.held):
            if path == self.last and path.exists():
                keep_as(path, path.with_name("previous.ckpt"))
            write_checkpoint(path, self.held[path])
            del self.held[path]


def _copy_to_cpu(value: Any) -> Any:  # noqa: ANN401 - walks nested plain data
    """A copy that later steps cannot change, off the device."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copy_to_cpu(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copy_to_cpu(item) for item in value)
    return value
