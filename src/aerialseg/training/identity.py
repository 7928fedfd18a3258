"""What makes two runs the same run."""

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.training.build import parent_of


def run_identity(cfg: DictConfig, data: AerialSegDataModule) -> dict[str, Any]:
    """What decides the result of a run, without where things lie and how they are shown."""
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    parent = parent_of(cfg)
    parts = ("seed", "model", "loss", "augmentation", "optimizer", "scheduler", "data", "stage")
    chosen = {part: config[part] for part in parts}
    for part, names in {
        # The fingerprint has the classes.
        "data": ("root", "classes", "cache_dir", "num_workers", "mask_memory_mb", "max_megapixels"),
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
        "data_fingerprint": data.fingerprint,
    }


def _without(mapping: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in names}
