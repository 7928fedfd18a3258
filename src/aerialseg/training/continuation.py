"""What becomes of a run that a stage's folder already holds: kept, resumed or extended."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerialseg.config.schema import Experiment
from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.storage.checkpoints import find_snapshot, read_checkpoint, read_description
from aerialseg.storage.run_folders import RunFolder, check_same_run

EXTENDABLE = (
    *("stage.epochs", "stage.learning_rate", "trainer.max_epochs", "optimizer.function.lr"),
    *("scheduler.total_iters", "scheduler.T_max", "scheduler.power", "scheduler.eta_min"),
    "early_stopping.patience",
)
"""What may differ from the run that is extended."""


@dataclass(frozen=True)
class Continuation:
    """A run that is gone on with.

    Attributes:
        folder: Its folder.
        is_complete: Whether there is nothing to train.
        extends: What is recorded of the run that this one extends; ``None`` if it extends none.
    """

    folder: RunFolder
    is_complete: bool
    extends: Mapping[str, Any] | None

    def snapshot(self) -> Path | None:
        """The checkpoint to go on from; ``None`` if the run has not got so far.

        Raises:
            CheckpointError: If none can be read, or a run to extend has none.
        """
        path = find_snapshot(self.folder.checkpoints)
        if path is None and self.extends is not None:
            raise CheckpointError(
                f"{self.folder.checkpoints}: has no checkpoint from which the run could be "
                "extended; existing=overwrite trains it anew"
            )
        return path

    def origin(self, snapshot: Path) -> str:
        """One line that says where training goes on."""
        if self.begins_at(snapshot) and self.extends is not None:
            return f"extends {self.extends['epochs']} epochs, from its own {snapshot}"
        return f"continues from its own {snapshot}"

    def begins_at(self, snapshot: Path) -> bool:
        """Whether a checkpoint is of the run that is extended, not of the extension."""
        if self.extends is None:
            return False
        epoch = read_description(read_checkpoint(snapshot), snapshot).epoch
        return epoch <= int(self.extends["epochs"])


def continuation(
    experiment: Experiment, folder: RunFolder, identity: Mapping[str, object]
) -> Continuation | None:
    """How a stage goes on with the run in its folder.

    Args:
        experiment: The config.
        folder: The folder of the stage.
        identity: What decides the result of the stage.

    Returns:
        The continuation; ``None`` if the stage starts anew.

    Raises:
        ConfigError: If the run differs in what must be the same, or would not become longer.
    """
    existing = experiment.existing
    if existing not in ("resume", "extend") or not folder.holds_run():
        return None
    may_differ = EXTENDABLE if existing == "extend" else ()
    changed = check_same_run(folder, identity, existing=existing, may_differ=may_differ)
    if not changed:
        return Continuation(folder, folder.is_complete(), folder.provenance().get("extends"))
    extended = folder.as_extended()
    if experiment.stage.epochs <= int(extended["epochs"]):
        raise ConfigError(
            f"existing=extend: {folder.path} has trained {extended['epochs']} epochs, and "
            f"stage.epochs={experiment.stage.epochs} counts them; set more"
        )
    return Continuation(folder, is_complete=False, extends=extended)
