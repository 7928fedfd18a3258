"""Checks of a stage before it is trained: everything is built, nothing is trained."""

import copy
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.errors import ConfigError
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.forecast import Forecast
from aerialseg.storage.run_folders import RunFolder, check_same_run
from aerialseg.training.build import build_data, build_module, build_trainer
from aerialseg.training.identity import run_identity
from aerialseg.training.measure import measure_stage

logger = logging.getLogger(__name__)


def check_stage(
    experiment: Experiment, *, in_chain: bool = False, measure: bool = False
) -> Forecast | None:
    """Builds data, network, loss, optimizer and trainer, and logs what the stage would do.

    Args:
        experiment: The config.
        in_chain: Whether the predecessor may still be missing, because an earlier stage of the
            same chain will train it. The network then starts from random weights or, if measured,
            from the model's weights.
        measure: Whether to time a few steps.

    Returns:
        The forecast, if it was measured.

    Raises:
        AerialsegError: If training cannot start.
    """
    stage = experiment.stage
    if in_chain:
        model = experiment.model
        if stage.previous is not None and not measure:
            model = replace(model, weights="none")
        experiment = replace(experiment, model=model, stage=replace(stage, init_checkpoint=None))
    data = build_data(experiment)
    module, origin = build_module(experiment, data)
    check_batches(module, data)
    trainer = build_trainer(experiment)
    module.configure_optimizers()
    learning = sum(p.numel() for p in module.network.parameters() if p.requires_grad)
    start = f"starts from stage {stage.previous}" if in_chain and stage.previous else origin
    logger.info(
        "stage %s: valid; %s parameters for %d epochs on %d images, %d to validate; %s",
        stage.name,
        f"{learning:,}",
        stage.epochs,
        len(data.samples("train")),
        len(data.samples("val")),
        start,
    )
    return measure_stage(experiment, module, data, trainer) if measure else None


def check_chain(chain: Mapping[str, Experiment], *, measure: bool) -> dict[str, Forecast]:
    """Checks every stage of a chain that is not finished yet.

    Args:
        chain: The configs of the stages, in the order of training.
        measure: Whether to time a few steps of each.

    Returns:
        The forecasts by stage; empty unless measured.

    Raises:
        AerialsegError: If a stage cannot be trained.
    """
    forecasts = {}
    unfinished_before = False
    for index, (name, experiment) in enumerate(chain.items()):
        if not unfinished_before and is_finished(experiment):
            epochs = experiment.stage.epochs
            forecasts[name] = Forecast(name, epochs=epochs, epochs_left=0)
            continue
        unfinished_before = True
        forecast = check_stage(experiment, in_chain=index > 0, measure=measure)
        if forecast is not None:
            forecasts[name] = forecast
    return forecasts if measure else {}


def is_finished(experiment: Experiment) -> bool:
    """Whether the stage has been trained already, with the same config, parent and data.

    Raises:
        ConfigError: If a finished run with another identity exists; lists the differences.
    """
    folder = RunFolder(Path(experiment.paths.output_dir))
    if experiment.existing != "resume" or not folder.finished():
        return False
    check_same_run(folder, run_identity(experiment, build_data(experiment).fingerprint))
    return True


def check_batches(module: SegmentationModule, data: AerialSegDataModule) -> None:
    """Checks that no training batch is too small for BatchNorm.

    A trained BatchNorm after global pooling sees one value per image and channel, so a batch of
    one image has no variance to divide by.

    Raises:
        ConfigError: If batches of one would reach such a layer.
    """
    images = len(data.samples("train"))
    if min(data.batch_size, images) > 1:
        if images % data.batch_size == 1:
            logger.info("the last image of an epoch, alone in its batch, joins the batch before it")
        return
    trial = copy.deepcopy(module).train()
    try:
        with torch.no_grad():
            trial(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    except ValueError:
        reason = "is 1" if images > 1 else "there is one image to train on"
        raise ConfigError(
            f"data.batch_size: {reason}, but this stage trains a BatchNorm after global "
            "pooling, which needs two images or more; set data.batch_size=2 and provide two "
            "images, or freeze it with a higher stage.fine_tune_start"
        ) from None
