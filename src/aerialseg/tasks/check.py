"""Is this config valid? Everything is built as for training, nothing is trained."""

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.storage.forecast import Forecast
from aerialseg.training.stage_check import check_stage


@task(reads_data=True, starts_stage=True, may_run_in_chain=True)
def check(experiment: Experiment, *, chain: bool = False, measure: bool = False) -> Forecast | None:
    """Builds data, network, loss, optimizer and trainer, and logs what the stage would do.

    Args:
        experiment: The config.
        chain: Whether the predecessor may still be missing, because an earlier job of the same
            multirun will train it.
        measure: Whether to time a few steps and estimate the time of the stage.

    Returns:
        The forecast, if it was measured.
    """
    return check_stage(experiment, place="later" if chain else "alone", measure=measure)
