"""Running what a stage freezes once per picture instead of once per epoch, where that pays."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track

from aerialseg.config.schema import Experiment
from aerialseg.data.cache.features import Features, FeatureStore, missing_disk, write_features
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts.listing import Split
from aerialseg.errors import ConfigError, DataError
from aerialseg.inference.predictor import native_device
from aerialseg.models.frozen_prefix import FrozenPrefix
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.atomic_files import discard, remove_leftovers
from aerialseg.storage.fingerprints import fingerprint, stamp

logger = logging.getLogger(__name__)

_FORMAT = 1  # goes into the key; a new number computes anew
_SMALLEST = 2.0**-10  # of the largest feature: what is 16 times smaller loses digits
_SPLITS: tuple[Split, ...] = ("train", "val")


def cache_stage_features(
    experiment: Experiment,
    module: SegmentationModule,
    data: AerialSegDataModule,
    *,
    cache_dir: Path,
) -> bool:
    """:func:`cache_features` with the settings of an experiment; whether features are served."""
    trainer: Any = experiment.trainer
    limited = trainer.get("limit_train_batches") is not None
    cache_features(
        module,
        data,
        cache_dir=cache_dir,
        run_name=experiment.run_name,
        setting=experiment.stage.cache_features,
        device=native_device(trainer.get("accelerator", "auto")),
        short_run=limited or trainer.get("max_epochs") == 1,
    )
    return data.features is not None


def cache_features(
    module: SegmentationModule,
    data: AerialSegDataModule,
    *,
    cache_dir: Path,
    run_name: str,
    setting: Literal["auto", "on", "off"],
    device: str,
    short_run: bool,
) -> None:
    """Lets the data module serve features of the frozen part, as ``stage.cache_features`` says.

    They lie in ``<cache_dir>/features/<run_name>/KEY``, where the key changes with whatever they
    were made from. A run keeps one set: a stage that needs others, or none, removes it.

    Raises:
        ConfigError: If the setting is ``on`` and the features cannot be cached; says why.
    """
    folder = cache_dir / "features" / run_name
    wanted = setting
    reason = "" if wanted == "off" else _obstacle(module, data)
    if reason and wanted == "on":
        raise ConfigError(f"stage.cache_features: is on, but {reason}; set it to auto or off")
    prefix = module.frozen_prefix
    if prefix is None or wanted == "off" or reason or (wanted == "auto" and short_run):
        _remove_others(folder, keep="")
        return
    path = folder / _key(module, prefix, data)
    _remove_others(folder, keep=path.name)
    try:
        data.features = _open(path) or _make(path, module.to(device), prefix, data)
    except DataError as error:
        if wanted == "on":
            raise ConfigError(f"stage.cache_features: is on, but {error}") from error
        logger.info("the frozen part runs in every step: %s", error)


def _obstacle(module: SegmentationModule, data: AerialSegDataModule) -> str:
    """Why the features of a picture are not the same in every epoch; empty if they are."""
    if module.frozen_prefix is None:
        return "the network has no backbone of its own that this stage wholly freezes"
    if data.augmentation is not None and data.augmentation.transforms:
        return "this stage augments its pictures, so they differ in every epoch"
    if data.training_size is None:
        return "the pictures differ too much in size to be padded to one"
    return ""


def _key(module: SegmentationModule, prefix: FrozenPrefix, data: AerialSegDataModule) -> str:
    """What decides the features: frozen tensors, pictures, and how these are prepared."""
    tensors = [tensor.detach().cpu().numpy().tobytes() for tensor in prefix.tensors()]
    pictures = [
        (split, sample.id, stamp(sample.image))
        for split in _SPLITS
        for sample in data.samples(split)
    ]
    given = (module.description.mean, module.description.std, data.image_min_size)
    return fingerprint(
        _FORMAT, *tensors, prefix.depth, pictures, given, data.training_size, data.fingerprint
    )[:32]


def _open(path: Path) -> FeatureStore | None:
    if not path.exists():
        return None
    try:
        store = FeatureStore(path)
    except DataError as error:
        logger.warning("%s; they are computed again", error)
        discard(path)
        return None
    logger.info("features of the frozen part are there already, in %s", path)
    return store


def _make(
    path: Path, module: SegmentationModule, prefix: FrozenPrefix, data: AerialSegDataModule
) -> FeatureStore:
    loaders = {split: data.frozen_batches(split) for split in _SPLITS}
    count = sum(len(data.samples(split)) for split in _SPLITS)
    first = next(iter(loaders["train"]))["image"]
    size = sum(values.nbytes for values in _features(module, prefix, first[:1])[0].values())
    # A picture of another size has about as many more features as it has pixels.
    needed = size * count * _mean_pixels(data) // (first.shape[2] * first.shape[3])
    if missing := missing_disk(path, needed):
        raise DataError(
            f"features of {count} pictures need {needed / 1e9:.1f} GB in {path.parent}, "
            f"{missing / 1e9:.1f} GB more than may be used; point paths.cache_dir to a larger disk"
        )
    logger.info("features of %d pictures, once: %.0f MB into %s", count, needed / 1e6, path)

    def pictures() -> Iterator[tuple[str, int, Features]]:
        for split, loader in loaders.items():
            bar = track(loader, f"features of {split}", transient=True, disable=not _on_terminal())
            for batch in bar:
                rows = _features(module, prefix, batch["image"])
                for index, row in zip(batch["index"].tolist(), rows, strict=True):
                    yield split, index, row

    return write_features(path, pictures())


def _features(
    module: SegmentationModule, prefix: FrozenPrefix, images: torch.Tensor
) -> list[dict[str, npt.NDArray[np.float16]]]:
    """Of each picture of a batch, its features by head, channels last."""
    features = prefix.features(module.normalised(images.to(module.device)))
    halves = {
        head: values.permute(0, 2, 3, 1).to("cpu", torch.float16).numpy()
        for head, values in features.items()
    }
    for values in halves.values():
        if not _SMALLEST < float(np.abs(values).max()) < np.inf:  # also false for NaN
            raise DataError("the features are too large or too small for half precision")
    return [{head: values[row] for head, values in halves.items()} for row in range(len(images))]


def _mean_pixels(data: AerialSegDataModule) -> int:
    sizes = data.dataset("val").sizes() + data.dataset("train").sizes()
    return sum(height * width for height, width in sizes) // len(sizes)


def _remove_others(folder: Path, *, keep: str) -> None:
    remove_leftovers(folder)
    for other in folder.glob("*"):
        if other.name != keep and not other.name.startswith("."):  # hidden: still in the making
            with suppress(OSError):  # another job of the run may do so too
                discard(other)


def _on_terminal() -> bool:
    return Console().is_terminal
