"""Validation before work, and every foreseeable error as one line."""

import os
import sys

from omegaconf import DictConfig

from aerialseg.config import validate
from aerialseg.config.signatures import task_function
from aerialseg.errors import AerialsegError


def run_task(cfg: DictConfig) -> object:
    """Checks a composed config and runs its task.

    A problem the user can mend ends the process with exit code 1, a multirun included, and one
    line for each problem; ``HYDRA_FULL_ERROR=1`` shows the traceback instead.

    Returns:
        What the task returns: the metrics, where there are any.
    """
    try:
        validate(cfg)
        options = {key: value for key, value in cfg.task.items() if key != "name"}
        return task_function(cfg.task.name)(cfg, **options)
    except AerialsegError as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        # Hydra's basic launcher goes on after an ordinary exception; only this stops a multirun.
        sys.exit(error.lines())
