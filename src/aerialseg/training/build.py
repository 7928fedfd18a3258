"""Builds objects from the config: the only place that instantiates YAML nodes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import LearningRateMonitor, Timer
from torch import nn

from aerialseg.callbacks.curves import ContinuousCurves
from aerialseg.callbacks.remaining_time import RemainingStages, RemainingTime
from aerialseg.callbacks.signals import StopOnSignal
from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.statistics import class_weights
from aerialseg.errors import AerialsegError, ConfigError
from aerialseg.inference.predictor import Predictor, native_device
from aerialseg.models.layer_groups import layer_groups, resolve_start
from aerialseg.models.module import SegmentationModule
from aerialseg.models.weights.loading import load_weights
from aerialseg.models.weights.transfer import continue_from
from aerialseg.storage.checkpoints import Description, network_state, read_checkpoint
from aerialseg.training.hardware import fused, precision, use_hardware
from aerialseg.training.identity import parent_of
from aerialseg.training.quiet import quieten_lightning


def build(node: Mapping[str, Any], path: str, **supplied: object) -> Any:  # noqa: ANN401 - any target
    """Instantiates a config node; ``None`` for an empty node.

    Args:
        node: A config node with a ``_target_``.
        path: The path of the node, for messages.
        **supplied: Arguments from other parts of the config.

    Raises:
        ConfigError: If the target rejects its arguments.
    """
    if not node:
        return None
    try:
        part = instantiate(node, _convert_="all", _partial_=True)
        return part if node.get("_partial_") else part(**supplied)
    except InstantiationException as error:
        if isinstance(error.__cause__, AerialsegError):
            raise error.__cause__ from None
        raise ConfigError(f"{path}: {_one_line(error.__cause__ or error)}") from error
    except (TypeError, ValueError, MisconfigurationException) as error:
        raise ConfigError(f"{path}: {_one_line(error)}") from error


def build_data(experiment: Experiment) -> AerialSegDataModule:
    """The data module after :meth:`AerialSegDataModule.prepare`."""
    augmentation = build(experiment.augmentation, "augmentation")
    data: AerialSegDataModule = build(experiment.data, "data", augmentation=augmentation)
    data.prepare()
    return data


def build_network(experiment: Experiment, num_classes: int) -> nn.Module:
    """The configured network with random weights."""
    node = experiment.model.network
    return cast("nn.Module", build(node, "model.network", num_classes=num_classes))


def build_module(
    experiment: Experiment, data: AerialSegDataModule
) -> tuple[SegmentationModule, str]:
    """The module to train, initialised from its parent's checkpoint or from the model's weights.

    Returns:
        The module, and one line that says where its tensors came from.
    """
    network = build_network(experiment, len(data.classes))
    groups = layer_groups(network, experiment.model.layer_groups)
    parent = parent_of(experiment)
    origin = _initialise(network, experiment, final_layers=groups[-1].names)
    loss, compute = experiment.loss, experiment.compute
    weights = class_weights(data.class_counts, loss.class_weights)
    use_hardware(
        network,
        tf32=compute.tf32,
        custom_gradients=compute.custom_gradients,
        compile=compute.compile,
    )
    module = SegmentationModule(
        network,
        build(loss.function, "loss.function", class_weights=weights.tolist()),
        layer_groups=groups,
        fine_tune_start=resolve_start(groups, experiment.stage.fine_tune_start),
        optimizer=build(fused(experiment.optimizer, chosen_precision(experiment)), "optimizer"),
        scheduler=build(experiment.scheduler, "scheduler"),
        aux_weight=loss.aux_weight,
        seed=experiment.seed,
        description=_describe(experiment, data, parent),
        channels_last=compute.channels_last,
    )
    return module, origin


def build_trainer(experiment: Experiment, remaining: RemainingStages | None = None) -> pl.Trainer:
    """The Lightning trainer with its callbacks, its logger and a timer that is kept on resume.

    Args:
        experiment: The config.
        remaining: The forecasts of the stages that are trained after this one.
    """
    quieten_lightning()
    callbacks = [build(node, f"callbacks.{key}") for key, node in experiment.callbacks.items()]
    for callback in callbacks:
        if remaining is not None and isinstance(callback, RemainingTime):
            callback.set_remaining_stages(remaining)
    if not experiment.logger:  # it has nowhere to log to, and would raise
        callbacks = [each for each in callbacks if not isinstance(each, LearningRateMonitor)]
    callbacks += [Timer(), ContinuousCurves(), StopOnSignal()]
    logger = build(experiment.logger, "logger") or False
    node = {**experiment.trainer, "precision": chosen_precision(experiment)}
    return cast("pl.Trainer", build(node, "trainer", callbacks=callbacks, logger=logger))


def build_predictor(experiment: Experiment) -> Predictor:
    """The network of ``checkpoint`` for inference, in float32 by default."""
    trainer: Any = experiment.trainer
    return Predictor(
        Path(experiment.checkpoint).expanduser(),
        device=native_device(trainer.get("accelerator", "auto")),
        precision=trainer.get("precision") or "32-true",
    )


def chosen_precision(experiment: Experiment) -> str | int:
    """The precision of training."""
    trainer: Any = experiment.trainer
    return precision(trainer.get("precision"), accelerator=trainer.get("accelerator", "auto"))


def _initialise(network: nn.Module, experiment: Experiment, *, final_layers: Sequence[str]) -> str:
    """Loads the parent's checkpoint or the model's weights; returns a summary line."""
    parent = experiment.stage.init_checkpoint
    if parent is not None:
        return continue_from(network, network_state(read_checkpoint(Path(parent))), parent)
    report = load_weights(
        network,
        experiment.model.weights,
        final_layers=final_layers,
        weights_dir=Path(experiment.paths.weights_dir),
    )
    return str(report)


def _describe(
    experiment: Experiment, data: AerialSegDataModule, parent: dict[str, str | None]
) -> Description:
    """The description stored in the checkpoints of the stage."""
    return Description(
        network={**experiment.model.network, "num_classes": len(data.classes)},
        classes=data.classes.to_mapping(),
        mean=experiment.model.mean,
        std=experiment.model.std,
        image_min_size=data.image_min_size,
        stage=experiment.stage.name,
        run_name=experiment.run_name,
        parent=parent,
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
