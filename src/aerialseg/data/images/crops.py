"""Crops: rectangles of random size and place that training shows at one size.

A crop has the shape of ``crop_size``. Its edges are a share of those of the largest rectangle of
that shape which the image holds::

    +----------- image ------------+
    |  ..........................  |    the dotted rectangle: the largest one, share 1
    |  :            +--------+  :  |    the crop: here share 0.4, anywhere in the image
    |  :            |  crop  |  :  |
    |  :            +--------+  :  |    a crop never leaves the image, so none is padded
    |  :........................:  |
    +------------------------------+
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
from annotated_types import Gt, Le

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.windows import Box
from aerialseg.errors import ConfigError

CropShare: TypeAlias = Annotated[float, Gt(0), Le(1)]
"""Edges of a crop relative to those of the largest one in the image."""

DEFAULT_SCALE: tuple[CropShare, CropShare] = (0.45, 1.0)
"""The least and the greatest share where none are said."""

_SHRINKS = (8, 4, 2)
"""Powers of two by which libjpeg can decode an image smaller, in less time."""

_REST = 2
"""How many times a crop is still shrunk after that, at least: edges in it are then weaker by at
most 7 % than where the image is decoded at its size. With 1 it would be up to 18 %."""


@dataclass(frozen=True, slots=True)
class Crop:
    """One crop of an image.

    Attributes:
        box: In pixels of the image. Its edges are multiples of ``shrink``.
        shrink: 1, 2, 4 or 8: the image may be decoded this many times smaller, since the crop
            then still has twice the height and width that it is shown with.
    """

    box: Box
    shrink: int


@dataclass(frozen=True, slots=True)
class Crops:
    """Which crops are drawn.

    Attributes:
        size: Height and width that every crop is resized to, in pixels.
        scale: The least and the greatest share, above 0 and at most 1, of the edges of the largest
            rectangle of this shape in the image. All shares between are equally likely.
    """

    size: tuple[int, int]
    scale: tuple[float, float]

    def draw(
        self,
        image: tuple[int, int],
        random: np.random.Generator,
        *,
        pixel: tuple[int, int] | None = None,
    ) -> Crop:
        """A crop of random size at a random place.

        Args:
            image: Height and width of the image.
            random: What is drawn depends on its state alone.
            pixel: Row and column of a pixel that the crop must hold; None for any crop.
        """
        share = self.scale[0] + (self.scale[1] - self.scale[0]) * random.random()
        wanted = [max(1, round(edge * share)) for edge in self._largest(image)]
        height, width = (min(edges) for edges in zip(wanted, image, strict=True))
        shrink = self._shrink(image, (height, width))
        height, width = height - height % shrink, width - width % shrink
        top = _start(image[0], height, shrink, random, None if pixel is None else pixel[0])
        left = _start(image[1], width, shrink, random, None if pixel is None else pixel[1])
        return Crop(Box(top, left, height, width), shrink)

    def draw_labelled(
        self,
        mask: npt.NDArray[np.uint8],
        random: np.random.Generator,
        *,
        class_id: int | None = None,
    ) -> Crop:
        """As :meth:`draw`, but the crop holds a pixel with a label if the image has any.

        Args:
            mask: ``(H, W)`` uint8 class ids of the whole image; 255 is no label.
            random: As of :meth:`draw`.
            class_id: The class of which the crop must hold a pixel; None for any class. A class
                that the mask does not hold is no wish.
        """
        size = (mask.shape[0], mask.shape[1])
        if class_id is None:
            crop = self.draw(size, random)
            if (crop.box.of(mask) != IGNORE_INDEX).any():
                return crop
            places = np.flatnonzero(mask != IGNORE_INDEX)
        else:
            places = np.flatnonzero(mask == class_id)
        if not len(places):
            return self.draw(size, random)
        row, column = divmod(int(random.choice(places)), size[1])
        return self.draw(size, random, pixel=(row, column))

    def zooms(self, image: tuple[int, int]) -> tuple[float, float]:
        """How large crops show what an image of this size shows: from, to; 1 is as it is stored."""
        whole = self.size[0] / self._largest(image)[0]
        return whole / self.scale[1], whole / self.scale[0]

    def share_of(self, box: Box, image: tuple[int, int]) -> float:
        """The share, above 0 and about at most 1, that a crop of an image has."""
        return box.height / self._largest(image)[0]

    def _largest(self, image: tuple[int, int]) -> tuple[float, float]:
        """Height and width of the largest rectangle of the shape in an image."""
        ratio = min(edge / own for edge, own in zip(image, self.size, strict=True))
        return self.size[0] * ratio, self.size[1] * ratio

    def _shrink(self, image: tuple[int, int], box: tuple[int, int]) -> int:
        """How many times smaller an image may be decoded for a crop of this height and width."""
        for times in _SHRINKS:
            even = all(edge % times == 0 for edge in image)
            least = [_REST * times * edge for edge in self.size]
            if even and all(b >= edge for b, edge in zip(box, least, strict=True)):
                return times
        return 1


def crops_of(size: int | Sequence[int] | None, scale: Sequence[float]) -> Crops | None:
    """The crops that ``data.crop_size`` and ``data.crop_scale`` say; None for none.

    Args:
        size: Height and width, or one number for a square.
        scale: The least and the greatest share.

    Raises:
        ConfigError: If there are more or fewer numbers, or the shares are in the wrong order.
    """
    if size is None:
        return None
    edges = (size, size) if isinstance(size, int) else tuple(size)
    if len(edges) != 2 or min(edges) < 1:
        raise ConfigError(
            f"data.crop_size: is {size}; wanted one number of pixels, or [height, width]"
        )
    low_and_high = tuple(scale)
    if len(low_and_high) != 2 or not 0 < low_and_high[0] <= low_and_high[1] <= 1:
        raise ConfigError(
            f"data.crop_scale: is {list(scale)}; wanted [low, high], the least and the greatest "
            "share of the largest rectangle, above 0 and at most 1"
        )
    return Crops((edges[0], edges[1]), (low_and_high[0], low_and_high[1]))


def _start(
    length: int, part: int, step: int, random: np.random.Generator, holds: int | None
) -> int:
    """Where a part of an edge begins: a multiple of ``step``, each of them equally likely.

    Args:
        length: Of the edge.
        part: Its length, of which ``step`` is a divisor unless it is 1.
        step: What the place is a multiple of.
        random: Draws.
        holds: A place along the edge that the part must hold; None for any part.
    """
    first, last = 0, length - part
    if holds is not None:
        first, last = max(first, holds - part + 1), min(last, holds)
    return step * int(random.integers(-(-first // step), last // step + 1))
