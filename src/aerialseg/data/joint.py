"""Several data sets that are trained on together."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le

from aerialseg.data.augmentation import Augmentation
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.images.crops import DEFAULT_SCALE, CropShare
from aerialseg.data.images.headers import MAX_MEGAPIXELS, Megapixels
from aerialseg.data.loading.rare_classes import DEFAULT_TEMPERATURE, Temperature
from aerialseg.data.loading.set_weights import check_weights
from aerialseg.data.shared_settings import SharedSettings, shared_settings
from aerialseg.data.sources.cutting import WindowEdge
from aerialseg.data.sources.data_sources import Source, Sources
from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.seeds import Seed
from aerialseg.values.checked_calls import checked


@checked
def joint(
    parts: Mapping[str, object],
    *,
    sets: list[str] | Mapping[str, str] | None = None,
    classes: Mapping[str, list[int]] | str | None = None,
    weights: Mapping[str, float] | None = None,
    cache_dir: str | Path,
    image_min_size: Annotated[int, Ge(1)] | None,
    batch_size: Annotated[int, Ge(1)],
    num_workers: Annotated[int, Ge(0)],
    seed: Seed = 0,
    augmentation: Augmentation | None = None,
    crop_size: WindowEdge | tuple[WindowEdge, WindowEdge] | None = None,
    crop_scale: tuple[CropShare, CropShare] = DEFAULT_SCALE,
    rare_classes: Annotated[float, Ge(0), Le(1)] = 0,
    rare_class_temperature: Temperature = DEFAULT_TEMPERATURE,
    paste_rare: Annotated[float, Ge(0), Le(1)] = 0,
    mask_memory_mb: Annotated[int, Ge(0)] = 512,
    max_megapixels: Megapixels = MAX_MEGAPIXELS,
    window: WindowEdge | tuple[WindowEdge, WindowEdge] | None = None,
    window_cache_gb: Annotated[float, Ge(0)] = 32,
) -> AerialSegDataModule:
    """Several data sets as one, in batches that mix them; all arguments but ``parts`` hold for all.

    Args:
        parts: The data sets by name, an :class:`AerialSegDataModule` each.
        sets: Which of them, or a mapping from names to files in ``conf/data``. None: all parts.
        classes: The table that is trained, its path, or ``union``. None: that of all sets.
        weights: The share of each set in an epoch: ``{north: 1, south: 3}``. None: images once.
        cache_dir: Where counts, splits, masks and unpacked archives are kept; may be deleted.
        image_min_size: Length in pixels the smaller edge is resized to; None keeps the size.
        batch_size: Images in a batch; a last batch of one joins the batch before it.
        num_workers: Processes that decode and augment; 0 works in the main process.
        seed: Decides the order of every epoch, every crop and every augmentation.
        augmentation: What the training images go through; None leaves them as they are.
        crop_size: As of :class:`AerialSegDataModule`, for the images of every set.
        crop_scale: As of :class:`AerialSegDataModule`.
        rare_classes: As there; a sample is replaced by one of its own set, so that weights hold.
        rare_class_temperature: As there.
        paste_rare: As there; what is pasted into a sample is of its own set.
        mask_memory_mb: Most megabytes (10**6 bytes) of masks of all sets kept in memory.
        max_megapixels: Most millions of pixels of an image or a mask, asked of their headers.
        window: As of :class:`AerialSegDataModule`, for the images of every set.
        window_cache_gb: Most gigabytes (10**9 bytes) that windows of all sets take on disk.
    """
    images = (cache_dir, image_min_size, batch_size, num_workers, seed, augmentation)
    crops, rare = (crop_size, crop_scale), (rare_classes, rare_class_temperature, paste_rare)
    shared = shared_settings(*images, crops, rare, mask_memory_mb, window, window_cache_gb)
    return _together(parts, sets, classes, weights, shared, max_megapixels)


def _together(
    parts: Mapping[str, object],
    sets: list[str] | Mapping[str, str] | None,
    classes: Mapping[str, list[int]] | str | None,
    weights: Mapping[str, float] | None,
    shared: SharedSettings,
    max_megapixels: float,
) -> AerialSegDataModule:
    """The data module of :func:`joint`.

    Raises:
        ConfigError: If there is no such part, or none at all, or a set has no weight above 0.
    """
    chosen = _chosen(parts, sets, weights)
    common = partial(replace, cache_dir=shared.cache_dir, window=shared.window)
    given = {name: common(each).limited_to(max_megapixels) for name, each in chosen.items()}
    return AerialSegDataModule.of_sources(Sources(given, classes, weights), shared)


def _chosen(
    parts: Mapping[str, object],
    sets: list[str] | Mapping[str, str] | None,
    weights: Mapping[str, float] | None,
) -> dict[str, Source]:
    """The data sets that take part, by name, in their order, each with a weight if any has one."""
    names = list(parts if sets is None else sets)
    problems = [
        f"data.sets: there is no data.parts.{name}{did_you_mean(name, parts)}"
        for name in names
        if name not in parts
    ]
    if problems or not names:
        raise ConfigError(*(problems or ["data.sets: names no data set"]))
    chosen = {}
    for name in names:
        part = parts[name]
        if not isinstance(part, AerialSegDataModule) or part.sources.are_several:
            raise ConfigError(f"data.parts.{name}: is no single data set")
        chosen[name] = part.sources.given[""]
    if weights is not None:
        check_weights(weights, names, parts)
    return chosen
