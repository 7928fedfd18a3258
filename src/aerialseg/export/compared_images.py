"""The images on which an exported model is compared with its network in torch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.durations import counted
from aerialseg.scenes import render_scene

Image: TypeAlias = npt.NDArray[np.uint8]

_SCENES = 6
_SCENE_SIZE = (288, 384)
_SEED = 20


@dataclass(frozen=True)
class ComparedImages:
    """Images, and their labels if there are some, read when they are needed.

    Attributes:
        kind: What they are, in the singular, for the certificate.
        count: How many there are, 1 or more.
        load: From an index to the image ``(H, W, B)`` uint8, and its mask ``(H, W)`` uint8 or None.
        are_labelled: Whether all have masks.
        place: Where they are from, in words.
    """

    kind: str
    count: int
    load: Callable[[int], tuple[Image, Image | None]]
    are_labelled: bool = False
    place: str = ""

    @property
    def source(self) -> str:
        """How many they are, and what."""
        return f"{counted(self.count, self.kind)}{self.place}"

    def __iter__(self) -> Iterator[tuple[Image, Image | None]]:
        return map(self.load, range(self.count))

    def evenly(self, most: int) -> "ComparedImages":
        """At most so many of them, at even steps."""
        count = min(most, self.count)
        return self._chosen([index * self.count // count for index in range(count)])

    def halves(self) -> tuple["ComparedImages", "ComparedImages"]:
        """Every second image from the first, and the others; of one image it itself, twice."""
        order = list(range(self.count))
        return self._chosen(order[::2]), self._chosen(order[1::2] or order)

    def _chosen(self, order: Sequence[int]) -> "ComparedImages":
        return replace(self, count=len(order), load=lambda index: self.load(order[index]))


def generated_scenes(channels: int) -> ComparedImages:
    """Aerial scenes that are drawn from a fixed seed; other channels repeat red, green and blue."""

    def load(index: int) -> tuple[Image, None]:
        image, _ = render_scene(_SEED, _SCENE_SIZE, sequence=index)
        return np.ascontiguousarray(image[..., np.arange(channels) % 3]), None

    return ComparedImages("generated scene", _SCENES, load)
