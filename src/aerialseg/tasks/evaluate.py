"""Final metrics: every image of a split at its original size."""

from typing import Annotated

from annotated_types import Ge

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.inference.image_views import AS_TRAINED, Flips, Scales, Views
from aerialseg.training.scored_images import ScoredSplit
from aerialseg.training.scoring import score_checkpoint


@task(reads_data=True, reads_checkpoint=True, takes_exported=True, averages_checkpoints=True)
def evaluate(
    experiment: Experiment,
    *,
    split: ScoredSplit = "val",
    sheet_rows: Annotated[int, Ge(1)] = 8,
    scales: Scales = AS_TRAINED,
    flips: Flips = "none",
) -> dict[str, float]:
    """Evaluates a checkpoint on labelled images and writes tables and images of it.

    Writes ``metrics.json`` (both conventions for absent classes), ``classes.csv``,
    ``images.csv``, ``confusion_matrix.csv``, ``confusion_counts.png``,
    ``confusion_normalised.png`` and ``predictions.png``. Where an inspection has measured the data
    and images show places that training has seen, ``metrics.json`` has the scores of the others
    too, as ``without_leakage``. Its ``protocol`` says how predictions came about. Where they are
    averaged, it has the scores and seconds of each network without averaging, too.

    Args:
        experiment: The config; ``checkpoint`` is evaluated on ``data``; of a list, the mean.
        split: ``val`` and ``train`` are the images that the run itself validated and trained on,
            whatever is split or lies in the folder now; ``test`` the labelled test images of the
            data; ``all`` all labelled images; ``unseen`` those that the run has never seen.
        sheet_rows: How many images the sheet shows, spread from the worst to the best.
        scales: Factors of the size of training at which each image is seen; predictions are
            averaged.
        flips: ``none``; ``horizontal``: each image is also seen mirrored left to right; ``both``:
            also top to bottom, and both at once.

    Returns:
        The scores of all images, as ``metrics.json`` holds them.
    """
    views = Views(scales, flips)
    return score_checkpoint(experiment, split=split, sheet_rows=sheet_rows, views=views)
