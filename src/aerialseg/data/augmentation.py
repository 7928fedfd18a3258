"""What the training images go through, seeded so that a resumed run repeats it."""

import random
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from aerialseg.errors import DataError


class Augmentation(Protocol):
    """What the data set needs of an ``albumentations.Compose``."""

    transforms: Sequence[Any]

    def __call__(self, **data: npt.NDArray[np.uint8]) -> dict[str, Any]:
        """Transforms ``image`` and ``mask`` together."""
        ...

    def set_random_state(
        self, random_generator: np.random.Generator, py_random: random.Random
    ) -> None:
        """Makes every transform, nested ones too, draw from these two."""
        ...


def augmented(
    augmentation: Augmentation,
    arrays: dict[str, npt.NDArray[np.uint8]],
    *,
    seeds: tuple[int, int, int],
) -> dict[str, npt.NDArray[np.uint8]]:
    """Applies an augmentation to an image and its mask.

    Args:
        augmentation: Which one.
        arrays: ``image`` ``(H, W, B)`` uint8 and, unless there is none, ``mask`` ``(H, W)`` uint8.
        seeds: Seed, epoch and index, which alone decide what is drawn.

    Raises:
        DataError: If it raises anything.
    """
    # Not set_random_seed: it starts every transform from the same number, so that with p=0.5
    # all of them act or none does. Two generators shared by all are independent, and faster.
    augmentation.set_random_state(
        np.random.default_rng(seeds), random.Random(" ".join(map(str, seeds)))
    )
    try:
        changed = augmentation(**arrays)
    except Exception as error:  # a user's transforms may raise anything; the sample matters
        reason = " ".join(str(error).split())
        raise DataError(f"augmentation failed: {type(error).__name__}: {reason}") from error
    return {name: _in_order(changed[name]) for name in arrays}


def _in_order(array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The array as torch takes it; a flipped edge of one pixel counts as contiguous for NumPy."""
    return array.copy(order="C") if min(array.strides) < 0 else np.ascontiguousarray(array)
