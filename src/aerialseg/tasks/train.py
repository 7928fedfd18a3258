"""Train one stage."""

from pathlib import Path

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.typed_overrides import command_line
from aerialseg.report.stages_csv import write_run_table
from aerialseg.storage.stage_result import StageResult
from aerialseg.training.required_inspection import Required
from aerialseg.training.stage_run import train_stage


@task(reads_data=True, starts_stage=True, writes_run=True)
def train(experiment: Experiment, *, require: Required | None = None) -> StageResult:
    """Trains the stage of the config, unless it is already finished, and writes its run's table.

    Args:
        experiment: The config.
        require: What ``task=inspect`` must have found in the data, as they are, before training:
            ``clean`` is no error and no warning, ``no_errors`` may have warnings. ``None`` asks
            for no inspection.

    Returns:
        The scores of the best epoch and statistics of the run, as ``metrics.json`` holds them.
    """
    result = train_stage(experiment, command=command_line(), require=require)
    write_run_table(Path(experiment.paths.runs_dir) / experiment.run_name)
    return result
