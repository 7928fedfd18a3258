"""Keeps the best and the last checkpoint in memory and writes them to disk periodically."""

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
"""Seconds between attempts to write the final checkpoints."""


class InMemoryCheckpoint(Checkpoint):
    """Keeps the best and the last checkpoint in memory and writes them to disk periodically.

    They are written every ``every_n_epochs`` epochs, at the end of training, and when an exception
    or a signal stops it. The previous ``last.ckpt`` is kept as ``previous.ckpt``, in case the
    newest is damaged on disk. A full disk does not end training: both stay in memory and are
    written after the next epoch. The sanity check before training and epochs whose score is NaN
    never become the best.

    In YAML::

        checkpoint:
          _target_: aerialseg.callbacks.checkpoint.InMemoryCheckpoint
          folder: ${paths.output_dir}/checkpoints
          monitor: val/dice
          mode: max
          every_n_epochs: 5

    Args:
        folder: The folder of ``best.ckpt`` and ``last.ckpt``.
        monitor: The logged value that chooses the best epoch.
        mode: Whether higher or lower is better.
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
        self._write_failed = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Makes the trainer save to memory."""
        trainer.strategy.checkpoint_io = self.memory

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops at once if early stopping had already ended the run."""
        if any(
            callback.stopping_reason is not EarlyStoppingReason.NOT_STOPPED
            for callback in trainer.early_stopping_callbacks
        ):
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes a snapshot of the epoch, and keeps it as the best if its score improved."""
        score = trainer.callback_metrics.get(self.monitor)
        improved = score is not None and self._is_better(float(score))
        if score is not None and improved:
            self.best_score, self.best_epoch = float(score), trainer.current_epoch
        # Best first, so that an interrupt cannot leave a last that refers to a missing best.
        trainer.save_checkpoint(self.best_path if improved else self.last_path, weights_only=False)
        if improved:
            self.memory.held[self.last_path] = self.memory.held[self.best_path]

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the snapshots that are due.

        Not at the end of the epoch, because Lightning logs the epoch after that: a process killed
        in between would leave a snapshot of an epoch that is missing in the curves.
        """
        if self._write_failed or trainer.current_epoch % self.every_n_epochs == 0:
            self._write("kept in memory until after the next epoch")

    def take_snapshot(self, trainer: pl.Trainer) -> None:
        """Takes a snapshot in mid-epoch; the exception that must follow writes it."""
        trainer.save_checkpoint(self.last_path, weights_only=False)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the snapshots that are not on disk yet.

        Raises:
            TrainingError: If the fourth attempt fails too.
        """
        for pause in _PAUSES:
            if self._write(f"trying again in {pause} s"):
                return
            time.sleep(pause)
        if not self._write("giving up"):
            raise TrainingError(
                f"{self.last_path.parent}: training has ended but its last epochs cannot be "
                "written; free space, then repeat them with the same command and existing=resume"
            )

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Writes the snapshots that are not on disk yet."""
        self._write("the checkpoint on disk is older but intact")

    def state_dict(self) -> dict[str, Any]:
        """Score and number of the best epoch so far."""
        return {"best_score": self.best_score, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores the score of the best epoch so far, whose checkpoint is on disk."""
        self.best_score = state_dict["best_score"]
        self.best_epoch = state_dict["best_epoch"]

    def _write(self, otherwise: str) -> bool:
        """Writes the snapshots that are not on disk yet; logs a warning if that fails."""
        try:
            self.memory.flush()
        except AerialsegError as error:
            logger.warning("%s; %s", error, otherwise)
            self._write_failed = True
        else:
            self._write_failed = False
        return not self._write_failed

    def _is_better(self, score: float) -> bool:
        if math.isnan(score):
            return False
        if math.isnan(self.best_score):
            return True
        return score > self.best_score if self.mode == "max" else score < self.best_score


class _MemoryCheckpointIO(CheckpointIO):
    """Holds the checkpoints that Lightning saves in memory, by path, until they are flushed.

    Args:
        last: The path whose file is renamed to ``previous.ckpt`` before it is replaced.
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
        """Writes everything held.

        ``best.ckpt`` is written first, so that an interrupt cannot leave ``last.ckpt`` referring to
        a ``best.ckpt`` that does not exist.

        Raises:
            AerialsegError: If a file cannot be written; it and the following ones stay held.
        """
        for path in sorted(self.held):
            if path == self.last and path.exists():
                keep_as(path, path.with_name("previous.ckpt"))
            write_checkpoint(path, self.held[path])
            del self.held[path]


def _copy_to_cpu(value: Any) -> Any:  # noqa: ANN401 - walks nested plain data
    """A deep copy on the CPU, which later steps cannot change."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copy_to_cpu(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copy_to_cpu(item) for item in value)
    return value
