"""The checkpoint that a stage starts from, and the images that it has seen."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts.listing import count
from aerialseg.data.notices import say_once
from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.storage.checkpoints import (
    Description,
    network_state,
    read_checkpoint,
    read_description,
)
from aerialseg.storage.run_folders import RunFolder
from aerialseg.storage.seen_images import SeenImages

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parent:
    """The checkpoint that a stage starts from.

    Attributes:
        source: Its path as the config has it.
        state: The network's tensors.
        description: What it says about itself.
    """

    source: str
    state: dict[str, Tensor]
    description: Description


def read_parent(experiment: Experiment) -> Parent | None:
    """The checkpoint that a stage starts from; ``None`` if it starts from the model's weights.

    Raises:
        CheckpointError: If it cannot be read.
    """
    source = experiment.stage.init_checkpoint
    if source is None:
        return None
    path = Path(source).expanduser()
    content = read_checkpoint(path)
    return Parent(source, network_state(content), read_description(content, path))


def start_of(experiment: Experiment, parent: Parent | None) -> tuple[str, Description | None]:
    """What a stage starts from, and what that says about itself.

    Returns:
        The path of the checkpoint, or ``model.weights``; the description, ``None`` if they are no
        checkpoint of this project.
    """
    if parent is not None:
        return parent.source, parent.description
    return experiment.model.weights, _of_weights(experiment.model.weights)


def _of_weights(weights: str) -> Description | None:
    """What weights say about themselves, if they are a checkpoint of this project."""
    path = Path(weights).expanduser()
    if path.suffix != ".ckpt" or not path.is_file():
        return None
    try:
        return read_description(read_checkpoint(path), path)
    except CheckpointError:  # weights of other projects may have this suffix too
        return None


def seen_before(source: str, description: Description | None) -> SeenImages | None:
    """The images that the weights a stage starts from have seen.

    Args:
        source: The checkpoint or the weights.
        description: What they say about themselves; ``None`` if they are no checkpoint of ours.

    Returns:
        Nothing seen for weights that are no checkpoint of this project; ``None``, with a warning,
        for one of an older release, which does not say.
    """
    seen = SeenImages() if description is None else description.seen
    if seen is None:
        say_once(
            logger,
            logging.WARNING,
            f"{source}: does not say which images it was trained on, as checkpoints of today do; "
            "neither will those that start or learn from it, so mind yourself that they validate "
            "on others",
        )
    return seen


def fresh_before(source: str, description: Description | None) -> Sequence[str]:
    """Names of the modules that nothing had trained yet in the checkpoint a stage starts from.

    Empty for weights that are no checkpoint of this project and, with a warning, for a checkpoint
    of an older release, which does not say.

    Args:
        source: The checkpoint or the weights.
        description: What they say about themselves; ``None`` if they are no checkpoint of ours.
    """
    if description is None:
        return ()
    if description.fresh is None:
        say_once(
            logger,
            logging.WARNING,
            f"{source}: does not say which of its layers are still random, as checkpoints of today "
            "do; all are taken for trained",
        )
    return description.fresh or ()


def check_validation_images(
    experiment: Experiment,
    data: AerialSegDataModule,
    seen: SeenImages | None,
    source: str,
    *,
    advice: str = "or start a new chain with stage=head",
) -> None:
    """Checks that a stage validates on no image that its parent, or a teacher, was trained on.

    Args:
        experiment: The config.
        data: The stage's data.
        seen: What the checkpoint has seen; ``None`` if it does not say.
        source: The checkpoint.
        advice: What else may be done, for messages.

    Raises:
        ConfigError: If it would: its scores would measure memory.
    """
    validated = data.contents.ids_by_digest("val")
    found = [] if seen is None else seen.trained_among(validated)
    if not found:
        return
    config = RunFolder.of_checkpoint(Path(source)).path / "config.yaml"
    where = f" (see {config})" if config.is_file() else ""
    raise ConfigError(
        f"stage {experiment.stage.name}: {count(found, 'validation image')} of "
        f"{len(data.contents.of('val'))} were trained on by {source} or before it, so that the "
        "scores would be too good; split the data as its run did, with the same data.split_seed, "
        f"data.group_pattern and data.val_fraction{where}, {advice}"
    )


def seen_after(data: AerialSegDataModule, before: SeenImages | None) -> SeenImages | None:
    """The images that a stage's checkpoints have seen."""
    if before is None:
        return None
    train, val = (data.contents.ids_by_digest(split) for split in ("train", "val"))
    return before.followed_by(trained=train, validated=val)
