"""Training of one stage, with everything recorded in its run folder."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Timer

from aerialseg.callbacks.ema import average_of
from aerialseg.callbacks.extension import ExtendedTraining
from aerialseg.callbacks.remaining_time import RemainingStages
from aerialseg.config.schema import Experiment
from aerialseg.config.yaml_text import yaml_text
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.durations import counted
from aerialseg.models.freeze_proof import frozen_state
from aerialseg.models.module import SegmentationModule
from aerialseg.report.data_table import images_to_learn_from, show_data
from aerialseg.report.path_links import PathLink
from aerialseg.storage.run_folders import RunFolder, environment
from aerialseg.storage.stage_result import StageResult
from aerialseg.training.build import build_data, build_module, build_trainer
from aerialseg.training.continuation import Continuation, continuation
from aerialseg.training.data_checks import check_with_data
from aerialseg.training.disk import check_disk
from aerialseg.training.failures import explained_failures
from aerialseg.training.feature_cache import cache_stage_features
from aerialseg.training.identity import run_identity, teachers_of
from aerialseg.training.outcome import stage_result
from aerialseg.training.required_inspection import Required, check_inspected
from aerialseg.training.stage_check import check_module, say_what_is_fresh
from aerialseg.training.teachers import say_who_teaches

logger = logging.getLogger(__name__)


def train_stage(
    experiment: Experiment,
    *,
    command: Sequence[str],
    remaining: RemainingStages | None = None,
    require: Required | None = None,
) -> StageResult:
    """Trains the stage of the config, unless it is already finished.

    Everything is built before anything is written. ``metrics.json`` is written last: its
    presence means that the stage is finished.

    Args:
        experiment: The config.
        command: The command line, recorded in the provenance.
        remaining: The forecasts of the stages that are trained after this one.
        require: What an inspection of the data must have found; None asks for none.

    Returns:
        What ``metrics.json`` holds.
    """
    folder = RunFolder(Path(experiment.paths.output_dir))
    trainer, data = build_trainer(experiment, remaining), build_data(experiment)
    check_inspected(data, require)
    identity = run_identity(experiment, data.fingerprint, data.images_fingerprint)
    prior = continuation(experiment, folder, identity)
    if prior is not None and prior.is_complete:
        return _kept(experiment.stage.name, folder)
    check_with_data(experiment, trainer, data)
    pl.seed_everything(experiment.seed, workers=True, verbose=False)
    module, origin = build_module(experiment, data)
    check_module(module, data)
    module.configure_optimizers()  # what it refuses, it refuses before anything is written
    with folder.locked():
        snapshot = prior.snapshot() if prior is not None else None
        if prior is not None:
            origin = _go_on(prior, snapshot, trainer, or_else=origin)
        _announce(experiment, module, data, origin)
        _make_room(experiment, folder, module, trainer)
        origins = _origins(experiment, identity, module, prior)
        record = origins | environment(command) | {"threads": torch.get_num_threads()}
        folder.begin(yaml_text(experiment.to_mapping()), record)
        frozen = frozen_state(module.plan)
        with explained_failures(module, data):
            seconds = _prepare_and_fit(experiment, trainer, module, data, snapshot)
        result = stage_result(module, folder, seconds=seconds, frozen_before=frozen)
        folder.finish(result.to_mapping())
    _say_finished(_closing_line(result, folder), folder)
    return result


def _kept(stage: str, folder: RunFolder) -> StageResult:
    """The result of a stage that is finished."""
    folder.tidy()
    _say_finished(f"stage {stage}: already finished", folder)
    return folder.result()


def _say_finished(text: str, folder: RunFolder) -> None:
    logger.info("%s", text)
    logger.info("run folder: %s", PathLink(folder.path))


def _make_room(
    experiment: Experiment, folder: RunFolder, module: SegmentationModule, trainer: pl.Trainer
) -> None:
    """Removes an old run if that was chosen, and checks that the disk holds the new one."""
    if experiment.existing == "overwrite" and folder.holds_run():
        folder.clear()
    check_disk(folder, module, with_average=average_of(trainer) is not None)


def _origins(
    experiment: Experiment,
    identity: dict[str, Any],
    module: SegmentationModule,
    prior: Continuation | None,
) -> dict[str, Any]:
    """What the provenance says of where the stage comes from."""
    origins: dict[str, Any] = {"identity": identity, "parent": module.description.parent}
    origins |= {"teachers": teachers} if (teachers := teachers_of(experiment)) else {}
    return origins | ({"extends": prior.extends} if prior is not None and prior.extends else {})


def _go_on(prior: Continuation, snapshot: Path | None, trainer: pl.Trainer, *, or_else: str) -> str:
    """Prepares the trainer to go on from a snapshot; returns where from, in one line."""
    if snapshot is None:
        return f"{prior.folder.path} holds no snapshot yet, so training starts over; {or_else}"
    if prior.begins_at(snapshot):
        trainer.callbacks.insert(0, ExtendedTraining())  # type: ignore[attr-defined]
    return prior.origin(snapshot)


def _prepare_and_fit(
    experiment: Experiment,
    trainer: pl.Trainer,
    module: SegmentationModule,
    data: AerialSegDataModule,
    snapshot: Path | None,
) -> float:
    """Trains; returns the seconds it took, including those before an interruption."""
    start = time.perf_counter()
    cache_stage_features(experiment, module, data, cache_dir=Path(experiment.paths.cache_dir))
    preparing = time.perf_counter() - start
    trainer.fit(module, data, ckpt_path=snapshot)
    # Checkpoints hold the elapsed time, so a resumed run continues counting.
    clock = next(c for c in trainer.callbacks if isinstance(c, Timer))  # type: ignore[attr-defined]
    return preparing + clock.time_elapsed("train")


def _announce(
    experiment: Experiment,
    module: SegmentationModule,
    data: AerialSegDataModule,
    origin: str,
) -> None:
    """The data as a table, and what is going to be trained, in two lines."""
    show_data(data)
    learning = sum(p.numel() for p in module.network.parameters() if p.requires_grad)
    total = sum(p.numel() for p in module.network.parameters())
    stage, epochs = experiment.stage, cast("int", experiment.trainer["max_epochs"])
    logger.info(
        "%s",
        f"\nstage {stage.name}: {learning:,} of {total:,} parameters learn, "
        f"{counted(epochs, 'epoch')} on {images_to_learn_from(data)}, "
        f"into {experiment.paths.output_dir}\n{_method(experiment, data)}\n{origin}",
    )
    say_what_is_fresh(module.plan)
    say_who_teaches(experiment)


def _method(experiment: Experiment, data: AerialSegDataModule) -> str:
    """How the stage is trained, whoever decided it: recipe, experiment or what was typed."""
    nodes = (experiment.loss.function, experiment.optimizer.function, experiment.scheduler)
    loss, optimizer, scheduler = (
        str(node.get("_target_", "")).rpartition(".")[2] for node in nodes
    )
    shown = [] if data.crops is None else ["crops of {}x{}".format(*reversed(data.crops.size))]
    shown += [type(each).__name__ for each in getattr(data.augmentation, "transforms", ())]
    rate = experiment.optimizer.function.get("lr", experiment.stage.learning_rate)
    steps = [f"{optimizer} at {rate:g}", *([scheduler] if scheduler else [])]
    return (
        f"recipe {experiment.recipe.name}: {loss}, {', '.join(steps)}; "
        f"{', '.join(shown) or 'no augmentation'}"
    )


def _closing_line(result: StageResult, folder: RunFolder) -> str:
    """The result of the training, in one line."""
    frozen = result.frozen_tensors
    proof = f"{frozen} frozen tensors unchanged" if frozen else "nothing was frozen"
    weights = {True: " with averaged weights", False: " with its own weights", None: ""}
    return (
        f"stage {result.stage}: best epoch {result.best_epoch} of {result.epochs}"
        f"{weights[result.averaged_weights]}, "
        f"val dice {result.scores['val/dice']:.4f}, val mIoU {result.scores['val/miou']:.4f}, "
        f"{result.seconds:.0f} s; {proof}; "
        f"{folder.checkpoints / 'best.ckpt'}"
    )
