"""The networks that judge labels, and which of them may judge an image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.labels.review_record import TrainedOn
from aerialseg.data.sources.class_map import ClassMap
from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.inference.predictor import Predictor
from aerialseg.storage.atomic_files import hash_file
from aerialseg.training.bands import read_as_trained
from aerialseg.training.build import build_predictor


@dataclass(frozen=True, eq=False)
class LabelJudges:
    """Networks of the same classes, which read images alike.

    Attributes:
        predictors: In the order in which they were given.
    """

    predictors: Sequence[Predictor]

    def of_image(self, digest: str) -> tuple[list[Predictor], TrainedOn]:
        """Who judges an image: those that were not trained on it, else all that may not have been.

        Args:
            digest: Of the image's file.

        Returns:
            The networks, and whether they were trained on it.
        """
        unseen, unknown = [], []
        for predictor in self.predictors:
            seen = predictor.description.seen
            if seen is None:
                unknown.append(predictor)
            elif digest not in seen.trained:
                unseen.append(predictor)
        if unseen:
            return unseen, "no"
        return (unknown, "unknown") if unknown else (list(self.predictors), "yes")

    @property
    def digests(self) -> dict[str, str]:
        """The sha256 of each checkpoint by its path."""
        return {str(each.checkpoint): hash_file(each.checkpoint) for each in self.predictors}


def open_judges(experiment: Experiment, data: AerialSegDataModule) -> LabelJudges:
    """Opens the checkpoints that judge labels, and lets the data be read as these were trained.

    Raises:
        CheckpointError: If one cannot be read, was trained on other classes, bands or values, or
            reads images in another way than the first.
    """
    predictors: list[Predictor] = []
    for name in experiment.checkpoints:
        predictor = build_predictor(replace(experiment, checkpoint=name))
        predictor.check_classes(data.classes)
        read_as_trained(data, predictor.description, name)
        if predictors and predictor.reading != predictors[0].reading:
            raise CheckpointError(
                f"{name}: reads images in another way than {predictors[0].checkpoint}; give "
                "checkpoints that were trained on the same bands, values and orientations"
            )
        predictors.append(predictor)
    return LabelJudges(predictors)


def check_one_data_set(data: AerialSegDataModule) -> None:
    """Raises ConfigError for several data sets: each has masks of its own kind."""
    if data.sources.are_several:
        raise ConfigError(
            "data=joint: labels are reviewed in one data set at a time; choose it with data=NAME"
        )


def own_class_of(class_map: ClassMap | None) -> npt.NDArray[np.uint8]:
    """For each trained class, the class of the masks that becomes it.

    Returns:
        ``(256,)`` uint8 ids of the masks' own table; 255 for what is no class.

    Raises:
        ConfigError: If several classes become one: a prediction does not tell which is meant.
    """
    if class_map is None:
        return np.arange(256, dtype=np.uint8)
    own = np.full(256, IGNORE_INDEX, dtype=np.uint8)
    for index, trained in enumerate(class_map.ids):
        if trained == IGNORE_INDEX:
            continue
        if own[trained] != IGNORE_INDEX:
            both = f"{class_map.own.names[own[trained]]} and {class_map.own.names[index]}"
            raise ConfigError(
                f"data.map_classes: makes one class of {both}, so a prediction does not say what a "
                "mask should hold; review labels with a checkpoint that tells them apart"
            )
        own[trained] = index
    return own
