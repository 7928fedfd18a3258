"""Checks of a stage before it is trained: everything is built, nothing is trained."""

import copy
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch

from aerialseg.config.chain import Place
from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.durations import counted
from aerialseg.errors import ConfigError
from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.module import SegmentationModule
from aerialseg.report.data_table import images_to_learn_from, show_data
from aerialseg.storage.forecast import Forecast
from aerialseg.storage.run_folders import RunFolder, check_same_run
from aerialseg.training.build import build_data, build_module, build_trainer
from aerialseg.training.data_checks import check_with_data
from aerialseg.training.identity import run_identity
from aerialseg.training.measure import measure_stage
from aerialseg.training.part_checks import check_parts
from aerialseg.training.required_inspection import Required, check_inspected
from aerialseg.training.teachers import say_who_teaches

logger = logging.getLogger(__name__)


def check_stage(
    experiment: Experiment, *, place: Place = "alone", measure: bool = False
) -> Forecast | None:
    """Builds data, network, loss, optimizer and trainer, and logs what the stage would do.

    Args:
        experiment: The config.
        place: The predecessor of a later stage may be missing. The network then starts from
            random weights or, if measured, from the model's weights.
        measure: Whether to time a few steps.

    Returns:
        The forecast, if it was measured.

    Raises:
        AerialsegError: If training cannot start.
    """
    stage = experiment.stage
    is_later = place == "later"
    if is_later:
        experiment = _without_predecessor(experiment, keep_weights=measure)
    trainer = build_trainer(experiment)  # first: it takes no time and may refuse its arguments
    data = build_data(experiment)
    check_with_data(experiment, trainer, data)
    show_data(data)  # before the network, whose weights may be missing
    module, origin = build_module(experiment, data, fresh=() if is_later else None)
    check_module(module, data)
    module.configure_optimizers()
    learning = sum(p.numel() for p in module.network.parameters() if p.requires_grad)
    start = f"starts from stage {stage.previous}" if is_later and stage.previous else origin
    logger.info(
        "stage %s: valid; %s parameters for %s on %s; %s",
        stage.name,
        f"{learning:,}",
        counted(cast("int", experiment.trainer["max_epochs"]), "epoch"),
        images_to_learn_from(data),
        start,
    )
    say_what_is_fresh(module.plan)
    say_who_teaches(experiment)
    run = RunFolder.of_stage(
        Path(experiment.paths.runs_dir), experiment.run_name, experiment.stage.name
    )
    if not is_later and experiment.existing == "refuse" and run.holds_run():
        logger.warning("training would be refused: existing: %s", run.refusal())
    if not measure:
        return None
    return measure_stage(experiment, module, data, trainer, keeps_finished=is_later)


def _without_predecessor(experiment: Experiment, *, keep_weights: bool) -> Experiment:
    """The config of a stage that starts from another, changed to start without it."""
    stage, model = experiment.stage, experiment.model
    if stage.previous is not None and not keep_weights:
        model = replace(model, weights="none")
    return replace(experiment, model=model, stage=replace(stage, init_checkpoint=None))


def check_chain(
    chain: Mapping[str, Experiment], *, measure: bool, require: Required | None = None
) -> dict[str, Forecast]:
    """Checks every stage of a chain that is not finished yet, unless somebody trains one of them.

    Args:
        chain: The configs of the stages, in the order of training.
        measure: Whether to time a few steps of each.
        require: What an inspection of the data must have found; None asks for none.

    Returns:
        The forecasts by stage; empty unless measured.

    Raises:
        AerialsegError: If a stage cannot be trained.
        ConfigError: If a stage has a run that cannot be resumed or kept, or another process is
            training it.
    """
    for experiment in chain.values():  # before the first is measured, which takes time
        RunFolder(Path(experiment.paths.output_dir)).check_free()
    if require is not None:
        for experiment in chain.values():
            check_inspected(build_data(experiment), require)
    forecasts = {}
    first_to_train: str | None = None
    for name, experiment in chain.items():
        folder = RunFolder(Path(experiment.paths.output_dir))
        if experiment.existing == "resume" and folder.holds_run():
            if first_to_train is not None:
                raise ConfigError(_outdated(folder, name, first_to_train))
            data = build_data(experiment)
            identity = run_identity(experiment, data.fingerprint, data.images_fingerprint)
            check_same_run(folder, identity)
            if folder.is_complete():
                epochs = experiment.stage.epochs
                forecasts[name] = Forecast(name, epochs=epochs, epochs_left=0)
                continue
        place: Place = "later" if first_to_train is not None else "first"
        forecast = check_stage(experiment, place=place, measure=measure)
        first_to_train = first_to_train or name
        if forecast is not None:
            forecasts[name] = forecast
    return forecasts if measure else {}


def _outdated(folder: RunFolder, stage: str, first_to_train: str) -> str:
    """Says that a run cannot be kept, because a stage before it is about to be trained."""
    return (
        f"existing=resume: {folder.path} holds a run of stage {stage}, but stage {first_to_train} "
        f"before it is not finished, so that {stage} would start from another checkpoint; choose "
        "another run_name, or existing=overwrite to train all stages anew"
    )


def say_what_is_fresh(plan: FreezePlan) -> None:
    """Logs what becomes of random layers below the first group that a stage trains."""
    if plan.notice:
        logger.log(logging.INFO if plan.only_as_fresh else logging.WARNING, "%s", plan.notice)


def check_module(module: SegmentationModule, data: AerialSegDataModule) -> None:
    """Checks what network and loss give, and that no batch is too small for BatchNorm.

    Raises:
        ConfigError: As :func:`check_parts`, or if batches of one would reach such a layer.
    """
    check_parts(module)
    _check_batches(module, data)


def _check_batches(module: SegmentationModule, data: AerialSegDataModule) -> None:
    """Checks that no training batch is too small for BatchNorm.

    A trained BatchNorm after global pooling sees one value per image and channel, so a batch of
    one image has no variance to divide by.

    Raises:
        ConfigError: If batches of one would reach such a layer.
    """
    images = len(data.samples("train"))
    if min(data.batch_size, images) > 1:  # the sampler adds a last single image to a batch
        return
    trial = copy.deepcopy(module).train()
    try:
        with torch.no_grad():
            trial(torch.zeros(1, module.description.channels, 64, 64, dtype=torch.uint8))
    except ValueError:
        reason = "is 1" if images > 1 else "there is one image to train on"
        raise ConfigError(
            f"data.batch_size: {reason}, but this stage trains a BatchNorm after global "
            "pooling, which needs two images or more; set data.batch_size=2 and provide two "
            "images, or freeze it with a higher stage.fine_tune_start"
        ) from None
