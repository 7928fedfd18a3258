"""Hydra callbacks, configured in ``conf/config.yaml``."""

from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from aerialseg.report.stage_table import FinishedJob, print_forecast, show_stage_table
from aerialseg.storage.forecast import Forecast
from aerialseg.storage.stage_result import StageResult


class StageTable(Callback):
    """Collects the results of jobs, prints them as a table and writes it to the run's folder.

    The results of a multirun's training jobs become ``stages.csv``, or ``sweep.csv`` if
    anything but the stage is swept; forecasts are printed.
    """

    def __init__(self) -> None:
        self._finished: list[FinishedJob] = []
        self._forecasts: dict[str, Forecast] = {}
        self._path: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Clears the tables."""
        self._finished.clear()
        self._forecasts.clear()

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:  # noqa: ANN401
        """Records the result of a job if it belongs in a table."""
        returned = job_return._return_value  # the public property raises what the job raised
        job = _job_name(config)
        if isinstance(returned, Forecast):
            self._forecasts[job] = returned
        elif isinstance(returned, StageResult):
            self._finished.append(FinishedJob(job, config.stage.previous, returned))
            # A sweep must not overwrite the table of the curriculum.
            name = "stages.csv" if job == config.stage.name else "sweep.csv"
            self._path = Path(config.paths.runs_dir) / config.run_name / name

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Prints the forecast of a single job."""
        self._show_forecasts()

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Prints and writes the table."""
        if self._path is not None:
            show_stage_table(self._finished, self._path)
        self._show_forecasts()

    def _show_forecasts(self) -> None:
        if self._forecasts:
            print_forecast(self._forecasts, now=datetime.now())


def _job_name(config: DictConfig) -> str:
    """The stage, and in a sweep the swept values."""
    folder = Path(config.paths.output_dir)
    job_folder = folder.parent.name
    stage = str(config.stage.name)
    return stage if job_folder == stage else f"{stage} {job_folder}"
