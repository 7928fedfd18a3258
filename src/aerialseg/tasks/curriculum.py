"""The whole curriculum: check the chain of stages, train them in order, evaluate and report."""

import logging
from datetime import datetime
from pathlib import Path

from aerialseg.config.chain import (
    check_overrides_of_chain,
    compose_chain,
    compose_stage,
)
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.typed_overrides import command_line
from aerialseg.config.validation import validate, validate_chain
from aerialseg.inference.image_views import Views
from aerialseg.report.job_tables import print_forecast
from aerialseg.report.path_links import PathLink
from aerialseg.report.stages_csv import show_run_table, write_run_table
from aerialseg.training.predicted_images import predicted_images
from aerialseg.training.remaining import remaining_stages
from aerialseg.training.required_inspection import Required
from aerialseg.training.run_report import report_run
from aerialseg.training.scoring import score_checkpoint
from aerialseg.training.stage_check import check_chain
from aerialseg.training.stage_run import train_stage

logger = logging.getLogger(__name__)


@task(reads_data=True, writes_run=True)
def curriculum(
    experiment: Experiment,
    *,
    stages: list[str] | None = None,
    measure: bool = True,
    require: Required | None = None,
    report: bool = True,
) -> dict[str, float]:
    """Checks all stages before it trains the first, trains them in order, evaluates the last.

    At the end it writes the report of the run, as ``task=report`` does.

    Started again, it resumes: finished stages are kept, an unfinished one continues from its
    last snapshot.

    Args:
        experiment: The config; every stage is composed with the same overrides.
        stages: The stages to train, each starting from the one before it in the list; ``None``
            for all, in the order given by ``previous``. The first of ``recipe.stages`` starts
            from ``model.weights``, that of another list where its file says.
        measure: Whether the check times a few steps and estimates the time of the curriculum.
        require: What ``task=inspect`` must have found in the data, as of ``task=train``.
        report: Whether the report is written at the end.

    Returns:
        The scores of the last stage.

    Raises:
        ConfigError: If the config of any stage is invalid; lists the problems of all stages.
    """
    check_overrides_of_chain()
    by_recipe = stages is not None and stages == experiment.recipe.stages
    chain = validate_chain(compose_chain(stages, from_weights=by_recipe))
    last = list(chain)[-1]
    evaluation = validate(compose_stage(last, task="evaluate"), place="later")
    reporting = validate(compose_stage(last, task="report"), place="later") if report else None
    forecasts = check_chain(chain, measure=measure, require=require)
    if any(forecast.epochs_left for forecast in forecasts.values()):
        print_forecast(forecasts, now=datetime.now())
    run = Path(experiment.paths.runs_dir) / experiment.run_name
    for name, stage in chain.items():
        remaining = remaining_stages(forecasts, name)
        train_stage(stage, command=command_line(), remaining=remaining)
        write_run_table(run)
    show_run_table(run)
    scores = _evaluated(evaluation, reporting)
    logger.info("run folder: %s", PathLink(run))
    return scores


def _evaluated(evaluation: Experiment, reporting: Experiment | None) -> dict[str, float]:
    """The scores of the last stage; the report shows what they are of, which is predicted once."""
    options = evaluation.task_options
    views = Views(options.pop("scales"), options.pop("flips"))
    if reporting is None or options["split"] != "val" or not views.is_single:
        scores = score_checkpoint(evaluation, **options, views=views)
        if reporting is not None:
            report_run(reporting)
        return scores
    predicted = predicted_images(evaluation, title="evaluate val")
    scores = score_checkpoint(evaluation, **options, predicted=predicted)
    report_run(reporting, predicted=predicted)
    return scores
