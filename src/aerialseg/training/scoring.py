"""Final scores of a checkpoint: a whole split, every image at its original size."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from rich.progress import track

from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.dataset import SemSegDataset
from aerialseg.errors import CheckpointError, DataError
from aerialseg.inference.predictor import Predictor
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import macro_dice, summarise
from aerialseg.report.evaluation import ImageResult, print_classes, write_images, write_tables
from aerialseg.report.sheet_rows import image_array, prediction_row
from aerialseg.training.build import build_data, build_predictor
from aerialseg.viz.sheets import PredictionRow

logger = logging.getLogger(__name__)


def score_checkpoint(
    experiment: Experiment, *, split: Literal["train", "val"], sheet_rows: int
) -> dict[str, float]:
    """Evaluates ``checkpoint`` on a split of ``data`` and writes tables and images of it.

    Args:
        experiment: The config.
        split: Which split.
        sheet_rows: How many images the sheet shows, from the worst to the best.

    Returns:
        The scores, as ``metrics.json`` holds them.

    Raises:
        DataError: If the split is empty.
        CheckpointError: If the checkpoint was trained for other classes.
    """
    data = build_data(experiment)
    predictor = build_predictor(experiment)
    check_classes(predictor, data, experiment.checkpoint)
    dataset = data.dataset(split, original_size=True)
    if len(dataset) == 0:
        raise DataError(f"{data.root}: the {split} split is empty; nothing to evaluate")
    results = [
        _result(predictor, dataset, index)
        for index in track(range(len(dataset)), description=f"evaluate {split}")
    ]
    matrix = torch.stack([result.matrix for result in results]).sum(0)
    names = data.classes.names
    scores = summarise(matrix, names)
    folder = Path(experiment.paths.output_dir)
    sheet = [_sheet_row(predictor, dataset, result) for result in _spread(results, sheet_rows)]
    write_images(folder, matrix, sheet, data.classes)
    write_tables(folder, matrix, results, names, {"checkpoint": experiment.checkpoint, **scores})
    print_classes(scores, matrix, names, title=f"{split}: {len(results)} images")
    logger.info("tables and images in %s", folder)
    return scores


def check_classes(predictor: Predictor, data: AerialSegDataModule, checkpoint: str) -> None:
    """Checks that a checkpoint and a data set have the same classes.

    Raises:
        CheckpointError: If their class tables differ in number or names.
    """
    trained, found = predictor.classes.names, data.classes.names
    if trained != found:
        raise CheckpointError(
            f"{checkpoint}: was trained on {len(trained)} classes ({', '.join(trained[:3])}, ...), "
            f"the data has {len(found)} ({', '.join(found[:3])}, ...); choose the data it was "
            "trained on with data=NAME or experiment=NAME"
        )


def _result(predictor: Predictor, dataset: SemSegDataset, index: int) -> ImageResult:
    sample = dataset[index]
    prediction = torch.from_numpy(predictor.predict(image_array(sample)))
    matrix = confusion_matrix(prediction, sample["mask"], len(dataset.classes))
    return ImageResult(index, str(sample["id"]), matrix)


def _spread(results: Sequence[ImageResult], count: int) -> list[ImageResult]:
    """Images at even steps from the worst to the best Dice, so that the sheet is representative."""
    ranked = sorted(results, key=lambda result: float(macro_dice(result.matrix)))
    steps = min(count, len(ranked))
    last = len(ranked) - 1
    return [ranked[round(i * last / max(1, steps - 1))] for i in range(steps)]


def _sheet_row(predictor: Predictor, dataset: SemSegDataset, result: ImageResult) -> PredictionRow:
    sample = dataset[result.index]
    prediction = predictor.predict(image_array(sample))
    return prediction_row(sample, prediction, num_classes=len(dataset.classes))
