"""Train one stage: the run folder tells the whole story."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

from aerialseg.checkpoints import network_state, read_checkpoint, read_description
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.errors import TrainingError
from aerialseg.models.freeze_proof import changed_tensors, frozen_state
from aerialseg.models.module import SegmentationModule
from aerialseg.runs import RunFolder, check_same_run, environment
from aerialseg.tasks.build import build_data, build_module, build_trainer, parent_of
from aerialseg.tasks.check import check_batches

logger = logging.getLogger(__name__)


def train(cfg: DictConfig) -> dict[str, Any]:
    """Trains the stage that the config names, or finds that it already has been.

    Everything is built before anything is written. ``metrics.json`` comes last: its presence
    means that the stage is finished.

    Returns:
        The metrics of the best epoch and the facts of the run, as ``metrics.json`` holds them.
    """
    folder = RunFolder(Path(cfg.paths.output_dir))
    data = build_data(cfg)
    identity = _identity(cfg, data)
    resuming = cfg.existing == "resume" and folder.holds_run()
    if resuming:
        check_same_run(folder, identity)
        if folder.finished():
            logger.info("stage %s: already finished in %s", cfg.stage.name, folder.path)
            return folder.metrics()
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    module, origin = build_module(cfg, data)
    check_batches(module, data)
    trainer = build_trainer(cfg)
    logger.info("%s", _headline(cfg, module, data, origin))
    if cfg.existing == "overwrite" and folder.holds_run():
        folder.clear()
    provenance = {"identity": identity, "parent": parent_of(cfg), **environment()}
    folder.begin(OmegaConf.to_yaml(cfg, resolve=True), provenance)
    frozen = frozen_state(module.layer_groups, module.fine_tune_start)
    seconds = _fit(trainer, module, data, folder, resuming=resuming)
    metrics = _metrics(module, folder, seconds)
    metrics |= _freezing_proof(frozen, module, folder)
    folder.finish(metrics)
    logger.info("%s", _closing_line(metrics, folder))
    return metrics


def _fit(
    trainer: pl.Trainer,
    module: SegmentationModule,
    data: AerialSegDataModule,
    folder: RunFolder,
    *,
    resuming: bool,
) -> float:
    last = folder.checkpoints / "last.ckpt"
    began = time.perf_counter()
    try:
        trainer.fit(module, data, ckpt_path=last if resuming and last.exists() else None)
    except SystemExit:
        # Lightning turns Ctrl-C into this, after the callbacks have saved the last epoch.
        logger.info("stopped; the same command with existing=resume goes on from the last epoch")
        raise SystemExit(130) from None
    return time.perf_counter() - began


def _identity(cfg: DictConfig, data: AerialSegDataModule) -> dict[str, Any]:
    """What decides the result of a run, without where things lie and how they are shown."""
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    parent = parent_of(cfg)
    parts = ("seed", "model", "loss", "augmentation", "optimizer", "scheduler", "data", "stage")
    chosen = {part: config[part] for part in parts}
    for part, names in {
        "data": ("root", "cache_dir", "num_workers"),
        "stage": ("from_run", "init_checkpoint"),
    }.items():
        chosen[part] = _without(chosen[part], names)
    chosen["trainer"] = _without(
        config["trainer"], ("accelerator", "devices", "log_every_n_steps", "num_sanity_val_steps")
    )
    chosen["early_stopping"] = config["callbacks"].get("early_stopping")
    monitor = _without(config["callbacks"].get("checkpoint", {}), ("folder", "every_n_epochs"))
    return {
        **chosen,
        "checkpoint": monitor,
        "parent": parent.get("sha256") or parent.get("weights"),
        "data_fingerprint": data.fingerprint,
    }


def _without(mapping: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in names}


def _metrics(module: SegmentationModule, folder: RunFolder, seconds: float) -> dict[str, Any]:
    best, last = folder.checkpoints / "best.ckpt", folder.checkpoints / "last.ckpt"
    if not best.exists():
        raise TrainingError(
            f"{folder.path}: no epoch had a score, so there is no best checkpoint; "
            "look at the loss curve, lower stage.learning_rate, check callbacks.checkpoint.monitor"
        )
    description = read_description(read_checkpoint(best), best)
    parameters = list(module.network.parameters())
    return {
        **description.metrics,
        "stage": description.stage,
        "best_epoch": description.epoch,
        "epochs": read_description(read_checkpoint(last), last).epoch,
        "seconds": round(seconds, 1),
        "trainable_parameters": sum(p.numel() for p in parameters if p.requires_grad),
        "total_parameters": sum(p.numel() for p in parameters),
    }


def _freezing_proof(
    before: Mapping[str, Any], module: SegmentationModule, folder: RunFolder
) -> dict[str, Any]:
    """Compares what was frozen, bit for bit, with the network and with both checkpoints."""
    states = {"network": frozen_state(module.layer_groups, module.fine_tune_start)}
    for name in ("best", "last"):
        state = network_state(read_checkpoint(folder.checkpoints / f"{name}.ckpt"))
        states[name] = {key: state[key] for key in before}
    changed = {
        f"{where}: {name}"
        for where, state in states.items()
        for name in changed_tensors(before, state)
    }
    if changed:
        raise TrainingError(
            f"{len(changed)} tensors that were frozen have changed, first {min(changed)}; "
            "this is a defect: please report it with the config"
        )
    return {"frozen_tensors": len(before), "frozen_unchanged": True}


def _headline(
    cfg: DictConfig, module: SegmentationModule, data: AerialSegDataModule, origin: str
) -> str:
    learning = sum(p.numel() for p in module.network.parameters() if p.requires_grad)
    total = sum(p.numel() for p in module.network.parameters())
    return (
        f"\nstage {cfg.stage.name}: {learning:,} of {total:,} parameters learn, "
        f"{cfg.stage.epochs} epochs on {len(data.samples('train'))} pictures, "
        f"{len(data.samples('val'))} to validate, into {cfg.paths.output_dir}\n{origin}"
    )


def _closing_line(metrics: Mapping[str, Any], folder: RunFolder) -> str:
    frozen = metrics["frozen_tensors"]
    proof = f"{frozen} frozen tensors unchanged" if frozen else "nothing was frozen"
    return (
        f"stage {metrics['stage']}: best epoch {metrics['best_epoch']} of {metrics['epochs']}, "
        f"val dice {metrics['val/dice']:.4f}, val mIoU {metrics['val/miou']:.4f}, "
        f"{metrics['seconds']:.0f} s; {proof}; "
        f"{folder.checkpoints / 'best.ckpt'}"
    )
