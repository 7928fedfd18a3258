"""Hydra callbacks, configured in ``conf/config.yaml``."""

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from aerialseg.config.sweeps import check_jobs, swept_texts, swept_values
from aerialseg.config.typed_overrides import IN_FOLDER_NAME
from aerialseg.errors import ConfigError, Failure
from aerialseg.report.job_tables import (
    FailedJob,
    FinishedJob,
    print_forecast,
    show_sweep_table,
)
from aerialseg.report.stages_csv import show_run_table
from aerialseg.storage.forecast import Forecast
from aerialseg.storage.names import expand_home
from aerialseg.storage.stage_result import StageResult


class JobsCheck(Callback):
    """Validates the configs of all jobs of a multirun before the first one runs."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Ends the process, with one line for each problem, if a job has an invalid config."""
        try:
            check_jobs(config)
        except ConfigError as error:
            sys.exit(error.lines())


class StageTable(Callback):
    """Collects the results of jobs and prints them as a table.

    After a multirun over stages it is the table of the run. If anything else is swept, the results
    become ``sweep.csv``. Forecasts are printed.

    A job that fails ends a multirun over stages: the errors of the next stage, which lacks its
    predecessor, would hide the cause. In any other multirun the other jobs go on, and the process
    ends with exit code 1 when all have run.
    """

    def __init__(self) -> None:
        self._jobs: list[FinishedJob | FailedJob] = []
        self._failed: list[FailedJob] = []
        self._is_chain = False
        self._swept: dict[str, dict[str, str]] = {}
        self._forecasts: dict[str, Forecast] = {}
        self._runs: list[Path] = []
        self._sweep: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Clears the tables."""
        self._jobs.clear()
        self._failed.clear()
        texts = swept_texts(config)
        self._is_chain = "stage" in texts
        self._swept = {key: texts[key] for key in texts if key not in IN_FOLDER_NAME}
        self._forecasts.clear()
        self._runs.clear()
        self._sweep = None

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:  # noqa: ANN401
        """Records the result of a job if it belongs in a table.

        Ends the process if the job failed and others need what it should have made.
        """
        returned = job_return._return_value  # the public property raises what the job raised
        job = _job_name(config, self._swept)
        run = Path(expand_home(config.paths.runs_dir)) / config.run_name
        is_swept = job != config.stage.name
        if isinstance(returned, Forecast):
            self._forecasts[job] = returned
        elif isinstance(returned, Failure):
            if self._is_chain:
                sys.exit(1)
            self._failed.append(FailedJob(job, returned.reason))
            if is_swept and config.task.name == "train":
                self._record(self._failed[-1], run)
        elif isinstance(returned, StageResult) and is_swept:
            self._record(FinishedJob(job, config.stage.previous, returned), run)
        elif isinstance(returned, StageResult):
            self._runs.append(run)

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Prints the forecast of a single job."""
        self._show_forecasts()

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Prints the tables, and writes that of a sweep; exit code 1 if a job failed."""
        for run in dict.fromkeys(self._runs):
            show_run_table(run)
        if self._sweep is not None:
            show_sweep_table(self._jobs, self._sweep)
        self._show_forecasts()
        if self._failed:
            sys.exit("\n".join(f"error: {job.name} failed: {job.reason}" for job in self._failed))

    def _record(self, job: FinishedJob | FailedJob, run: Path) -> None:
        self._jobs.append(job)
        self._sweep = run / "sweep.csv"

    def _show_forecasts(self) -> None:
        if self._forecasts:
            print_forecast(self._forecasts, now=datetime.now())


def _job_name(config: DictConfig, swept: Mapping[str, Mapping[str, str]]) -> str:
    """The stage, and in a sweep the swept values as typed, else the job's folder."""
    job_folder = Path(config.paths.output_dir).parent.name
    stage = str(config.stage.name)
    if job_folder == stage:
        return stage
    return f"{stage} {swept_values(config, swept) or job_folder}"
