"""Train one stage: the run folder tells the whole story."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Timer

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.inference.predictor import native_device
from aerialseg.models.freeze_proof import frozen_state
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.checkpoints import find_snapshot
from aerialseg.storage.run_folders import RunFolder, check_same_run, environment
from aerialseg.tasks.check import check_batches
from aerialseg.training.build import build_data, build_module, build_trainer
from aerialseg.training.disk import check_disk
from aerialseg.training.failures import explained_failures
from aerialseg.training.feature_cache import cache_features, is_short_run
from aerialseg.training.forecast import tell_rest
from aerialseg.training.identity import run_identity
from aerialseg.training.outcome import facts, freezing_proof

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
    identity = run_identity(cfg, data)
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
    tell_rest(trainer, cfg)
    logger.info("%s", _headline(cfg, module, data, origin))
    if cfg.existing == "overwrite" and folder.holds_run():
        folder.clear()
    check_disk(folder, module)
    provenance = {"identity": identity, "parent": module.description.parent, **environment()}
    folder.begin(OmegaConf.to_yaml(cfg, resolve=True), provenance)
    frozen = frozen_state(module.layer_groups, module.fine_tune_start)
    with explained_failures(module, data):
        began = time.perf_counter()
        cache_features(
            module,
            data,
            cache_dir=Path(cfg.paths.cache_dir),
            run_name=cfg.run_name,
            setting=cfg.stage.cache_features,
            device=native_device(cfg.trainer.accelerator),
            short_run=is_short_run(cfg.trainer.max_epochs, cfg.trainer.get("limit_train_batches")),
        )
        preparing = time.perf_counter() - began
        seconds = preparing + _fit(trainer, module, data, folder, resuming=resuming)
    metrics = facts(module, folder, seconds) | freezing_proof(frozen, module, folder)
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
    """Trains and returns the seconds it took, those before an interruption included."""
    snapshot = find_snapshot(folder.checkpoints) if resuming else None
    trainer.fit(module, data, ckpt_path=snapshot)
    # The clock's time is part of the checkpoints, so it counts on where a run was stopped.
    clock = next(c for c in trainer.callbacks if isinstance(c, Timer))  # type: ignore[attr-defined]
    return clock.time_elapsed("train")


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
