"""Raw and augmented samples on one sheet, with a legend."""

import logging
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.images.writing import write_image
from aerialseg.errors import DataError
from aerialseg.training.build import build_data
from aerialseg.viz.sheets import SampleRow, sample_sheet

logger = logging.getLogger(__name__)


@task()
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
    raw = data.dataset(split)
    augmented = data.dataset(split, augment=True)
    if len(raw) == 0:
        raise DataError(f"{data.root}: the {split} split is empty; nothing to show")
    augments = data.augmentation is not None and len(data.augmentation.transforms) > 0
    chosen = np.random.default_rng(experiment.seed).permutation(len(raw))[:samples]
    rows = [_row(raw, augmented, int(i), versions if augments else 0) for i in sorted(chosen)]
    path = Path(experiment.paths.output_dir) / "samples.png"
    write_image(path, sample_sheet(rows, data.classes))
    logger.info("%d samples of the %s split: %s", len(rows), split, path)
    if not augments:
        logger.info("augmentation=none changes nothing; try augmentation=drone")


def _row(raw: SemSegDataset, augmented: SemSegDataset, index: int, versions: int) -> SampleRow:
    """One sample with its augmented versions."""
    sample = raw[index]
    seen = [augmented[epoch, index] for epoch in range(versions)]
    return SampleRow(
        id=str(sample["id"]),
        image=sample["image"].permute(1, 2, 0).numpy(),
        mask=sample["mask"].numpy(),
        augmented=[(s["image"].permute(1, 2, 0).numpy(), s["mask"].numpy()) for s in seen],
    )
