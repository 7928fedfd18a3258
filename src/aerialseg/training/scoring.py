"""Final scores of a checkpoint: a whole split, every image at its original size."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aerialseg.config.schema import Experiment
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.sources.cutting import image_id
from aerialseg.durations import counted
from aerialseg.inference.ensemble import AveragedPredictor, protocol_of
from aerialseg.inference.image_views import SINGLE_VIEW, Views
from aerialseg.metrics.scores import macro_dice, summarise
from aerialseg.report.averaging_gain import AveragingGain
from aerialseg.report.evaluation import (
    ImageResult,
    left_matrix,
    print_classes,
    print_sets,
    write_images,
    write_tables,
)
from aerialseg.report.leakage import Leakage
from aerialseg.report.path_links import PathLink
from aerialseg.report.sheet_rows import image_array, prediction_row
from aerialseg.training.averaged_scores import averaging_gain
from aerialseg.training.predicted_images import PredictedImages
from aerialseg.training.scored_dataset import ScoredDataset, confusion_matrices, scored_dataset
from aerialseg.training.scored_images import ScoredSplit
from aerialseg.training.scored_leakage import leakage_of
from aerialseg.viz.sheets import PredictionRow

logger = logging.getLogger(__name__)


def score_checkpoint(
    experiment: Experiment,
    *,
    split: ScoredSplit,
    sheet_rows: int,
    views: Views = SINGLE_VIEW,
    predicted: PredictedImages | None = None,
) -> dict[str, float]:
    """Evaluates ``checkpoint`` on a split of ``data`` and writes tables and images of it.

    A second score leaves out what training has seen, and another one averages nothing.

    Args:
        experiment: The config.
        split: Which images, as :func:`~aerialseg.training.scored_images.scored_images` finds them.
        sheet_rows: How many images the sheet shows, from the worst to the best.
        views: What each network sees of an image.
        predicted: These images, if they are predicted already.

    Returns:
        The scores of all images, as ``metrics.json`` holds them.

    Raises:
        DataError: If there are no such images.
        CheckpointError: If it was trained for other classes, or does not say what is unseen.
    """
    gain = None
    if predicted is None:
        scored = scored_dataset(experiment, split, views=views)
        leakage = leakage_of(scored, split)
        matrices, gain = _matrices(scored, title=f"evaluate {split}")
    else:
        scored, leakage, matrices = predicted.scored, predicted.leakage, predicted.whole
    results = _results(scored, matrices)
    folder = Path(experiment.paths.output_dir)
    sheet = [_sheet_row(scored, result) for result in _spread(results, sheet_rows)]
    write_images(folder, matrices.sum(0), sheet, scored.data.classes)
    images, windows = _by_image(results, scored.served), _windows(scored.served)
    facts = {
        "checkpoint": experiment.checkpoint,
        "protocol": protocol_of(scored.predictor),
        "split": split,
        "images": len(images),
        "images_trained_on": scored.images.trained_on,
        **({"windows": windows} if windows else {}),
    }
    scores = _tabulated(folder, images, scored.data.classes.names, facts, leakage, gain)
    about = _about(len(sheet), in_windows=windows > 0)
    logger.info("tables and images in %s; %s", PathLink(folder), about)
    return scores


def _tabulated(
    folder: Path,
    images: Sequence[ImageResult],
    names: Sequence[str],
    facts: Mapping[str, Any],
    leakage: Leakage | None,
    gain: AveragingGain | None,
) -> dict[str, float]:
    """Writes and prints the tables; returns the scores of all images."""
    if gain is not None:
        facts = {**facts, "averaging": gain.to_mapping()}
    matrix = torch.stack([image.matrix for image in images]).sum(0)
    scores = summarise(matrix, names)
    write_tables(folder, matrix, images, names, {**facts, **scores}, leakage=leakage)
    windows = facts.get("windows")
    note = f" in {counted(windows, 'window')}" if windows else ""
    title, left = f"{facts['split']}: {counted(len(images), 'image')}{note}", None
    if leakage is not None:
        left = left_matrix(images, leakage)
        title = f"{title}, {leakage.left or 'none'} without leakage"
    title = f"{title}; {facts['protocol']}"
    print_classes(scores, matrix, names, title=title, left=left)
    print_sets(images)
    if gain is not None:
        gain.show()
    return scores


def _matrices(scored: ScoredDataset, *, title: str) -> tuple[Tensor, AveragingGain | None]:
    """The confusion matrix of each image that is served, and what averaging brought, if it did."""
    predictor = scored.predictor
    if not isinstance(predictor, AveragedPredictor):
        return confusion_matrices(predictor, scored, title=title), None
    gain = averaging_gain(predictor, scored, title=title)
    return gain.average.matrices, gain


def _results(scored: ScoredDataset, matrices: Tensor) -> list[ImageResult]:
    """What is served, each with its confusion matrix."""
    return [
        ImageResult(index, sample.id, each, sample.data_set)
        for index, (sample, each) in enumerate(zip(scored.served, matrices, strict=True))
    ]


def _windows(served: Sequence[Sample]) -> int:
    return sum(sample.window is not None for sample in served)


def _by_image(results: Sequence[ImageResult], served: Sequence[Sample]) -> list[ImageResult]:
    """The results of images; those of an image's windows are added up, by their shares."""
    found: dict[str, ImageResult] = {}
    for result in results:
        name = image_id(served[result.index])
        before = found.get(name)
        matrix = result.matrix if before is None else before.matrix + result.matrix
        found[name] = ImageResult(result.index, name, matrix, result.data_set)
    return list(found.values())


def _spread(results: Sequence[ImageResult], count: int) -> list[ImageResult]:
    """Images at even steps from the worst to the best Dice, so that the sheet is representative."""
    scored = [result for result in results if result.matrix.any()] or results
    ranked = sorted(scored, key=lambda result: float(macro_dice(result.matrix)))
    steps = min(count, len(ranked))
    last = len(ranked) - 1
    return [ranked[round(i * last / max(1, steps - 1))] for i in range(steps)]


def _about(shown: int, *, in_windows: bool) -> str:
    """What the sheet shows, in words."""
    kind = "window" if in_windows else "image"
    more = "; what other windows score is hatched" if in_windows else ""
    if shown == 1:
        return f"predictions.png shows the {kind} with the worst Dice{more}"
    spread = "evenly spread from the worst to the best Dice"
    return f"predictions.png shows {shown} {kind}s, {spread}{more}"


def _sheet_row(scored: ScoredDataset, result: ImageResult) -> PredictionRow:
    sample = scored.dataset[result.index]
    prediction = scored.predictor.predict(image_array(sample))
    return prediction_row(sample, prediction, num_classes=len(scored.data.classes))
