"""Builds data module, network, trainer and predictor from the config."""

import inspect
import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import LearningRateMonitor, Timer
from pytorch_lightning.profilers import AdvancedProfiler, PyTorchProfiler, SimpleProfiler
from torch import nn

from aerialseg.callbacks.curves import ContinuousCurves
from aerialseg.callbacks.progress import PersistentProgressBar
from aerialseg.callbacks.remaining_time import RemainingStages, RemainingTime
from aerialseg.callbacks.signals import StopOnSignal
from aerialseg.classes import ClassTable
from aerialseg.config.schema import Experiment
from aerialseg.config.trainer_rules import seconds_of
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.notices import about, say_once
from aerialseg.errors import ConfigError, DataError, did_you_mean
from aerialseg.inference.ensemble import AveragedPredictor
from aerialseg.inference.image_views import SINGLE_VIEW, Views
from aerialseg.inference.predictor import Predictor, native_device
from aerialseg.losses.class_weights import chosen_weights
from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.layer_groups import layer_groups
from aerialseg.models.module import SegmentationModule
from aerialseg.models.networks.input_bands import build_for_bands
from aerialseg.models.networks.registry import find_builder
from aerialseg.models.optimization import Optimization
from aerialseg.models.weights.class_rows import ClassChange, class_tensors, match_classes
from aerialseg.models.weights.loading import WeightsReport, load_weights
from aerialseg.models.weights.transfer import Transfer, continue_from
from aerialseg.training.bands import read_as_start
from aerialseg.training.chosen_checkpoint import check_chosen_checkpoint
from aerialseg.training.description import describe_stage
from aerialseg.training.hardware import fused, precision, use_hardware
from aerialseg.training.instantiation import build
from aerialseg.training.parent import (
    Parent,
    check_validation_images,
    fresh_before,
    read_parent,
    seen_after,
    seen_before,
    start_of,
)
from aerialseg.training.quiet import quieten_lightning
from aerialseg.training.teachers import read_teaching
from aerialseg.training.threads import use_threads

logger = logging.getLogger(__name__)


def build_data(
    experiment: Experiment, *, split: bool = True, scored_with: ClassTable | None = None
) -> AerialSegDataModule:
    """The data module after :meth:`AerialSegDataModule.prepare`.

    Args:
        experiment: The config.
        split: False for data that are checked but not split, which need not be possible.
        scored_with: The classes of the network that is scored on them; None for training.
    """
    augmentation = build(experiment.augmentation, "augmentation")
    data: AerialSegDataModule = build(experiment.data, "data", augmentation=augmentation)
    if scored_with is not None:
        data = data.scored_with(scored_with)
    _ = data.contents if split else data.checked
    for name, source in data.sources.by_name.items():
        with about(name):
            _warn_of_unused_table(source.class_map.own, source.root / "classes.yaml")
    return data


def _warn_of_unused_table(chosen: ClassTable, table: Path) -> None:
    """Says that a data set brings a class table which is not the chosen one."""
    if not table.is_file():
        return
    try:
        differs = ClassTable.read(table) != chosen
    except DataError:
        differs = True
    if differs:
        line = (
            f"{table} is not used: data.classes gives another class table "
            f"({', '.join(chosen.names[:3])}, ...); without data/classes=... it would be used"
        )
        say_once(logger, logging.WARNING, line)


def build_network(experiment: Experiment, num_classes: int) -> nn.Module:
    """The configured network with random weights, for the bands that ``data.bands`` names."""
    node: Any = experiment.model.network
    bands: Any = experiment.data.get("bands")
    if bands is None:
        return cast("nn.Module", build(node, "model.network", num_classes=num_classes))
    make = partial(build, node, "model.network")
    builder = find_builder(str(node["_target_"]))
    takes = {} if builder is None else inspect.signature(builder).parameters
    return build_for_bands(make, {"num_classes": num_classes}, len(bands), parameters=takes)


def build_module(
    experiment: Experiment, data: AerialSegDataModule, *, fresh: Collection[str] | None = None
) -> tuple[SegmentationModule, str]:
    """The module to train, initialised from its parent's checkpoint or from the model's weights.

    Args:
        experiment: The config.
        data: What is trained on.
        fresh: Names of modules to take for fresh, if the stages before this one are still to be
            trained; ``None`` for those that are.

    Returns:
        The module, and one line that says where its tensors came from.
    """
    use_threads(experiment.compute.threads, device=_device(experiment))
    parent = read_parent(experiment)
    source, said = start_of(experiment, parent)
    read_as_start(data, said, source, is_stage=parent is not None)
    network = build_network(experiment, len(data.classes))
    groups = layer_groups(network, experiment.model.layer_groups)
    seen = seen_before(source, said)
    check_validation_images(experiment, data, seen, source)
    teaching = read_teaching(experiment, data)
    start = _initialise(network, experiment, parent, data, final_layers=groups[-1].names)
    if fresh is None:
        fresh = {*start.fresh_tensors, *fresh_before(source, said)}
    stage = experiment.stage
    plan = FreezePlan(groups, stage.fine_tune_start, fresh, train_fresh=stage.fresh == "learn")
    loss, compute = experiment.loss, experiment.compute
    weights = chosen_weights(data.counts_in_training(), loss.class_weights, data.classes.names)
    use_hardware(
        network,
        tf32=compute.tf32,
        custom_gradients=compute.custom_gradients,
        compile=compute.compile,
    )
    seen = seen_after(data, teaching.seen_with(seen))
    module = SegmentationModule(
        network,
        build(loss.function, "loss.function", class_weights=weights.tolist()),
        plan=plan,
        optimization=_optimization(experiment),
        aux_weight=loss.aux_weight,
        seed=experiment.seed,
        description=describe_stage(experiment, data, seen, plan.still_fresh),
        channels_last=compute.channels_last,
        distillation=teaching.distillation,
    )
    return module, str(start)


def _optimization(experiment: Experiment) -> Optimization:
    """How the stage optimises what it trains."""
    optimizer, scheduler = experiment.optimizer, dict(experiment.scheduler)
    function = fused(optimizer.function, chosen_precision(experiment))
    return Optimization(
        build(function, "optimizer.function"),
        monitor=cast("str | None", scheduler.pop("monitor", None)),
        make_scheduler=build(scheduler, "scheduler"),
        layer_decay=optimizer.layer_decay,
        fresh_factor=optimizer.fresh_factor,
        warmup_steps=optimizer.warmup_steps,
    )


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
    node: dict[str, Any] = {**experiment.trainer, "precision": chosen_precision(experiment)}
    # The timer below counts all starts of a run; Lightning's would end a resumed run at once.
    limit = seconds_of(node.pop("max_time", None))
    callbacks += [Timer(), ContinuousCurves(), StopOnSignal(max_seconds=limit)]
    if node.get("enable_progress_bar") is False:
        node["enable_progress_bar"] = _without_bars(callbacks)
    if isinstance(node.get("profiler"), str):
        node["profiler"] = _profiler(node["profiler"], experiment.paths.output_dir)
    logger = build(experiment.logger, "logger") or False
    return cast("pl.Trainer", build(node, "trainer", callbacks=callbacks, logger=logger))


def _without_bars(callbacks: Sequence[pl.Callback]) -> bool:
    """Lets our progress bar log lines instead; returns whether there is one."""
    ours = [each for each in callbacks if isinstance(each, PersistentProgressBar)]
    for each in ours:
        each.disable()
    return bool(ours)


def _profiler(name: str, folder: str) -> object:
    """One of Lightning's profilers by name, which writes to the run's folder."""
    kinds = {"simple": SimpleProfiler, "advanced": AdvancedProfiler, "pytorch": PyTorchProfiler}
    if name not in kinds:
        raise ConfigError(f"trainer.profiler: there is no '{name}'{did_you_mean(name, kinds)}")
    return kinds[name](dirpath=folder, filename="profile")


def build_predictor(
    experiment: Experiment, *, image_min_size: int | None = None, views: Views = SINGLE_VIEW
) -> Predictor:
    """The network of ``checkpoint``, or the mean of several, for inference; float32 by default.

    Args:
        experiment: The config.
        image_min_size: The smaller edge that images are resized to; ``None`` for that of training.
        views: What each network sees of an image.

    Raises:
        ConfigError: As :func:`~aerialseg.training.chosen_checkpoint.check_chosen_checkpoint`.
        CheckpointError: If networks cannot be averaged.
    """
    members = []
    for name in experiment.checkpoints:
        alone = replace(experiment, checkpoint=name)
        member = load_predictor(alone, image_min_size=image_min_size)
        check_chosen_checkpoint(alone, member.description)
        members.append(member)
    if len(set(experiment.checkpoints)) < len(members):
        logger.warning("checkpoint: names a file twice, which counts twice in the mean")
    if len(members) == 1 and views.is_single:
        return members[0]
    return AveragedPredictor(members, views)


def load_predictor(experiment: Experiment, *, image_min_size: int | None = None) -> Predictor:
    """The network of one checkpoint, which was not chosen by what was typed."""
    trainer: Any = experiment.trainer
    device = _device(experiment)
    use_threads(experiment.compute.threads, device=device)
    return Predictor(
        Path(experiment.only_checkpoint),
        device=device,
        precision=trainer.get("precision") or "32-true",
        image_min_size=image_min_size,
        cache_dir=Path(experiment.paths.cache_dir),
    )


def chosen_precision(experiment: Experiment) -> str | int:
    """The precision of training."""
    trainer: Any = experiment.trainer
    return precision(trainer.get("precision"), accelerator=trainer.get("accelerator", "auto"))


def _device(experiment: Experiment) -> str:
    trainer: Any = experiment.trainer
    return native_device(trainer.get("accelerator", "auto"))


def _initialise(
    network: nn.Module,
    experiment: Experiment,
    parent: Parent | None,
    data: AerialSegDataModule,
    *,
    final_layers: Sequence[str],
) -> Transfer | WeightsReport:
    """Loads the parent's checkpoint or the model's weights."""
    if parent is not None:
        change = _class_change(network, experiment, parent, data.classes.names)
        return continue_from(network, parent.state, parent.source, change=change)
    return load_weights(
        network,
        experiment.model.weights,
        final_layers=final_layers,
        weights_dir=Path(experiment.paths.weights_dir),
    )


def _class_change(
    network: nn.Module, experiment: Experiment, parent: Parent, names: tuple[str, ...]
) -> ClassChange | None:
    """How the classes differ from the parent's; ``None`` if they do not."""
    old_names = tuple(parent.description.classes)
    rows = match_classes(names, old_names, experiment.stage.renamed_classes, source=parent.source)
    if names == old_names:
        return None
    with torch.random.fork_rng(devices=[]):  # what follows must not depend on this network
        wider = build_network(experiment, len(names) + 1)
    return ClassChange(names, old_names, rows, class_tensors(network, wider))
