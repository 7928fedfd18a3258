"""Scores of an average of predictions, and of each of its networks alone, timed side by side."""

import time

import torch
from rich.progress import track
from torch import Tensor

from aerialseg.inference.ensemble import AveragedPredictor, protocol_of
from aerialseg.inference.predictor import Predictor
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.report.averaging_gain import AveragingGain, TimedScores
from aerialseg.report.sheet_rows import image_array
from aerialseg.training.scored_dataset import ScoredDataset


def averaging_gain(
    predictor: AveragedPredictor, scored: ScoredDataset, *, title: str
) -> AveragingGain:
    """Predicts each image by the average and by each network alone.

    They take turns image by image, so that what else runs on the machine slows all alike. Each
    predicts the first image once before, which takes longer than later ones.

    Args:
        predictor: The average.
        scored: The images.
        title: Of the progress bar.
    """
    ways: list[Predictor] = [predictor, *predictor.members]
    found: list[list[Tensor]] = [[] for _ in ways]
    seconds = [0.0] * len(ways)
    first = image_array(scored.dataset[0])
    for way in ways:
        way.predict(first)
    for index in track(range(len(scored.dataset)), description=title):
        sample = scored.dataset[index]
        image = image_array(sample)
        for row, way in enumerate(ways):
            start = time.perf_counter()
            prediction = torch.from_numpy(way.predict(image))
            seconds[row] += time.perf_counter() - start
            found[row].append(
                confusion_matrix(prediction, sample["mask"], len(scored.data.classes))
            )
    average, *alone = (
        TimedScores(str(way.checkpoint), protocol_of(way), torch.stack(matrices), each)
        for way, matrices, each in zip(ways, found, seconds, strict=True)
    )
    return AveragingGain(average, alone, scored.data.sources.groups_of(scored.served))
