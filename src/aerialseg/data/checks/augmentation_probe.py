"""Tries the augmentation on a few made-up samples before training."""

import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from albumentations import SelectiveChannelTransform, SomeOf
from albumentations.core.composition import BaseCompose, OneOf, OneOrOther

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.augmentation import Augmentation
from aerialseg.data.checks.augmentation_bands import without_colour
from aerialseg.errors import ConfigError

_SEEDS = 4
_LARGE = 4_000_000
"""Pixels of an image that is tried with fewer seeds, so that the probe stays quick."""

_REMEDIES = (
    {"fill_mask": IGNORE_INDEX},
    {"mask_drop_value": IGNORE_INDEX},
    {"mask_interpolation": 0},
    {"fill_mask": IGNORE_INDEX, "mask_interpolation": 0},
)
"""Arguments of Albumentations that may keep class ids intact; the first that helps is advised."""

_Data = dict[str, Any]


def check_augmentation(
    augmentation: object, *, num_classes: int, size: tuple[int, int], channels: int = 3
) -> None:
    """Checks that training images and masks leave an augmentation as they must be.

    Every transform, in compositions of any depth, is tried as if its probability were 1, on what
    the transforms before it give. Images must stay uint8 ``(H, W, B)``, masks uint8 ``(H, W)`` of
    the same size with the ids they had and 255; height and width may change.

    Args:
        augmentation: An ``albumentations.Compose``, or None.
        num_classes: Masks hold the ids below it.
        size: Height and width of the images that are tried, in pixels.
        channels: Their bands.

    Raises:
        ConfigError: With one line for each transform that breaks a rule, with what to set.
    """
    if augmentation is None:
        return
    if not isinstance(augmentation, BaseCompose):
        raise ConfigError(
            f"augmentation._target_: builds a {type(augmentation).__name__}; wanted "
            "albumentations.Compose with transforms: a list"
        )
    probe = _Probe(size[0] * size[1])
    start = _samples(num_classes, size, channels)
    probe.walk("augmentation", augmentation, start)
    if not probe.problems and augmentation.transforms:
        probe.try_whole(augmentation, start)
    if probe.problems:
        raise ConfigError(*dict.fromkeys(probe.problems))


def tried(
    augmentation: Augmentation | None, *, num_classes: int, size: tuple[int, int], channels: int
) -> Augmentation | None:
    """The augmentation, after :func:`check_augmentation` unless it has no transforms.

    Transforms that take RGB only are left out for images of other bands.

    Args:
        augmentation: Of the training images.
        num_classes: Masks hold the ids below it.
        size: Height and width of the smallest training image, in pixels.
        channels: Their bands.

    Raises:
        ConfigError: If it gives what cannot be trained on.
    """
    if getattr(augmentation, "transforms", True):
        augmentation = without_colour(augmentation, channels)
        check_augmentation(augmentation, num_classes=num_classes, size=size, channels=channels)
    return augmentation


@dataclass
class _Probe:
    """Collects what the transforms of an augmentation do wrong.

    Attributes:
        pixels: Of one image.
        problems: One line each.
    """

    pixels: int
    problems: list[str] = field(default_factory=list)

    def walk(self, path: str, part: object, given: Sequence[_Data]) -> list[_Data]:
        """Tries a transform or a composition; returns what the next one is given."""
        if getattr(part, "p", 1) <= 0:
            return list(given)
        if not isinstance(part, BaseCompose) or isinstance(part, SelectiveChannelTransform):
            return self._try_one(path, part, given)
        inner = [(f"{path}.transforms[{i}]", each) for i, each in enumerate(part.transforms)]
        if isinstance(part, OneOf | SomeOf | OneOrOther):
            # Any of them may be the first, so each is given the same.
            results = [self.walk(where, each, given) for where, each in inner]
            return results[0] if results else list(given)
        current = list(given)
        for where, each in inner:
            current = self.walk(where, each, current)
        return current

    def try_whole(self, augmentation: BaseCompose, given: Sequence[_Data]) -> None:
        """Tries all transforms together, for what only their combination does."""
        certain = copy.deepcopy(augmentation)
        _make_certain(certain)
        for before, result in self._results(certain, given):
            if text := _broken_rule(before, result):
                self.problems.append(f"augmentation: {type(augmentation).__name__} {text}")
                return

    def _try_one(self, path: str, transform: Any, given: Sequence[_Data]) -> list[_Data]:  # noqa: ANN401 - any transform
        """Tries one transform; what breaks a rule is reported and not handed on."""
        certain = copy.deepcopy(transform)
        _make_certain(certain)
        handed_on: dict[int, _Data] = {}
        for before, result in self._results(certain, given):
            if text := _broken_rule(before, result):
                name = type(transform).__name__
                self.problems.append(f"{path}: {name} {text}{self._advice(certain, given, text)}")
                return list(given)
            if isinstance(result, dict):
                handed_on.setdefault(id(before), result)
        return [handed_on[id(data)] for data in given]

    def _results(
        self,
        transform: Any,  # noqa: ANN401 - any transform
        given: Sequence[_Data],
    ) -> Iterator[tuple[_Data, _Data | Exception]]:
        """What a transform makes of every sample with a few seeds, or the exception it raises."""
        for seed in range(_SEEDS if self.pixels < _LARGE else 1):
            for data in given:
                transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
                try:
                    yield data, transform(**{name: array.copy() for name, array in data.items()})
                except Exception as error:  # other people's code may raise anything
                    yield data, error

    def _advice(self, transform: Any, given: Sequence[_Data], problem: str) -> str:  # noqa: ANN401 - any transform
        """What to set, if trying it shows that it helps."""
        for remedy in _REMEDIES:
            if not all(hasattr(transform, name) for name in remedy):
                continue
            changed = copy.deepcopy(transform)
            for name, value in remedy.items():
                setattr(changed, name, value)
            if not any(_broken_rule(*each) for each in self._results(changed, given)):
                return f"; set {' and '.join(f'{name}: {v}' for name, v in remedy.items())}"
        return "" if "; " in problem else "; leave it out"


def _make_certain(part: Any) -> None:  # noqa: ANN401 - any transform
    """Lets a transform, and those in it, always act; alternatives stay alternatives."""
    for inner in getattr(part, "transforms", ()):
        _make_certain(inner)
    if getattr(part, "p", 0) > 0 and not isinstance(part, OneOrOther):
        part.p = 1.0


def _broken_rule(before: _Data, result: _Data | Exception) -> str:
    """What is wrong with what a transform gave; empty if nothing is."""
    channels = before["image"].shape[2]
    if isinstance(result, Exception):
        reason = " ".join(f"{type(result).__name__}: {result}".split())
        return f"raises {reason}; correct its arguments or leave it out"
    return _image_problem(result.get("image"), channels) or _mask_problem(
        before["mask"], result.get("mask"), result["image"].shape[:2]
    )


def _image_problem(image: object, channels: int) -> str:
    """What is wrong with an image; empty if nothing is."""
    if not isinstance(image, np.ndarray):
        return (
            f"returns a {type(image).__name__} instead of a uint8 array; leave it out, images "
            "become tensors after the augmentation"
        )
    if image.dtype != np.uint8:
        return (
            f"returns {image.dtype} images instead of uint8; leave it out, the network normalises "
            "them by model.mean and model.std"
        )
    if image.ndim != 3 or image.shape[2] != channels or 0 in image.shape:
        return f"returns images of shape {image.shape} instead of (height, width, {channels})"
    return ""


def _mask_problem(before: npt.NDArray[Any], mask: object, size: tuple[int, ...]) -> str:
    """What is wrong with a mask, given what it was and the size of its image."""
    if not isinstance(mask, np.ndarray) or mask.dtype != np.uint8:
        kind = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
        return f"returns masks of type {kind} instead of uint8"
    if mask.shape != size:
        return f"returns images of shape {size} with masks of shape {mask.shape}"
    new = np.setdiff1d(mask, [*np.unique(before), IGNORE_INDEX]).tolist()
    if new:
        found = ", ".join(map(str, new[:4])) + (", ..." if len(new) > 4 else "")
        return f"gives masks pixels of class {found} that were of another class"
    return ""


def _samples(num_classes: int, size: tuple[int, int], channels: int) -> list[_Data]:
    """An image with two masks: 255 and every other class, then 255 and the remaining classes.

    Whatever class a transform fills with or invents is missing in one of them. Blocks of
    neighbouring ids lie side by side, so that interpolation shows.
    """
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (*size, channels), dtype=np.uint8)
    samples = []
    for first in (0, 1):
        ids = np.array([*range(first, num_classes, 2), IGNORE_INDEX], dtype=np.uint8)
        blocks = generator.integers(0, len(ids), (-(-size[0] // 16), -(-size[1] // 16)))
        mask = ids[blocks].repeat(16, 0).repeat(16, 1)[: size[0], : size[1]]
        samples.append({"image": image, "mask": np.ascontiguousarray(mask)})
    return samples
