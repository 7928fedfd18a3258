"""The report of a run: one page that opens offline."""

from pathlib import Path

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.training.run_report import report_run


@task(reads_data=True, reads_run=True)
def report(experiment: Experiment) -> Path:
    """Writes ``report.html``, with all that is known of a run, and ``MODEL_CARD.md``.

    All finished stages of the run are scored on the images that the last one validated on, at
    their original size.

    Args:
        experiment: The config; the run is ``run_name``.

    Returns:
        The page.
    """
    return report_run(experiment)
