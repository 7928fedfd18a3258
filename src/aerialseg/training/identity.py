"""The identity of a run, which decides whether it may be resumed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aerialseg.config.schema import Experiment
from aerialseg.data.images.crops import DEFAULT_SCALE, crops_of
from aerialseg.data.loading.rare_classes import DEFAULT_TEMPERATURE
from aerialseg.data.sources.cutting import window_size
from aerialseg.errors import CheckpointError
from aerialseg.models.weights.loading import is_file_name
from aerialseg.storage.atomic_files import hash_file

_NOT_THE_RESULT = (
    *("accelerator", "devices", "log_every_n_steps", "num_sanity_val_steps", "max_time"),
    *("enable_progress_bar", "enable_model_summary", "enable_autolog_hparams", "profiler"),
    *("default_root_dir", "detect_anomaly", "inference_mode", "benchmark", "deterministic"),
)
"""Arguments of the trainer that say where, how long or with what reports a run is computed."""

_NOT_OF_DATA = (
    *("root", "classes", "split_seed", "cache_dir"),
    *("num_workers", "mask_memory_mb", "max_megapixels", "window_cache_gb"),
)
"""Keys of ``data`` that the data fingerprint covers, or that say how fast it is read."""
_OF_ALL_SETS = (
    *("image_min_size", "batch_size", "seed", "window"),
    *("crop_size", "crop_scale", "rare_classes", "rare_class_temperature", "paste_rare"),
)
"""Keys that one of several data sets has too, but which are taken from ``data``."""

_AVERAGE = "aerialseg.callbacks.ema.ExponentialMovingAverage"


def run_identity(
    experiment: Experiment, data_fingerprint: str, images_fingerprint: str
) -> dict[str, Any]:
    """Everything that decides the result of a run; no paths, workers or logging.

    Args:
        experiment: The config.
        data_fingerprint: Of what is learnt from, by the sizes of files.
        images_fingerprint: Of the content of the images: raster files of one shape have one size.
    """
    config = experiment.to_mapping()
    parent = parent_of(experiment)
    parts = ("seed", "model", "loss", "augmentation", "optimizer", "scheduler", "data", "stage")
    chosen = {part: config[part] for part in parts}
    for part, names in {
        "data": _NOT_OF_DATA,
        "model": ("weights",),  # covered by "parent" below
        "stage": ("from_run", "init_checkpoint"),
    }.items():
        chosen[part] = _without(chosen[part], names)
    if chosen["stage"]["fresh"] == "freeze":  # as in runs of older releases, which do not say it
        del chosen["stage"]["fresh"]
    chosen["data"] = _of_data_set(chosen["data"])
    if parts_of_data := chosen["data"].get("parts"):
        chosen["data"]["parts"] = {
            name: _of_data_set(_without(part, (*_NOT_OF_DATA, *_OF_ALL_SETS)))
            for name, part in parts_of_data.items()
        }
    # As the rest of compute: how it is computed, not what.
    function = _without(chosen["loss"]["function"], ("custom_gradients",))
    if not function.get("label_smoothing"):  # runs of older releases do not say that there is none
        function = _without(function, ("label_smoothing",))
    chosen["loss"] = _without(chosen["loss"], ("distillation",)) | {"function": function}
    if (distillation := config["loss"]["distillation"]) is not None:  # older runs had none
        contents = [teacher["sha256"] for teacher in teachers_of(experiment)]
        chosen["loss"]["distillation"] = distillation | {"teacher": contents}
    chosen["trainer"] = _without(config["trainer"], _NOT_THE_RESULT)
    chosen["early_stopping"] = config["callbacks"].get("early_stopping")
    monitor = _without(config["callbacks"].get("checkpoint", {}), ("folder", "every_n_epochs"))
    for node in config["callbacks"].values():
        if node.get("_target_") == _AVERAGE:  # not in runs of older releases
            chosen["ema"] = node
    return {
        **chosen,
        "checkpoint": monitor,
        "parent": parent.get("sha256") or parent.get("weights"),
        "data_fingerprint": data_fingerprint,
        "images_fingerprint": images_fingerprint,
    }


def parent_of(experiment: Experiment) -> dict[str, str | None]:
    """What a stage starts from: a checkpoint or weight file with its sha256, or a weight name.

    Raises:
        CheckpointError: If the file is missing.
    """
    start, weights = experiment.stage.init_checkpoint, experiment.model.weights
    if start is None and not is_file_name(weights):
        return {"weights": weights}
    path = Path(start or weights)
    if not path.is_file():
        stage = experiment.stage.name
        raise CheckpointError(f"{path}: no such file to start stage {stage} from")
    return {"path": str(path), "sha256": hash_file(path)}


def teachers_of(experiment: Experiment) -> list[dict[str, str]]:
    """Path and sha256 of each checkpoint that teaches a stage; empty if none does.

    Raises:
        CheckpointError: If a file is missing.
    """
    distillation = experiment.loss.distillation
    found = []
    for path in [] if distillation is None else map(Path, distillation.teachers):
        if not path.is_file():
            raise CheckpointError(f"loss.distillation.teacher: {path}: no such file")
        found.append({"path": str(path), "sha256": hash_file(path)})
    return found


def _of_data_set(data: Mapping[str, Any]) -> dict[str, Any]:
    """The node of a data set as runs of all releases say it."""
    chosen = dict(data)
    # Runs of older releases do not say that their images were whole, and served each once.
    if (window := window_size(chosen.pop("window", None))) is not None:
        chosen["window"] = list(window)
    scale = chosen.pop("crop_scale", DEFAULT_SCALE)
    if (crops := crops_of(chosen.pop("crop_size", None), scale)) is not None:
        chosen |= {"crop_size": list(crops.size), "crop_scale": list(crops.scale)}
    temperature = chosen.pop("rare_class_temperature", DEFAULT_TEMPERATURE)
    for name in ("rare_classes", "paste_rare"):
        if share := chosen.pop(name, 0):
            chosen[name] = share
            if temperature != DEFAULT_TEMPERATURE:
                chosen["rare_class_temperature"] = temperature
    if chosen.get("weights") is None:  # nor that all of their images were shown once
        chosen.pop("weights", None)
    if (table := chosen.pop("groups", None)) is not None:  # by content; older runs have none
        chosen["groups"] = hash_file(Path(str(table)).expanduser())
    if "layout" in chosen:  # the data fingerprint covers which split it finds
        chosen["layout"] = _without(chosen["layout"], ("split",))
    return chosen


def _without(mapping: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in names}
