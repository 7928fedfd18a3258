"""Progress a person can follow: bars on a terminal, one line an epoch elsewhere."""

import logging
import time

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar
from rich.console import Console

logger = logging.getLogger(__name__)

_SHOWN = ("train/loss", "val/loss", "val/dice", "val/miou")


class PersistentProgressBar(RichProgressBar):
    """Rich progress bars that stay on the screen, one for each epoch.

    Where the output is no terminal, as in a log file or on a cluster, bars would be lost or would
    fill the file; there every epoch is one plain line.
    """

    def __init__(self) -> None:
        super().__init__(leave=True)
        self._epoch_began = 0.0
        if not Console().is_terminal:
            self.disable()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock of an epoch that goes on where it was stopped, and has no start."""
        super().on_train_start(trainer, pl_module)
        self._epoch_began = time.perf_counter()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the epoch's clock beside its bar."""
        super().on_train_epoch_start(trainer, pl_module)
        self._epoch_began = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Says in one line how the epoch went, where no bar can."""
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
        """Counts epochs from 1, as checkpoints, metrics and the plain lines do."""
        text = f"epoch {current_epoch + 1}/{self.trainer.max_epochs}"
        # As wide as the validation bar's, or the bars would jump.
        return f"{text:{len(self.validation_description)}}"
