"""Settings of a data module that hold for all of its data sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aerialseg.data.augmentation import Augmentation
from aerialseg.data.images.crops import Crops, crops_of
from aerialseg.data.loading.rare_classes import RareSettings
from aerialseg.data.sources.cutting import window_size


@dataclass(frozen=True, eq=False)
class SharedSettings:
    """How samples are served, whatever data set they are of; as the arguments of the data module.

    Args:
        cache_dir: Where what is computed is kept.
        image_min_size: Length in pixels the smaller edge is resized to; None keeps the size.
        batch_size: Images in a batch.
        num_workers: Processes that decode and augment.
        seed: Decides the order of every epoch and every augmentation.
        augmentation: What the training images go through.
        crops: Which crops of the training images are shown; None for whole images.
        rare: What is done for rare classes.
        mask_memory_mb: Most megabytes of masks kept in memory.
        window: Height and width of the windows of larger images.
        window_cache_gb: Most gigabytes of pixels of windows on disk.
    """

    cache_dir: Path
    image_min_size: int | None
    batch_size: int
    num_workers: int
    seed: int
    augmentation: Augmentation | None
    crops: Crops | None
    rare: RareSettings
    mask_memory_mb: int
    window: tuple[int, int] | None
    window_cache_gb: float


def shared_settings(
    cache_dir: str | Path,
    image_min_size: int | None,
    batch_size: int,
    num_workers: int,
    seed: int,
    augmentation: Augmentation | None,
    crops: tuple[int | Sequence[int] | None, Sequence[float]],
    rare: tuple[float, float, float],
    mask_memory_mb: int,
    window: int | Sequence[int] | None,
    window_cache_gb: float,
) -> SharedSettings:
    """The settings from the arguments of a data module, of which ``crops`` are size and scale.

    ``rare`` are the arguments of :class:`RareSettings`.

    Raises:
        ConfigError: If the numbers of crops or windows are not what they must be.
    """
    return SharedSettings(
        *(Path(cache_dir).expanduser(), image_min_size, batch_size, num_workers, seed),
        *(augmentation, crops_of(*crops), RareSettings(*rare), mask_memory_mb, window_size(window)),
        window_cache_gb,
    )
