"""Training progress: bars on a terminal, one log line per epoch elsewhere."""

import logging
import time

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar
from rich.console import Console

logger = logging.getLogger(__name__)

_SHOWN = ("train/loss", "val/loss", "val/dice", "val/miou", "ema/dice")


class PersistentProgressBar(RichProgressBar):
    """Rich progress bars that stay on the screen, one for each epoch.

    If the output is not a terminal, such as a log file or a cluster job, the bars are disabled and
    every epoch is one log line.
    """

    def __init__(self) -> None:
        super().__init__(leave=True)
        self._epoch_began = 0.0
        if not Console().is_terminal:
            self.disable()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the epoch's clock; a run resumed within an epoch skips the hook below."""
        super().on_train_start(trainer, pl_module)
        self._epoch_began = time.perf_counter()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the epoch's clock."""
        super().on_train_epoch_start(trainer, pl_module)
        self._epoch_began = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Logs one line about the epoch if there are no bars."""
        super().on_train_epoch_end(trainer, pl_module)
        if self.is_enabled:
            return
        metrics = trainer.callback_metrics
        scores = "  ".join(
            f"{name} {float(metrics[name]):.4f}" for name in _SHOWN if name in metrics
        )
        seconds = time.perf_counter() - self._epoch_began
        last = f"{trainer.max_epochs}"
        epoch = f"{trainer.current_epoch + 1:>{len(last)}}/{last}"
        logger.info("epoch %s  %s  %.1f s", epoch, scores, seconds)

    def _get_train_description(self, current_epoch: int) -> str:
        """Counts epochs from 1, as checkpoints, metrics and log lines do."""
        text = f"epoch {current_epoch + 1}/{self.trainer.max_epochs}"
        # As wide as the description of the validation bar, so that the bars stay aligned.
        return f"{text:{len(self.validation_description)}}"
