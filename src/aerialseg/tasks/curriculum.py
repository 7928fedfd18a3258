"""The whole curriculum: check the chain of stages, train them in order, evaluate the last."""

from datetime import datetime
from pathlib import Path

from aerialseg.config.chain import (
    check_overrides_of_chain,
    command_line,
    compose_chain,
    compose_stage,
)
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.validation import validate, validate_chain
from aerialseg.report.stage_table import FinishedJob, print_forecast, show_stage_table
from aerialseg.training.remaining import remaining_stages
from aerialseg.training.scoring import score_checkpoint
from aerialseg.training.stage_check import check_chain
from aerialseg.training.stage_run import train_stage


@task(writes_run=True)
def curriculum(
    experiment: Experiment, *, stages: list[str] | None = None, measure: bool = True
) -> dict[str, float]:
    """Checks all stages before it trains the first, trains them in order, evaluates the last.

    Started again, it resumes: finished stages are kept, an unfinished one continues from its
    last snapshot.

    Args:
        experiment: The config; every stage is composed with the same overrides.
        stages: The stages to train, each starting from the one before it in the list; ``None``
            for all, in the order given by ``previous``.
        measure: Whether the check times a few steps and estimates the time of the curriculum.

    Returns:
        The scores of the last stage.

    Raises:
        ConfigError: If the config of any stage is invalid; lists the problems of all stages.
    """
    check_overrides_of_chain()
    chain = validate_chain(compose_chain(stages))
    forecasts = check_chain(chain, measure=measure)
    if any(forecast.epochs_left for forecast in forecasts.values()):
        print_forecast(forecasts, now=datetime.now())
    finished = []
    for name, stage in chain.items():
        remaining = remaining_stages(forecasts, name)
        result = train_stage(stage, command=command_line(), remaining=remaining)
        finished.append(FinishedJob(name, stage.stage.previous, result))
    runs = Path(experiment.paths.runs_dir) / experiment.run_name
    show_stage_table(finished, runs / "stages.csv")
    evaluation = validate(compose_stage(list(chain)[-1], task="evaluate"))
    return score_checkpoint(evaluation, **evaluation.task_options)
