"""The identity of a run, which decides whether it may be resumed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aerialseg.config.schema import Experiment
from aerialseg.errors import CheckpointError
from aerialseg.models.weights.loading import is_file_name
from aerialseg.storage.atomic_files import hash_file


def run_identity(experiment: Experiment, data_fingerprint: str) -> dict[str, Any]:
    """Everything that decides the result of a run; no paths, workers or logging."""
    config = experiment.to_mapping()
    parent = parent_of(experiment)
    parts = ("seed", "model", "loss", "augmentation", "optimizer", "scheduler", "data", "stage")
    chosen = {part: config[part] for part in parts}
    for part, names in {
        # The data fingerprint covers the classes.
        "data": ("root", "classes", "cache_dir", "num_workers", "mask_memory_mb", "max_megapixels"),
        "model": ("weights",),  # covered by "parent" below
        "stage": ("from_run", "init_checkpoint"),
    }.items():
        chosen[part] = _without(chosen[part], names)
    # As the rest of compute: how it is computed, not what.
    function = _without(chosen["loss"]["function"], ("custom_gradients",))
    chosen["loss"] = chosen["loss"] | {"function": function}
    chosen["trainer"] = _without(
        config["trainer"], ("accelerator", "devices", "log_every_n_steps", "num_sanity_val_steps")
    )
    chosen["early_stopping"] = config["callbacks"].get("early_stopping")
    monitor = _without(config["callbacks"].get("checkpoint", {}), ("folder", "every_n_epochs"))
    return {
        **chosen,
        "checkpoint": monitor,
        "parent": parent.get("sha256") or parent.get("weights"),
        "data_fingerprint": data_fingerprint,
    }


def parent_of(experiment: Experiment) -> dict[str, str | None]:
    """What a stage starts from: a checkpoint or weight file with its sha256, or a weight name.

    Raises:
        CheckpointError: If the file is missing.
    """
    start, weights = experiment.stage.init_checkpoint, experiment.model.weights
    if start is None and not is_file_name(weights):
        return {"weights": weights}
    path = Path(start or weights).expanduser()
    if not path.is_file():
        stage = experiment.stage.name
        raise CheckpointError(f"{path}: no such file to start stage {stage} from")
    return {"path": str(path), "sha256": hash_file(path)}


def _without(mapping: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in names}
