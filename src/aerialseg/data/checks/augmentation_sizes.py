"""Checks that an augmentation leaves crops the size that all of a batch must have."""

import copy
import random
from typing import Any

import numpy as np

from aerialseg.errors import ConfigError

_SEEDS = 16
"""With so many, a turn by a random quarter is seen to change the size."""


def check_keeps_size(augmentation: Any, *, size: tuple[int, int], channels: int) -> None:  # noqa: ANN401 - any augmentation
    """Tries each transform of an augmentation a few times on a crop.

    Args:
        augmentation: An ``albumentations.Compose`` that was checked otherwise, or None.
        size: Height and width of crops, in pixels.
        channels: Their bands.

    Raises:
        ConfigError: If crops leave a transform in another size; says which.
    """
    for number, transform in enumerate(getattr(augmentation, "transforms", ())):
        certain = copy.deepcopy(transform)
        certain.p = 1.0 if certain.p else 0.0
        for seed in range(_SEEDS):
            certain.set_random_state(np.random.default_rng(seed), random.Random(seed))
            image = np.zeros((*size, channels), dtype=np.uint8)
            found = certain(image=image, mask=image[..., 0].copy())["image"].shape[:2]
            if found != size:
                square = round((size[0] * size[1]) ** 0.5)
                turned = found == size[::-1]
                advice = f"set a square data.crop_size={square}, or leave it out"
                raise ConfigError(
                    f"augmentation.transforms[{number}]: {type(transform).__name__} makes crops of "
                    f"{size[1]}x{size[0]} pixels {found[1]}x{found[0]}, but all of a batch need "
                    f"one size; {advice if turned else 'leave it out'}"
                )
