"""The images on which an exported model is compared with its network in torch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.resizing import resize_to
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
        source: What they are, in words, for the certificate.
        count: How many there are, 1 or more.
        load: From an index to the image ``(H, W, B)`` uint8, and its mask ``(H, W)`` uint8 or None.
        are_labelled: Whether all have masks.
    """

    source: str
    count: int
    load: Callable[[int], tuple[Image, Image | None]]
    are_labelled: bool = False

    def __iter__(self) -> Iterator[tuple[Image, Image | None]]:
        return map(self.load, range(self.count))

    def evenly(self, most: int) -> "ComparedImages":
        """At most so many of them, at even steps."""
        if self.count <= most:
            return self
        steps = [index * self.count // most for index in range(most)]
        source = f"{most} of {self.source}"
        return ComparedImages(
            source, most, lambda index: self.load(steps[index]), self.are_labelled
        )

    def halves(self) -> tuple["ComparedImages", "ComparedImages"]:
        """Every second image, and the others; of one image it itself, twice."""
        if self.count == 1:
            return self, self
        even, odd = (self.count + 1) // 2, self.count // 2
        return (
            ComparedImages(self.source, even, lambda i: self.load(2 * i), self.are_labelled),
            ComparedImages(self.source, odd, lambda i: self.load(2 * i + 1), self.are_labelled),
        )


def generated_scenes(channels: int, *, size: tuple[int, int] = _SCENE_SIZE) -> ComparedImages:
    """Aerial scenes that are drawn from a fixed seed; other channels repeat red, green and blue."""

    def load(index: int) -> tuple[Image, None]:
        image, _ = render_scene(_SEED, _SCENE_SIZE, sequence=index)
        bands = np.ascontiguousarray(image[..., np.arange(channels) % 3])
        return resize_to(bands, size, is_mask=False), None

    return ComparedImages(counted(_SCENES, "generated scene"), _SCENES, load)
