"""Test-time augmentation: the views of an image that a network sees, and the way back from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le, Len
from torch import Tensor

from aerialseg.errors import ConfigError

Scales: TypeAlias = Annotated[list[Annotated[float, Ge(0.1), Le(10)]], Len(1, 16)]
"""Factors of the size at which a network would see an image without them."""

Flips: TypeAlias = Literal["none", "horizontal", "both"]
"""Which mirrored images are seen beside the image itself, as of :class:`Views`."""

AS_TRAINED: Scales = [1.0]
"""The size of training alone."""

_IMAGE = (-3, -2)
"""Rows and columns of ``(..., h, w, B)`` images."""
_LOGITS = (-2, -1)
"""Rows and columns of ``(..., C, h, w)`` logits."""

_MIRRORED: dict[Flips, tuple[tuple[int, ...], ...]] = {
    "none": ((),),
    "horizontal": ((), (1,)),
    "both": ((), (1,), (0,), (0, 1)),
}
"""Which axes each view is mirrored along: 0 turns rows around, 1 columns."""
_CALLED: dict[Flips, str] = {
    "none": "",
    "horizontal": "horizontal flip",
    "both": "horizontal and vertical flips",
}


@dataclass(frozen=True)
class Mirror:
    """One way to mirror an image, which undoes itself.

    Attributes:
        axes: 0 turns rows around, 1 columns, both is half a turn, none leaves the image as it is.
    """

    axes: tuple[int, ...]

    def of_images(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """``(N, h, w, B)`` images, mirrored."""
        return np.flip(images, tuple(_IMAGE[axis] for axis in self.axes))

    def of_logits(self, logits: Tensor) -> Tensor:
        """``(N, C, h, w)`` logits, or anything in their place, mirrored."""
        return logits.flip([_LOGITS[axis] for axis in self.axes])


@dataclass(frozen=True)
class Views:
    """What a network sees of an image: each scale, with each mirror.

    Attributes:
        scales: Factors of the size at which it would see the image without them.
        flips: ``none``; ``horizontal``, mirrored left to right too; ``both``, top to bottom too,
            and both at once, which makes four views of each scale.

    Raises:
        ConfigError: If a scale is there twice, which would count it twice.
    """

    scales: Sequence[float] = (1.0,)
    flips: Flips = "none"

    def __post_init__(self) -> None:
        scales = list(map(float, self.scales))
        if twice := [scale for scale in scales if scales.count(scale) > 1]:
            raise ConfigError(f"task.scales: {twice[0]:g} is there twice; give each scale once")

    @property
    def is_single(self) -> bool:
        """Whether there is one view, the image as in training."""
        return list(self.scales) == [1.0] and self.flips == "none"

    @property
    def mirrors(self) -> list[Mirror]:
        """The image itself first."""
        return [Mirror(axes) for axes in _MIRRORED[self.flips]]

    def __len__(self) -> int:
        """How many views there are."""
        return len(self.scales) * len(_MIRRORED[self.flips])

    def __str__(self) -> str:
        """As a score says how it came about: ``scales 1, 1.33, horizontal flip``."""
        if self.is_single:
            return "single scale"
        scales = ", ".join(f"{scale:g}" for scale in self.scales)
        word = "scale" if len(self.scales) == 1 else "scales"
        return ", ".join(filter(None, (f"{word} {scales}", _CALLED[self.flips])))


SINGLE_VIEW = Views()
"""The image as in training, once."""
