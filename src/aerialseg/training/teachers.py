"""The checkpoints that teach a stage by distillation, and whether they may."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.notices import say_once
from aerialseg.errors import CheckpointError, nearest_name
from aerialseg.inference.trained_network import class_table_of, rebuilt
from aerialseg.kernels.folding import fold_batchnorm
from aerialseg.models.distillation import Distillation, Teacher
from aerialseg.storage.checkpoints import (
    Description,
    network_state,
    read_checkpoint,
    read_description,
)
from aerialseg.storage.seen_images import SeenImages
from aerialseg.training.bands import check_served_as_trained
from aerialseg.training.parent import check_validation_images, seen_before

logger = logging.getLogger(__name__)

_KEY = "loss.distillation.teacher"


@dataclass(frozen=True)
class Teaching:
    """What teaches a stage.

    Attributes:
        distillation: The loss with the teachers; ``None`` for labels alone.
        seen: By teacher, the images that it has seen; ``None`` where it does not say.
    """

    distillation: Distillation | None
    seen: Sequence[SeenImages | None]

    def seen_with(self, seen: SeenImages | None) -> SeenImages | None:
        """What a stage has seen before it begins, by its own start and by its teachers.

        Args:
            seen: By its start; ``None`` if unknown.

        Returns:
            ``None`` if one of them is unknown.
        """
        for of_teacher in self.seen:
            if seen is None or of_teacher is None:
                return None
            seen = seen.followed_by(trained=of_teacher.trained, validated=seen.validated)
        return seen


def read_teaching(experiment: Experiment, data: AerialSegDataModule) -> Teaching:
    """Reads and checks the teachers of a stage; no random number is drawn.

    Args:
        experiment: The config.
        data: What is trained on.

    Raises:
        CheckpointError: If one cannot be read, was trained on other classes, bands or values.
        ConfigError: If one was trained on images that the stage validates on.
    """
    chosen = experiment.loss.distillation
    if chosen is None:
        return Teaching(None, ())
    teachers, seen = [], []
    for source in chosen.teachers:
        path = Path(source).expanduser()
        content = read_checkpoint(path)
        description = read_description(content, path)
        order = _class_order(description, path, data.classes.names)
        check_served_as_trained(data, description, f"{_KEY}: {path}")
        _warn_of_scale(data, description, source)
        seen.append(seen_before(source, description))
        advice = "or give a teacher that was not trained on them"
        check_validation_images(experiment, data, seen[-1], source, advice=advice)
        with torch.random.fork_rng(devices=[]):  # what follows must not depend on teachers
            network = rebuilt(description, network_state(content), path).eval()
        fold_batchnorm(network)
        network = network.to(memory_format=torch.channels_last)
        mean, std = description.mean, description.std
        teachers.append(Teacher(network, mean=mean, std=std, class_order=order))
    weight, temperature = chosen.weight, chosen.temperature
    return Teaching(Distillation(teachers, weight=weight, temperature=temperature), seen)


def say_who_teaches(experiment: Experiment) -> None:
    """Logs which checkpoints teach a stage, and with what share."""
    if (chosen := experiment.loss.distillation) is not None:
        logger.info(
            "taught by %s: a share of %g of the loss, at temperature %g",
            ", ".join(chosen.teachers),
            chosen.weight,
            chosen.temperature,
        )


def _class_order(description: Description, path: Path, names: Sequence[str]) -> list[int]:
    """For each class of the data, its index among those of a teacher."""
    known = class_table_of(description, path).names
    missing = [name for name in names if name not in known]
    if missing:
        nearest = nearest_name(missing[0], known)
        hint = f"; did you mean '{nearest}'?" if nearest else ""
        raise CheckpointError(
            f"{_KEY}: {path}: does not know {_classes(missing)} of the data{hint}; it knows "
            f"{', '.join(known)}; give a teacher that was trained on the classes of the data"
        )
    if more := [name for name in known if name not in names]:
        raise CheckpointError(
            f"{_KEY}: {path}: knows {_classes(more)} that the data do not have, so that its "
            "opinion on their pixels could not be learned; give a teacher that was trained on the "
            "classes of the data"
        )
    return [known.index(name) for name in names]


def _classes(names: Sequence[str]) -> str:
    return f"{'the class' if len(names) == 1 else 'the classes'} {', '.join(names)}"


def _warn_of_scale(data: AerialSegDataModule, description: Description, source: str) -> None:
    """Says if a teacher was trained on images of another size than it is shown."""
    shown, trained = data.image_min_size, description.image_min_size
    if None not in (shown, trained) and shown != trained:
        say_once(
            logger,
            logging.WARNING,
            f"{source}: was trained at data.image_min_size={trained} and sees the images of this "
            f"stage at {shown}, as the student does; a teacher that was trained at that size may "
            "know more",
        )
