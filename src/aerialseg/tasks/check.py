"""Is this config sound? Everything is built as for training, nothing is trained."""

import copy
import logging
from typing import Any

import torch
from omegaconf import DictConfig

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.errors import ConfigError
from aerialseg.models.module import SegmentationModule
from aerialseg.training.build import build_data, build_module, build_trainer
from aerialseg.training.forecast import deciding_overrides
from aerialseg.training.measure import measure as measure_stage

logger = logging.getLogger(__name__)


def check(cfg: DictConfig, *, chain: bool = False, measure: bool = False) -> dict[str, Any] | None:
    """Builds data, network, loss, optimizer and trainer, and says what the stage would do.

    Args:
        cfg: The composed config.
        chain: Whether the predecessor may still be missing, because an earlier stage of the
            same chain will make it; the network then starts at random, or to be measured from
            the model's weights.
        measure: Whether to time a few steps and say how long the stage would take.

    Returns:
        What was measured, for the table at the end.
    """
    stage = cfg.stage
    if chain:
        cfg = cfg.copy()
        cfg.stage.init_checkpoint = None
        if stage.previous is not None and not measure:  # random features are no fair trial
            cfg.model.weights = "none"
    data = build_data(cfg)
    module, origin = build_module(cfg, data)
    check_batches(module, data)
    trainer = build_trainer(cfg)
    module.configure_optimizers()
    learning = sum(p.numel() for p in module.network.parameters() if p.requires_grad)
    start = f"starts from stage {stage.previous}" if chain and stage.previous else origin
    logger.info(
        "stage %s: sound; %s parameters for %d epochs on %d pictures, %d to validate; %s",
        stage.name,
        f"{learning:,}",
        stage.epochs,
        len(data.samples("train")),
        len(data.samples("val")),
        start,
    )
    if not measure:
        return None
    return {**measure_stage(cfg, module, data, trainer), "overrides": deciding_overrides()}


def check_batches(module: SegmentationModule, data: AerialSegDataModule) -> None:
    """Makes sure that every batch of a stage can be learnt from.

    A BatchNorm that learns behind a global pooling sees one value per picture and channel, and
    has no variance to divide by when the batch holds one picture.

    Raises:
        ConfigError: If batches of one would reach such a layer.
    """
    pictures = len(data.samples("train"))
    if min(data.batch_size, pictures) > 1:
        if pictures % data.batch_size == 1:
            logger.info("the last picture of an epoch, alone in its batch, joins the batch before")
        return
    trial = copy.deepcopy(module).train()
    try:
        with torch.no_grad():
            trial(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    except ValueError:
        reason = "is 1" if pictures > 1 else "there is one picture to train on"
        raise ConfigError(
            f"data.batch_size: {reason}, but this stage trains a BatchNorm behind a global "
            "pooling, which needs two pictures or more; set data.batch_size=2 and give it two "
            "pictures, or freeze it with a higher stage.fine_tune_start"
        ) from None
