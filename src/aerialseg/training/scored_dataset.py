"""The network of a checkpoint and the images that it is scored on, ready to be compared."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from rich.progress import track
from torch import Tensor

from aerialseg.classes import ClassTable
from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.layouts.listing import Sample
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.inference.ensemble import members_of, name_of
from aerialseg.inference.image_scale import memory_warning, scale_warning
from aerialseg.inference.image_views import SINGLE_VIEW, Views
from aerialseg.inference.predictor import Predictor
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.report.sheet_rows import image_array
from aerialseg.training.bands import read_as_trained
from aerialseg.training.build import build_data, build_predictor
from aerialseg.training.scored_images import ScoredImages, ScoredSplit, scored_images

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ScoredDataset:
    """What is scored.

    Attributes:
        predictor: The network.
        data: The data, read as the network was trained.
        images: The images.
        served: What is served of them: they themselves, or their windows.
        dataset: These at their original size, with masks.
    """

    predictor: Predictor
    data: AerialSegDataModule
    images: ScoredImages
    served: tuple[Sample, ...]
    dataset: SemSegDataset


def scored_dataset(
    experiment: Experiment, split: ScoredSplit, *, views: Views = SINGLE_VIEW
) -> ScoredDataset:
    """Opens ``checkpoint`` and a split of ``data``.

    Args:
        experiment: The config.
        split: Which images, as :func:`~aerialseg.training.scored_images.scored_images` finds them.
        views: What a network sees of each image.

    Raises:
        DataError: If there are no such images.
        CheckpointError: If the checkpoint was trained for other classes, or does not say which
            images are unseen.
    """
    predictor = build_predictor(experiment, views=views)
    data = data_as_trained(experiment, predictor)
    _say_left_out(predictor, split)
    images = scored_images(data, split, predictor.description.seen, name_of(predictor))
    return served_at_original_size(predictor, data, images)


def data_as_trained(experiment: Experiment, predictor: Predictor) -> AerialSegDataModule:
    """The data of the config, not split, with classes, bands and values as a network was trained.

    Raises:
        CheckpointError: If it was trained for other classes, bands or values.
    """
    trained = ClassTable.from_mapping(predictor.description.classes)
    data = build_data(experiment, split=False, scored_with=trained)
    predictor.check_classes(data.classes)
    read_as_trained(data, predictor.description, str(predictor.checkpoint))
    return data


def served_at_original_size(
    predictor: Predictor, data: AerialSegDataModule, images: ScoredImages
) -> ScoredDataset:
    """Images of the data, or their windows, as a network is scored on them."""
    served = data.checked.served_of(images.samples)
    _warn_of_scale(predictor, data, served)
    dataset = data.dataset(served, original_size=True, shares_only=True)
    return ScoredDataset(predictor, data, images, served, dataset)


def confusion_matrices(predictor: Predictor, scored: ScoredDataset, *, title: str) -> Tensor:
    """The confusion matrix of each image that is served.

    Args:
        predictor: The network, that of ``scored`` or another of the same classes.
        scored: The images.
        title: Of the progress bar.

    Returns:
        ``(N, C, C)`` int64: rows truth, columns prediction.
    """
    found = []
    for index in track(range(len(scored.dataset)), description=title):
        sample = scored.dataset[index]
        prediction = torch.from_numpy(predictor.predict(image_array(sample)))
        found.append(confusion_matrix(prediction, sample["mask"], len(scored.data.classes)))
    return torch.stack(found)


def _warn_of_scale(
    predictor: Predictor, data: AerialSegDataModule, served: Sequence[Sample]
) -> None:
    """Says where things look larger or smaller than in training, or images are very large."""
    for member in members_of(predictor):
        _warn_of_its_scale(member, data, served)


def _warn_of_its_scale(
    predictor: Predictor, data: AerialSegDataModule, served: Sequence[Sample]
) -> None:
    """The same of one network."""
    window = predictor.description.window
    if window is None and data.window is None:
        return
    stored = zip(data.checked.samples, data.checked.images.sizes.tolist(), strict=True)
    whole = {sample.image: (height, width) for sample, (height, width) in stored}
    sizes = {
        sample.image: whole[sample.image] if sample.window is None else sample.window.box.size
        for sample in served
    }
    remedy = f"evaluate with data.window={'null' if window is None else window}, as it was trained"
    for line in (
        scale_warning(sizes, predictor.description, None, remedy=remedy),
        memory_warning(sizes, predictor.description, None),
    ):
        if line:
            logger.warning("%s", line)


def _say_left_out(predictor: Predictor, split: ScoredSplit) -> None:
    """Says how many images one network validated on that another one was trained on.

    Raises:
        DataError: If these are all that were validated on, as with the networks of several folds.
    """
    seen = predictor.description.seen
    members = [each.description.seen for each in members_of(predictor)]
    if split != "val" or seen is None:
        return
    validated = {digest for each in members if each is not None for digest in each.validated}
    left = len(validated) - len(seen.validated)
    if left and not seen.validated:
        raise DataError(
            f"task.split=val: {name_of(predictor)} has no image that one of them validated on and "
            "none was trained on, as those of several folds; score images that none has seen with "
            "task.split=test or task.split=unseen"
        )
    if left:
        logger.warning(
            "task.split=val: %s that one of the checkpoints validated on left out, because another "
            "was trained on them",
            counted(left, "image"),
        )
