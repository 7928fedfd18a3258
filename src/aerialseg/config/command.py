"""Validates the config, runs its task, and prints an expected error as one line."""

import logging
import os
import sys
import traceback

from omegaconf import DictConfig

from aerialseg.config.idle_values import idle_rows, is_job, rate_of_another_optimizer
from aerialseg.config.remembered import Asked, with_remembered
from aerialseg.config.schema import Experiment
from aerialseg.config.sweeps import others_go_on
from aerialseg.config.tasks import Task, find_task
from aerialseg.config.validation import validate
from aerialseg.errors import AerialsegError, ConfigError, Failure
from aerialseg.stopping import Stopped, stop_behind

logger = logging.getLogger(__name__)


def run_task(cfg: DictConfig) -> object:
    """Validates a composed config and runs its task.

    An error that the user can fix ends the process with exit code 1 and one line for each
    problem; with ``HYDRA_FULL_ERROR=1`` the traceback is shown instead, as it always is for any
    other error. In a multirun the process goes on: whether other jobs follow is decided by
    :class:`~aerialseg.tasks.hydra_callbacks.StageTable`, which ends it with exit code 1.

    Returns:
        What the task returns; for a job of a multirun that failed, a
        :class:`~aerialseg.errors.Failure`.

    Raises:
        Stopped: If a signal or the time limit ended the task; says how to resume if that is
            possible.
    """
    try:
        experiment = _validated(with_remembered(cfg))
        task = find_task(str(experiment.task["name"]))
        try:
            return task.function(experiment, **experiment.task_options)
        except (Exception, Stopped) as error:
            if (stop := stop_behind(error)) is None:
                raise
            advice = _how_to_resume(experiment.existing, stop.moment) if task.writes_run else ""
            raise Stopped(stop.signal, stop.moment, advice=advice) from None
    except Exception as error:
        if (stop := stop_behind(error)) is not None:
            raise stop from None
        if isinstance(error, AerialsegError) and os.environ.get("HYDRA_FULL_ERROR") != "1":
            code: str | int = error.lines()
        else:
            code = 1
            traceback.print_exc()
        if not others_go_on():
            sys.exit(code)
        if code != 1:
            print(code, file=sys.stderr)
        return Failure.of(error)


def _validated(asked: Asked) -> Experiment:
    """The valid config; what differs from an earlier run is news only if there is no error."""
    try:
        experiment = validate(asked.config)
    except ConfigError as error:
        asked.explain(error)
        raise
    asked.announce()
    _warn(experiment, find_task(str(experiment.task["name"])))
    return experiment


def _warn(experiment: Experiment, task: Task) -> None:
    """Logs what is valid and yet hardly meant, in a command that trains."""
    rows = idle_rows([experiment.stage.name]) if task.starts_stage and not is_job() else []
    for row in rows:
        logger.warning("%s", row)
    trains = task.writes_run or task.starts_stage
    if trains and (line := rate_of_another_optimizer(experiment)):
        logger.warning("%s", line)


def _how_to_resume(existing: str, moment: str) -> str:
    """Advice for a stopped run; none if nothing was trained and the command would start anew."""
    if existing in ("resume", "extend"):
        return "the same command continues from there"
    if not moment:
        return ""
    return "the same command with existing=resume continues from there"
