"""Validation before work, and every foreseeable error as one line."""

import os
import sys
import traceback

from omegaconf import DictConfig

from aerialseg.config import validate
from aerialseg.config.signatures import task_function
from aerialseg.errors import AerialsegError


def run_task(cfg: DictConfig) -> object:
    """Checks a composed config and runs its task.

    A problem the user can mend ends the process with exit code 1 and one line for each problem;
    ``HYDRA_FULL_ERROR=1`` shows the traceback instead, which any other error does anyway. Both
    stop a multirun: Hydra would go on, and what the next stage lacks would hide what went wrong.

    Returns:
        What the task returns: the metrics, where there are any.
    """
    try:
        validate(cfg)
        options = {key: value for key, value in cfg.task.items() if key != "name"}
        return task_function(cfg.task.name)(cfg, **options)
    except Exception as error:
        if isinstance(error, AerialsegError) and os.environ.get("HYDRA_FULL_ERROR") != "1":
            sys.exit(error.lines())
        traceback.print_exc()
        sys.exit(1)
