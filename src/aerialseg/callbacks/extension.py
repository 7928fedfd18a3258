"""What changes when training goes on beyond its former end."""

import warnings
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.callbacks.early_stopping import EarlyStoppingReason
from torch.optim.lr_scheduler import ReduceLROnPlateau


class ExtendedTraining(pl.Callback):
    """Puts today's learning rate, schedule and patience in the place of those in a checkpoint.

    Lightning restores them with the rest, so that a longer run would stay at the end of the former
    schedule, and one that early stopping has ended would not begin. The schedule becomes that of a
    run that had today's length and rate from its first epoch. The optimizer keeps its momentum.
    """

    def __init__(self) -> None:
        self._patience: dict[EarlyStopping, int] = {}

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Remembers what is configured, before the checkpoint is read."""
        self._patience = {stop: stop.patience for stop in trainer.early_stopping_callbacks}

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lets early stopping wait anew; the best value that it knows stays."""
        for stop, patience in self._patience.items():
            stop.patience, stop.wait_count, stop.stopped_epoch = patience, 0, 0
            stop.stopping_reason, stop.stopping_reason_message = (
                EarlyStoppingReason.NOT_STOPPED,
                None,
            )

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Rebuilds the schedule, as many steps on as the restored one."""
        configured: Any = pl_module.configure_optimizers()
        fresh = configured["optimizer"] if isinstance(configured, dict) else configured
        for config in trainer.lr_scheduler_configs:
            restored: Any = config.scheduler
            if isinstance(restored, ReduceLROnPlateau):
                continue  # it has no length; from today's rate it follows its value as before
            scheduler = configured["lr_scheduler"]["scheduler"]
            with warnings.catch_warnings():  # torch misses the optimizer's steps
                warnings.simplefilter("ignore", UserWarning)
                for _ in range(restored.last_epoch):
                    scheduler.step()
            restored.load_state_dict(scheduler.state_dict())
        (optimizer,) = trainer.optimizers
        for group, wanted in zip(optimizer.param_groups, fresh.param_groups, strict=True):
            group.update({name: value for name, value in wanted.items() if name != "params"})
