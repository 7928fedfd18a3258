"""Running what a stage freezes once per image instead of once per epoch, where that pays."""

import gc
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from torch import nn

from aerialseg.config.schema import Experiment
from aerialseg.data.cache.features import FeatureStore, open_features
from aerialseg.data.cache.store import CacheError, entry_folder, go_without
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.errors import AerialsegError, ConfigError
from aerialseg.inference.predictor import native_device
from aerialseg.models.frozen_prefix import FrozenPrefix
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.atomic_files import hash_file, remove_folder, remove_leftovers
from aerialseg.storage.fingerprints import stamp
from aerialseg.training.frozen_features import SPLITS, compute_features

logger = logging.getLogger(__name__)

_TAUGHT = "the teachers of loss.distillation need the images, of which features are not enough"
_METHOD = 1  # goes into the key; a new number computes anew


def cache_stage_features(
    experiment: Experiment,
    module: SegmentationModule,
    data: AerialSegDataModule,
    *,
    cache_dir: Path,
) -> bool:
    """:func:`cache_features` with the settings of an experiment.

    Returns:
        Whether the data module serves features.
    """
    trainer: Any = experiment.trainer
    cache_features(
        module,
        data,
        cache_dir=cache_dir,
        run_name=experiment.run_name,
        setting=experiment.stage.cache_features,
        device=native_device(trainer.get("accelerator", "auto")),
        short_run=is_short_run(trainer.get("max_epochs"), trainer.get("limit_train_batches")),
    )
    return data.loaders.features is not None


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
    """Lets the data module serve features of the frozen part instead of images.

    They lie in ``<cache_dir>/features/<run_name>/KEY``, where the key changes with whatever they
    were made from. A run keeps one set: a stage that needs others, or none, removes it.

    Args:
        module: The stage's module; it is moved to ``device`` where features are computed.
        data: The stage's data.
        cache_dir: Where the features are kept.
        run_name: Of the run that they belong to.
        setting: ``on`` caches or raises, ``auto`` caches where it can and pays, ``off`` never.
        device: Computes the features.
        short_run: Whether training ends too soon for features to pay; see :func:`is_short_run`.

    Raises:
        ConfigError: If the setting is ``on`` and the features cannot be cached; says why.
    """
    kind = f"features/{run_name}"
    reason = "" if setting == "off" else _obstacle(module, data)
    if reason and setting == "on":
        raise ConfigError(f"stage.cache_features: is on, but {reason}; set it to auto or off")
    prefix = module.frozen_prefix
    if prefix is None or setting == "off" or reason or (setting == "auto" and short_run):
        if reason == _TAUGHT and not short_run:  # the one reason that a choice of the user's adds
            logger.info("the frozen part runs in every step: %s", reason)
        _remove_others(cache_dir / kind, keep="")
        return
    folder = entry_folder(cache_dir, kind, *_made_from(module, prefix, data))
    _remove_others(folder.parent, keep=folder.name)
    try:
        store = _open(folder) or compute_features(folder, module.to(device), prefix, data)
    except AerialsegError as error:
        if setting == "on":
            raise ConfigError(f"stage.cache_features: is on, but {error}") from error
        if isinstance(error, CacheError):
            go_without(cache_dir, error)
        logger.info("the frozen part runs in every step: %s", error)
    else:
        data.loaders.serve_features(store)


def is_short_run(
    max_epochs: int | None,
    limit_train_batches: int | float | None,
) -> bool:
    """Whether training is over before it has seen every image twice."""
    return max_epochs == 1 or limit_train_batches is not None


def _obstacle(module: SegmentationModule, data: AerialSegDataModule) -> str:
    """Why the features of an image are not the same in every epoch; empty if they are."""
    if module.frozen_prefix is None:
        return "the network has no backbone of its own that this stage wholly freezes"
    if data.crops is not None:
        return "training shows random crops (data.crop_size), so they differ in every epoch"
    if data.rare.pasted:
        return (
            "training pastes objects into images (data.paste_rare), so they differ in every epoch"
        )
    if data.augmentation is not None and data.augmentation.transforms:
        return "this stage augments its images, so they differ in every epoch"
    if data.training_size is None:
        return "the images differ too much in size to be padded to one"
    if module.distillation is not None:
        return _TAUGHT
    return ""


def _made_from(
    module: SegmentationModule, prefix: FrozenPrefix, data: AerialSegDataModule
) -> tuple[object, ...]:
    """What decides the features: frozen tensors, images, and how these are prepared."""
    tensors = [tensor.detach().cpu().numpy().tobytes() for tensor in prefix.tensors()]
    images = [
        (split, sample.id, stamp(sample.image))
        for split in SPLITS
        for sample in data.samples(split)
    ]
    said = module.description
    given: tuple[object, ...] = (said.mean, said.std, data.image_min_size)
    given += () if said.value_range is None else (said.value_range,)
    code = _code_of(module.network)
    size = data.training_size
    return (_METHOD, *tensors, prefix.depth, code, images, given, size, data.fingerprint)


def _code_of(network: nn.Module) -> list[str]:
    """Hashes of the files that define a network's parts; those of torch and torchvision left out.

    The tensors of a network of the user's own may stay the same while its ``forward`` changes.
    """
    names = {type(part).__module__ for part in network.modules()}
    own = [name for name in sorted(names) if name.partition(".")[0] not in ("torch", "torchvision")]
    files = [getattr(sys.modules.get(name), "__file__", None) for name in own]
    return [hash_file(Path(file)) for file in files if file is not None]


def _open(folder: Path) -> FeatureStore | None:
    store = open_features(folder)
    if store is not None:
        logger.info("features of the frozen part are there already, in %s", folder)
    return store


def _remove_others(folder: Path, *, keep: str) -> None:
    """Removes the features of other stages."""
    others = []
    with suppress(OSError):  # what cannot be removed does no harm
        remove_leftovers(folder)
        # Hidden ones are still in the making.
        others = [o for o in folder.glob("*") if o.name != keep and not o.name.startswith(".")]
    if others:
        # What is left of an earlier stage may have them mapped, and Windows would not remove them.
        gc.collect()
    for other in others:
        with suppress(AerialsegError):
            remove_folder(other)
