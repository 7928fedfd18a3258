"""Two runs, or two stages of one, side by side."""

from typing import Annotated

from annotated_types import Ge, Len

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.report.comparison import Comparison
from aerialseg.training.run_comparison import compare_runs


@task(compares_runs=True)
def compare(
    experiment: Experiment,
    *,
    runs: Annotated[list[str], Len(2, 2)],
    sheet_rows: Annotated[int, Ge(1)] = 8,
) -> Comparison:
    """Compares two runs on images that neither was trained on, and writes what differs.

    Writes ``compare.html``, one page that opens offline; ``differences.png``, a sheet of the images
    on which the two differ most; and ``compare.json`` with the numbers.

    Args:
        experiment: The config; each run keeps the data that it was trained on.
        runs: Two runs below ``paths.runs_dir``, whose last stage is meant; ``RUN/STAGE``; or the
            paths of such folders elsewhere.
        sheet_rows: How many images the sheet shows.

    Returns:
        What was found.
    """
    return compare_runs(experiment, runs, sheet_rows=sheet_rows)
