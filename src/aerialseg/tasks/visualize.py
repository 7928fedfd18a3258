"""Raw and augmented samples on one sheet, with a legend."""

import logging
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.data.images.writing import write_image
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.report.path_links import PathLink
from aerialseg.report.sheet_rows import random_indices, sample_row
from aerialseg.training.build import build_data
from aerialseg.viz.sheets import sample_sheet

logger = logging.getLogger(__name__)


@task(reads_data=True)
def visualize(
    experiment: Experiment,
    *,
    split: Literal["train", "val"] = "train",
    samples: Annotated[int, Ge(1)] = 6,
    versions: Annotated[int, Ge(0)] = 2,
) -> None:
    """Writes ``samples.png``: images as stored on disk and as augmented for training.

    Args:
        experiment: The config; ``augmentation`` decides the augmented versions.
        split: ``train`` or ``val``.
        samples: How many images, chosen by the seed.
        versions: How many augmented versions of each.
    """
    data = build_data(experiment)
    dataset = data.dataset(split, augment=True)
    if len(dataset) == 0:
        raise DataError(f"{data.place}: the {split} split is empty; nothing to show")
    chosen = random_indices(dataset, samples, seed=experiment.seed)
    rows = [sample_row(dataset, index, augmented_versions=versions) for index in chosen]
    path = Path(experiment.paths.output_dir) / "samples.png"
    write_image(path, sample_sheet(rows, data.classes))
    logger.info("%s of the %s split: %s", counted(len(rows), "sample"), split, PathLink(path))
    if not dataset.is_augmented:
        logger.info("augmentation=none changes nothing; try augmentation=drone")
