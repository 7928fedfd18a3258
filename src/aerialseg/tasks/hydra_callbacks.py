"""What Hydra calls around jobs; ``conf/config.yaml`` names it."""

from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from aerialseg.report.stage_table import as_csv, print_forecast, print_table, table_rows
from aerialseg.storage.atomic_files import write_json, write_text


class StageTable(Callback):
    """Collects what jobs return, prints it as a table and keeps it in the run's folder.

    The metrics of a multirun's training jobs become a CSV, what ``task=check`` has measured of a
    curriculum becomes ``forecast.json``. Hydra calls it; ``conf/config.yaml`` names it.
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._forecasts: list[dict[str, Any]] = []
        self._path: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Begins new tables."""
        self._rows.clear()
        self._forecasts.clear()

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:  # noqa: ANN401
        """Takes what a job returned, if it is of the kind that makes a table."""
        metrics = job_return._return_value  # the public property raises what the job raised
        if not isinstance(metrics, dict):
            return
        job = _job_name(config)
        if "left" in metrics:
            self._forecasts.append({"job": job, **metrics})
        elif "val/dice" in metrics:
            self._rows.append({"job": job, "previous": config.stage.previous, **metrics})
            # A sweep must not take the place of the curriculum's table.
            name = "stages.csv" if job == config.stage.name else "sweep.csv"
            self._path = Path(config.paths.runs_dir) / config.run_name / name

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Shows what one job has measured."""
        if self._forecasts:
            print_forecast(self._forecasts, now=datetime.now())

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Shows and keeps the table."""
        if self._path is not None:
            rows = table_rows(self._rows)
            write_text(self._path, as_csv(rows))
            print_table(rows, self._path)
        if self._forecasts:
            print_forecast(self._forecasts, now=datetime.now())
            # What a sweep measured says nothing about a curriculum.
            if all(row["job"] == row["stage"] for row in self._forecasts):
                path = Path(config.paths.runs_dir) / config.run_name / "forecast.json"
                write_json(path, {"stages": self._forecasts})


def _job_name(config: DictConfig) -> str:
    """The stage, and in a sweep what differs."""
    folder = Path(config.paths.output_dir)
    differs = folder.parent.name
    stage = str(config.stage.name)
    return stage if differs == stage else f"{stage} {differs}"
