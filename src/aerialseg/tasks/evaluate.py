"""Final metrics: the whole split, every image at its original size."""

from typing import Annotated, Literal

from annotated_types import Ge

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.training.scoring import score_checkpoint


@task(reads_checkpoint=True)
def evaluate(
    experiment: Experiment,
    *,
    split: Literal["train", "val"] = "val",
    sheet_rows: Annotated[int, Ge(1)] = 8,
) -> dict[str, float]:
    """Evaluates a checkpoint on a split and writes tables and images of it.

    Writes ``metrics.json`` (both conventions for absent classes), ``classes.csv``,
    ``images.csv``, ``confusion_matrix.csv``, ``confusion_counts.png``,
    ``confusion_normalised.png`` and ``predictions.png``.

    Args:
        experiment: The config; ``checkpoint`` is evaluated on ``data``.
        split: Which split.
        sheet_rows: How many images the sheet shows, spread from the worst to the best.

    Returns:
        The scores, as ``metrics.json`` holds them.
    """
    return score_checkpoint(experiment, split=split, sheet_rows=sheet_rows)
