"""Being told to stop: by Ctrl-C, by a scheduler, by whoever sends SIGTERM, or by the clock."""

import os
import signal
import threading
import time
from types import FrameType
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.stopping import STOP_SIGNALS, Stopped


class StopOnSignal(Checkpoint):
    """Ends training on SIGTERM or Ctrl-C, or at a time limit, with a snapshot of what is done.

    The handler takes a note and no more: saving there could meet half a step. Training ends at the
    next moment from which it can go on as if nothing had been: after an optimizer step, within
    validation, which is then done anew, or after an epoch. A second Ctrl-C ends the process.

    The time limit ends training at the same moments, but not before one batch has been trained,
    and not once training is complete: started again and again, a run gets finished.

    It is a ``Checkpoint`` because Lightning calls those after all other callbacks, which so have
    seen the batch that the snapshot includes.

    Args:
        max_seconds: The time limit, counted from now; None for none.

    Attributes:
        signum: What was received; None as long as nothing was.
    """

    def __init__(self, *, max_seconds: float | None = None) -> None:
        self.signum: int | None = None
        self._deadline = None if max_seconds is None else time.monotonic() + max_seconds
        self._has_trained = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listens from here on; Lightning, in its teardown, puts back who listened before fit."""
        if threading.current_thread() is threading.main_thread():
            for signum in STOP_SIGNALS:
                signal.signal(signum, self._note)
        validation = trainer.fit_loop.epoch_loop.val_loop
        if validation.restarted_mid_evaluation:
            validation.batch_progress.reset()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,  # noqa: ANN401 - Lightning's signature
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Stops here, unless gradients are being accumulated or validation or the end is next."""
        self._has_trained = True
        count = batch_idx + 1
        stepped = count % trainer.accumulate_grad_batches == 0
        validates = trainer.enable_validation and count % (trainer.val_check_batch or 1) == 0
        if stepped and not validates and not trainer.is_last_batch:
            batches = f"{count} of {trainer.num_training_batches}"
            self._stop(trainer, f"after batch {batches} of epoch {trainer.current_epoch + 1}")

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops here."""
        self._stop_validating(trainer)

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *arguments: object
    ) -> None:
        """Stops here."""
        self._stop_validating(trainer)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops before the epoch; the snapshot of the one before has been taken."""
        self._stop(trainer, f"after epoch {trainer.current_epoch}", snapshot=False)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops here, whoever was told too late for anything else."""
        self._deadline = None
        self._stop(trainer, f"after epoch {trainer.current_epoch}", snapshot=False)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Lets a run that was stopped within validation begin with that validation."""
        if trainer.validating:
            # How Lightning notes that the first batch was not finished.
            begun = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
            checkpoint["loops"]["fit_loop"]["epoch_loop.val_loop.batch_progress"] = {
                "total": begun,
                "current": dict(begun),
                "is_last_batch": False,
            }

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.signum is not None and signum == signal.SIGINT:
            os._exit(128 + signum)
        if self.signum is None:
            self.signum = signum
            # Not the logger: what it writes to may be in the midst of writing.
            os.write(2, b"\nfinishing the batch, then saving; Ctrl-C ends at once\n")

    def _stop_validating(self, trainer: pl.Trainer) -> None:
        if not trainer.sanity_checking:
            self._stop(trainer, f"in the validation of epoch {trainer.current_epoch + 1}")

    def _stop(self, trainer: pl.Trainer, moment: str, *, snapshot: bool = True) -> None:
        """Ends training if a signal has arrived or time is over, after a snapshot if needed."""
        if self.signum is None and not self._time_is_over():
            return
        if snapshot:
            for callback in trainer.checkpoint_callbacks:
                if isinstance(callback, InMemoryCheckpoint):
                    callback.take_snapshot(trainer)
        # In validation Lightning would end the workers of that alone, and the others time out.
        trainer.training = True
        raise Stopped(self.signum, moment)

    def _time_is_over(self) -> bool:
        late = self._deadline is not None and time.monotonic() >= self._deadline
        return late and self._has_trained
