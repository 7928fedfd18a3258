"""Curves without gaps or doubled points, however often a run was stopped; CSV as one of them."""

import csv
import logging
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger, TensorBoardLogger

from aerialseg.callbacks.tensorboard_curves import TensorBoardCurves, outdate_from
from aerialseg.errors import AerialsegError
from aerialseg.storage.atomic_files import csv_text, write_text

logger = logging.getLogger(__name__)


class ContinuousCurves(pl.Callback):
    """Takes back what was logged after the snapshot that training goes on from.

    A killed run has logged epochs that its snapshot does not know and that are trained again.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tells the loggers from which step on their earlier points do not count."""
        # Lightning's own count of logged steps is one behind after a stop within an epoch.
        step = trainer.global_step
        for curves in trainer.loggers:
            if isinstance(curves, CSVCurves | TensorBoardCurves):
                curves.go_on_from(step)
            elif isinstance(curves, TensorBoardLogger):
                outdate_from(curves, step)


class CSVCurves(Logger):
    """Writes all logged values to ``<save_dir>/metrics.csv``, each time anew and atomically.

    In YAML::

        _target_: aerialseg.callbacks.curves.CSVCurves
        save_dir: ${paths.output_dir}/csv

    Args:
        save_dir: The folder of the table; what a stopped run left there is gone on with.
    """

    def __init__(self, save_dir: str) -> None:
        super().__init__()
        self.path = Path(save_dir) / "metrics.csv"
        self.rows: list[dict[str, Any]] = []
        self._waiting = False

    @property
    def name(self) -> str:
        """Lightning asks for one."""
        return "csv"

    @property
    def version(self) -> str:
        """There is one table only."""
        return ""

    def go_on_from(self, step: int) -> None:
        """Keeps the rows of an earlier table that come before a step."""
        if self.path.exists():
            with self.path.open(encoding="utf-8", newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["step"]) < step]

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *rest: object) -> None:
        """Does nothing: ``config.yaml`` tells them."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Adds one row and writes the table; should that fail, the next one writes both."""
        self.rows.append({"epoch": None, "step": step, **metrics})
        self._write()

    def finalize(self, status: str) -> None:
        """Writes what is waiting; Lightning calls it at the end."""
        if self._waiting:
            self._write()

    def _write(self) -> None:
        """Writes the whole table; on a full disk it is kept for the next attempt."""
        columns = dict.fromkeys(name for row in self.rows for name in row)
        try:
            write_text(self.path, csv_text(columns, [map(row.get, columns) for row in self.rows]))
        except AerialsegError as error:
            logger.warning("%s; curves wait in memory", error)
            self._waiting = True
        else:
            self._waiting = False
