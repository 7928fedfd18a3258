"""The result of a finished run: best epoch, cost, and proof that frozen tensors are unchanged."""

from collections.abc import Mapping

from torch import Tensor

from aerialseg.errors import TrainingError
from aerialseg.models.freeze_proof import changed_tensors, frozen_state
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.checkpoints import network_state, read_checkpoint, read_description
from aerialseg.storage.run_folders import RunFolder
from aerialseg.storage.stage_result import StageResult


def stage_result(
    module: SegmentationModule,
    folder: RunFolder,
    *,
    seconds: float,
    frozen_before: Mapping[str, Tensor],
) -> StageResult:
    """The scores of the best epoch, the cost of the run, and the check of the frozen tensors.

    Args:
        module: The module after training.
        folder: The run folder with its checkpoints.
        seconds: The training time.
        frozen_before: What :func:`~aerialseg.models.freeze_proof.frozen_state` gave before
            training; compared bit for bit with the network and with both checkpoints.

    Raises:
        TrainingError: If no epoch had a score, or a frozen tensor has changed.
    """
    best, last = folder.checkpoints / "best.ckpt", folder.checkpoints / "last.ckpt"
    if not best.exists():
        raise TrainingError(
            f"{folder.path}: no epoch had a score, so there is no best checkpoint; "
            "look at the loss curve, lower stage.learning_rate, check callbacks.checkpoint.monitor"
        )
    _check_frozen(frozen_before, module, folder)
    description = read_description(read_checkpoint(best), best)
    parameters = list(module.network.parameters())
    return StageResult(
        scores=description.metrics,
        stage=description.stage,
        best_epoch=description.epoch,
        epochs=read_description(read_checkpoint(last), last).epoch,
        seconds=round(seconds, 1),
        trainable_parameters=sum(p.numel() for p in parameters if p.requires_grad),
        total_parameters=sum(p.numel() for p in parameters),
        fresh_groups=[group.name for group in module.plan.fresh_below],
        frozen_tensors=len(frozen_before),
        frozen_unchanged=True,
        averaged_weights=description.averaged_weights,
    )


def _check_frozen(
    before: Mapping[str, Tensor], module: SegmentationModule, folder: RunFolder
) -> None:
    """Compares the frozen tensors with the network and both checkpoints, bit for bit."""
    states = {"network": frozen_state(module.plan)}
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
            "this is a bug: please report it with the config"
        )
