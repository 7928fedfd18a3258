"""Keeps the best and the last checkpoint in memory and writes them to disk periodically."""

import logging
import math
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import pytorch_lightning as pl
from annotated_types import Ge
from lightning_fabric.utilities.types import _PATH
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.callbacks.early_stopping import EarlyStoppingReason
from pytorch_lightning.plugins import CheckpointIO
from torch import Tensor

from aerialseg.callbacks.ema import average_of
from aerialseg.errors import AerialsegError, TrainingError
from aerialseg.storage.averaged_weights import exchanged, to_train_on
from aerialseg.storage.checkpoints import read_checkpoint, write_checkpoint
from aerialseg.storage.sealed_tensors import complete_digest, keep_as
from aerialseg.values.checked_calls import checked

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

    With :class:`~aerialseg.callbacks.ema.ExponentialMovingAverage` there are two candidates in each
    epoch: the weights, and their average, which must be better than they are.

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

    @checked
    def __init__(
        self,
        folder: str | Path,
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
        self.memory = _MemoryCheckpointIO(self.last_path, self.best_path)
        self._write_failed = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Makes the trainer save to memory."""
        trainer.strategy.checkpoint_io = self.memory

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Completes what a crash left, and stops at once if early stopping had ended the run."""
        if self.best_epoch is not None and self.best_path.exists():
            # No later epoch need write it again. What hinders this, its readers and writers say.
            with suppress(AerialsegError):
                complete_digest(self.best_path)
        if any(
            callback.stopping_reason is not EarlyStoppingReason.NOT_STOPPED
            for callback in trainer.early_stopping_callbacks
        ):
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes a snapshot of the epoch, and keeps it as the best if its score improved."""
        score, average = trainer.callback_metrics.get(self.monitor), average_of(trainer)
        improved = self._improves(score, trainer.current_epoch)
        averaged = average is not None and self._improves(
            average.scores.get(self.monitor), trainer.current_epoch
        )
        if not (improved or averaged):
            trainer.save_checkpoint(self.last_path, weights_only=False)
            return
        # Best first, so that an interrupt cannot leave a last that refers to a missing best.
        self.memory.exchanges_best = averaged
        trainer.save_checkpoint(self.best_path, weights_only=False)
        best = self.memory.held[self.best_path]
        self.memory.held[self.last_path] = exchanged(best) if averaged else best

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

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes what is held where no epoch was left to train, which ends nothing else."""
        if self.memory.held:
            self.on_train_end(trainer, pl_module)

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

    def _improves(self, score: Tensor | float | None, epoch: int) -> bool:
        """Whether a score is the best so far, which it is from then on."""
        improved = score is not None and self._is_better(float(score))
        if score is not None and improved:
            self.best_score, self.best_epoch = float(score), epoch
        return improved

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
        best: The path of the best checkpoint.

    Attributes:
        exchanges_best: Whether what is saved as the best is its average.
    """

    def __init__(self, last: Path, best: Path) -> None:
        self.last, self.best = last, best
        self.exchanges_best = False
        self.held: dict[Path, dict[str, Any]] = {}

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: _PATH,
        storage_options: Any | None = None,  # noqa: ANN401 - Lightning's signature
    ) -> None:
        content, path = _copy_to_cpu(checkpoint), Path(path)
        is_average = path == self.best and self.exchanges_best
        self.held[path] = exchanged(content) if is_average else content

    def load_checkpoint(
        self,
        path: _PATH,
        map_location: Any | None = None,  # noqa: ANN401 - Lightning's signature
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        content = to_train_on(read_checkpoint(Path(path)), Path(path))
        if not self.last.exists():  # it was damaged; perhaps no epoch is left that would write it
            self.held[self.last] = _copy_to_cpu(content)
        return content

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
