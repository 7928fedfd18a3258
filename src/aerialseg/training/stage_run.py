"""Training of one stage, with everything recorded in its run folder."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import yaml
from pytorch_lightning.callbacks import Timer

from aerialseg.callbacks.remaining_time import RemainingStages
from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.models.freeze_proof import frozen_state
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.checkpoints import find_snapshot
from aerialseg.storage.run_folders import RunFolder, check_same_run, environment
from aerialseg.storage.stage_result import StageResult
from aerialseg.training.build import build_data, build_module, build_trainer
from aerialseg.training.disk import check_disk
from aerialseg.training.failures import explained_failures
from aerialseg.training.feature_cache import cache_stage_features
from aerialseg.training.identity import run_identity
from aerialseg.training.outcome import stage_result
from aerialseg.training.stage_check import check_batches

logger = logging.getLogger(__name__)


def train_stage(
    experiment: Experiment, *, command: Sequence[str], remaining: RemainingStages | None = None
) -> StageResult:
    """Trains the stage of the config, unless it is already finished.

    Everything is built before anything is written. ``metrics.json`` is written last: its
    presence means that the stage is finished.

    Args:
        experiment: The config.
        command: The command line, recorded in the provenance.
        remaining: The forecasts of the stages that are trained after this one.

    Returns:
        The scores of the best epoch and statistics of the run, as ``metrics.json`` holds them.
    """
    folder = RunFolder(Path(experiment.paths.output_dir))
    data = build_data(experiment)
    identity = run_identity(experiment, data.fingerprint)
    resuming = experiment.existing == "resume" and folder.holds_run()
    if resuming:
        check_same_run(folder, identity)
        if folder.finished():
            logger.info("stage %s: already finished in %s", experiment.stage.name, folder.path)
            return StageResult.from_mapping(folder.metrics())
    pl.seed_everything(experiment.seed, workers=True, verbose=False)
    module, origin = build_module(experiment, data)
    check_batches(module, data)
    trainer = build_trainer(experiment, remaining)
    logger.info("%s", _headline(experiment, module, data, origin))
    if experiment.existing == "overwrite" and folder.holds_run():
        folder.clear()
    check_disk(folder, module)
    provenance = {"identity": identity, "parent": module.description.parent, **environment(command)}
    folder.begin(_as_yaml(experiment), provenance)
    frozen = frozen_state(module.layer_groups, module.fine_tune_start)
    with explained_failures(module, data):
        start = time.perf_counter()
        cache_stage_features(experiment, module, data, cache_dir=Path(experiment.paths.cache_dir))
        preparing = time.perf_counter() - start
        seconds = preparing + _fit(trainer, module, data, folder, resuming=resuming)
    result = stage_result(module, folder, seconds=seconds, frozen_before=frozen)
    folder.finish(result.to_mapping())
    logger.info("%s", _closing_line(result, folder))
    return result


def _fit(
    trainer: pl.Trainer,
    module: SegmentationModule,
    data: AerialSegDataModule,
    folder: RunFolder,
    *,
    resuming: bool,
) -> float:
    """Trains; returns the seconds it took, including those before an interruption."""
    snapshot = find_snapshot(folder.checkpoints) if resuming else None
    trainer.fit(module, data, ckpt_path=snapshot)
    # Checkpoints hold the elapsed time, so a resumed run continues counting.
    clock = next(c for c in trainer.callbacks if isinstance(c, Timer))  # type: ignore[attr-defined]
    return clock.time_elapsed("train")


def _as_yaml(experiment: Experiment) -> str:
    """The config as the text of ``config.yaml``."""
    return yaml.safe_dump(experiment.to_mapping(), sort_keys=False, allow_unicode=True)


def _headline(
    experiment: Experiment, module: SegmentationModule, data: AerialSegDataModule, origin: str
) -> str:
    """What is going to be trained, in two lines."""
    learning = sum(p.numel() for p in module.network.parameters() if p.requires_grad)
    total = sum(p.numel() for p in module.network.parameters())
    stage = experiment.stage
    return (
        f"\nstage {stage.name}: {learning:,} of {total:,} parameters learn, "
        f"{stage.epochs} epochs on {len(data.samples('train'))} images, "
        f"{len(data.samples('val'))} to validate, into {experiment.paths.output_dir}\n{origin}"
    )


def _closing_line(result: StageResult, folder: RunFolder) -> str:
    """The result of the training, in one line."""
    frozen = result.frozen_tensors
    proof = f"{frozen} frozen tensors unchanged" if frozen else "nothing was frozen"
    return (
        f"stage {result.stage}: best epoch {result.best_epoch} of {result.epochs}, "
        f"val dice {result.scores['val/dice']:.4f}, val mIoU {result.scores['val/miou']:.4f}, "
        f"{result.seconds:.0f} s; {proof}; "
        f"{folder.checkpoints / 'best.ckpt'}"
    )
