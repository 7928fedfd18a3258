"""Leaves transforms of colour out of the augmentation of images that are not RGB."""

import copy
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from albumentations.core.composition import BaseCompose

from aerialseg.data.notices import say_once
from aerialseg.durations import counted

logger = logging.getLogger(__name__)

_RGB = 3
_EDGE = 64  # pixels of the images that are tried
_ADVICE = "augmentation=drone_bands has light for any number of bands"


def without_colour(augmentation: Any, channels: int) -> Any:  # noqa: ANN401 - any augmentation
    """An augmentation without the transforms that take RGB but not images of so many bands.

    A warning names them. What takes neither is left in, for the probe to report.

    Args:
        augmentation: An ``albumentations.Compose``; anything else is returned as it is.
        channels: The bands of the images.
    """
    if channels == _RGB or not isinstance(augmentation, BaseCompose):
        return augmentation
    kept = copy.deepcopy(augmentation)
    left_out: list[str] = []
    _filter(kept, lambda part: _takes(part, channels) or not _takes(part, _RGB), left_out)
    if left_out:
        names = ", ".join(dict.fromkeys(left_out))
        line = f"augmentation: without {names}, of RGB only, on {counted(channels, 'band')}"
        say_once(logger, logging.WARNING, f"{line}; {_ADVICE}")
    return kept


def _filter(part: BaseCompose, keeps: Callable[[Any], bool], left_out: list[str]) -> None:
    """Removes transforms from a composition, and compositions that have none left."""
    kept = []
    for inner in part.transforms:
        if isinstance(inner, BaseCompose):
            had = bool(inner.transforms)
            _filter(inner, keeps, left_out)
            if inner.transforms or not had:
                kept.append(inner)
        elif keeps(inner):
            kept.append(inner)
        else:
            left_out.append(type(inner).__name__)
    part.transforms = kept


def _takes(transform: Any, channels: int) -> bool:  # noqa: ANN401 - any transform
    """Whether a transform, as if its probability were 1, takes an image of so many bands."""
    tried = copy.deepcopy(transform)
    tried.p = 1.0
    image = np.random.default_rng(0).integers(0, 256, (_EDGE, _EDGE, channels), dtype=np.uint8)
    try:
        result = tried(image=image, mask=np.zeros((_EDGE, _EDGE), dtype=np.uint8))
    except Exception:  # other people's code may raise anything
        return False
    return bool(np.shape(result["image"])[2:] == (channels,))
