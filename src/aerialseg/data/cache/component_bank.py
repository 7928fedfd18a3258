"""The bank of components that are pasted: pixels and shapes, in one entry of the cache.

It is mapped into memory, so that all workers of a loader share it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.array_files import Array
from aerialseg.data.cache.store import Entry


class Column(IntEnum):
    """What the table says of each component."""

    HEIGHT = 0
    WIDTH = 1
    CLASS = 2
    SAMPLE = 3  # index of the training sample that it was cut from


@dataclass(frozen=True)
class InMemory:
    """The arrays of a bank where the cache cannot be written to."""

    arrays: Mapping[str, Array]


@dataclass(frozen=True)
class Cutout:
    """A component with the image's pixels.

    Attributes:
        pixels: ``(h, w, B)`` uint8, 0 outside the component.
        shape: ``(h, w)`` uint8, 1 in the component and 0 outside.
        sample: Index of the training sample that it was cut from.
        class_id: Its class.
        factor: What its edges are multiplied with where whole images, or crops of share 1, are
            shown.
    """

    pixels: npt.NDArray[np.uint8]
    shape: npt.NDArray[np.uint8]
    sample: int
    class_id: int
    factor: float

    def arrays(self) -> dict[str, Array]:
        """What it adds to the arrays of a bank, by name."""
        height, width, bands = self.pixels.shape
        table = [[height, width, self.class_id, self.sample]]
        return {
            "pixels": self.pixels.reshape(-1, bands),
            "shapes": self.shape.reshape(-1),
            "table": np.array(table, dtype=np.int64),
            "factors": np.array([self.factor], dtype=np.float64),
        }


class ComponentBank:
    """Components by number; pickling copies none that lie in the cache.

    Args:
        kept: The arrays as :meth:`Cutout.arrays` gives them.
    """

    def __init__(self, kept: Entry | InMemory) -> None:
        self._kept = kept
        table = kept.arrays["table"]
        sizes = table[:, Column.HEIGHT] * table[:, Column.WIDTH]
        self._starts = np.cumsum(sizes) - sizes

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def class_ids(self) -> npt.NDArray[np.int64]:
        """``(N,)`` int64: the class of each component."""
        return np.asarray(self._kept.arrays["table"][:, Column.CLASS])

    @property
    def samples(self) -> npt.NDArray[np.int64]:
        """``(N,)`` int64: the index of the training sample that each was cut from."""
        return np.asarray(self._kept.arrays["table"][:, Column.SAMPLE])

    @property
    def bytes(self) -> int:
        """What pixels and shapes take."""
        return int(self._kept.arrays["pixels"].size + self._kept.arrays["shapes"].size)

    def cutout(self, number: int) -> Cutout:
        """One component, whose arrays must not be written to."""
        arrays, start = self._kept.arrays, int(self._starts[number])
        height, width, class_id, sample = arrays["table"][number].tolist()
        part = slice(start, start + height * width)
        pixels = arrays["pixels"][part].reshape(height, width, -1)
        shape = arrays["shapes"][part].reshape(height, width)
        return Cutout(pixels, shape, sample, class_id, float(arrays["factors"][number]))
