"""From config to objects: the only place where a YAML node becomes something that runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from lightning_fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Timer
from torch import nn

from aerialseg.callbacks.curves import ContinuousCurves
from aerialseg.callbacks.signals import StopOnSignal
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.statistics import class_weights
from aerialseg.errors import AerialsegError, CheckpointError, ConfigError
from aerialseg.inference.predictor import Predictor, native_device
from aerialseg.models.layer_groups import layer_groups, resolve_start
from aerialseg.models.module import SegmentationModule
from aerialseg.models.weights.loading import is_file_name, load_weights
from aerialseg.models.weights.transfer import continue_from
from aerialseg.storage.atomic_files import hash_file
from aerialseg.storage.checkpoints import Description, network_state, read_checkpoint
from aerialseg.training.hardware import fused, precision, use_hardware
from aerialseg.training.quiet import quieten_lightning


def build(node: DictConfig, path: str, **supplied: object) -> Any:  # noqa: ANN401 - any target
    """Builds what a node names; ``None`` for an empty node.

    Args:
        node: A config node with a ``_target_``.
        path: Where the node stands, for messages.
        **supplied: Arguments that come from another part of the config.

    Raises:
        ConfigError: If the target refuses its arguments.
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


def build_data(cfg: DictConfig) -> AerialSegDataModule:
    """The data module, listed, counted and split; see :meth:`AerialSegDataModule.prepare`."""
    augmentation = build(cfg.augmentation, "augmentation")
    data: AerialSegDataModule = build(cfg.data, "data", augmentation=augmentation)
    data.prepare()
    return data


def build_network(cfg: DictConfig, num_classes: int) -> nn.Module:
    """The network of the model group, at random."""
    return cast("nn.Module", build(cfg.model.network, "model.network", num_classes=num_classes))


def build_module(cfg: DictConfig, data: AerialSegDataModule) -> tuple[SegmentationModule, str]:
    """The module to train, started from its parent's checkpoint or from the model's weights.

    Returns:
        The module, and one line that says what its tensors came from.
    """
    network = build_network(cfg, len(data.classes))
    groups = layer_groups(network, _plain(cfg.model.layer_groups))
    parent = parent_of(cfg)
    origin = _start(network, cfg, final_layers=groups[-1].names)
    weights = class_weights(data.class_counts, cfg.loss.class_weights)
    use_hardware(network, cfg.compute)
    module = SegmentationModule(
        network,
        build(cfg.loss.function, "loss.function", class_weights=weights.tolist()),
        layer_groups=groups,
        fine_tune_start=resolve_start(groups, cfg.stage.fine_tune_start),
        optimizer=build(fused(cfg.optimizer, precision(cfg.trainer)), "optimizer"),
        scheduler=build(cfg.scheduler, "scheduler"),
        aux_weight=cfg.loss.aux_weight,
        seed=cfg.seed,
        description=_describe(cfg, data, parent),
        channels_last=cfg.compute.channels_last,
    )
    return module, origin


def build_trainer(cfg: DictConfig) -> pl.Trainer:
    """The Lightning trainer with its callbacks, its logger and a clock that survives a resume."""
    quieten_lightning()
    callbacks = [build(node, f"callbacks.{key}") for key, node in cfg.callbacks.items()]
    callbacks += [Timer(), ContinuousCurves(), StopOnSignal()]
    logger = build(cfg.logger, "logger") or False
    node = cfg.trainer.copy()
    node.precision = precision(cfg.trainer)
    return cast("pl.Trainer", build(node, "trainer", callbacks=callbacks, logger=logger))


def build_predictor(cfg: DictConfig) -> Predictor:
    """The network of ``checkpoint`` for inference; in single precision unless told otherwise."""
    return Predictor(
        Path(cfg.checkpoint).expanduser(),
        device=native_device(cfg.trainer.accelerator),
        precision=cfg.trainer.get("precision") or "32-true",
    )


def parent_of(cfg: DictConfig) -> dict[str, str | None]:
    """What a stage starts from: a checkpoint or a file of weights with its sha256, or a name."""
    start = cfg.stage.init_checkpoint
    if start is None and not is_file_name(cfg.model.weights):
        return {"weights": cfg.model.weights}
    path = Path(start or cfg.model.weights).expanduser()
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file to start stage {cfg.stage.name} from")
    return {"path": str(path), "sha256": hash_file(path)}


def _start(network: nn.Module, cfg: DictConfig, *, final_layers: Sequence[str]) -> str:
    """Loads the parent's checkpoint or the model's weights; says what came from where."""
    parent = cfg.stage.init_checkpoint
    if parent is not None:
        return continue_from(network, network_state(read_checkpoint(Path(parent))), parent)
    report = load_weights(
        network,
        cfg.model.weights,
        final_layers=final_layers,
        weights_dir=Path(cfg.paths.weights_dir),
    )
    return str(report)


def _describe(
    cfg: DictConfig, data: AerialSegDataModule, parent: dict[str, str | None]
) -> Description:
    network = {**_plain(cfg.model.network), "num_classes": len(data.classes)}
    return Description(
        network=network,
        classes=data.classes.to_mapping(),
        mean=_plain(cfg.model.mean),
        std=_plain(cfg.model.std),
        image_min_size=data.image_min_size,
        stage=cfg.stage.name,
        run_name=cfg.run_name,
        parent=parent,
    )


def _plain(node: DictConfig) -> Any:  # noqa: ANN401 - YAML content
    return OmegaConf.to_container(node, resolve=True)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
