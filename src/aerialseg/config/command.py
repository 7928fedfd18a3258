"""Validates the config, runs its task, and prints an expected error as one line."""

import os
import sys
import traceback

from omegaconf import DictConfig

from aerialseg.config.tasks import find_task
from aerialseg.config.validation import validate
from aerialseg.errors import AerialsegError
from aerialseg.stopping import Stopped


def run_task(cfg: DictConfig) -> object:
    """Validates a composed config and runs its task.

    An error that the user can fix ends the process with exit code 1 and one line for each
    problem; with ``HYDRA_FULL_ERROR=1`` the traceback is shown instead, as it always is for any
    other error. Both end a multirun: Hydra would continue, and the errors of the next stage, which
    lacks its predecessor, would hide the cause.

    Returns:
        What the task returns.

    Raises:
        Stopped: If a signal ended the task; says how to resume if that is possible.
    """
    try:
        experiment = validate(cfg)
        task = find_task(str(experiment.task["name"]))
        try:
            return task.function(experiment, **experiment.task_options)
        except Stopped as stop:
            advice = _how_to_resume(experiment.existing, stop.moment) if task.writes_run else ""
            raise Stopped(stop.signal, stop.moment, advice=advice) from None
    except Exception as error:
        if isinstance(error, AerialsegError) and os.environ.get("HYDRA_FULL_ERROR") != "1":
            sys.exit(error.lines())
        traceback.print_exc()
        sys.exit(1)


def _how_to_resume(existing: str, moment: str) -> str:
    """Advice for a stopped run; none if nothing was trained and the command would start anew."""
    if existing == "resume":
        return "the same command continues from there"
    if not moment:
        return ""
    return "the same command with existing=resume continues from there"
