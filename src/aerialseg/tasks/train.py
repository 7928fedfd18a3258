"""Train one stage."""

from aerialseg.config.chain import command_line
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.storage.stage_result import StageResult
from aerialseg.training.stage_run import train_stage


@task(starts_stage=True, writes_run=True)
def train(experiment: Experiment) -> StageResult:
    """Trains the stage of the config, unless it is already finished.

    Returns:
        The scores of the best epoch and statistics of the run, as ``metrics.json`` holds them.
    """
    return train_stage(experiment, command=command_line())
