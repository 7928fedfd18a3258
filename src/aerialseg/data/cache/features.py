"""Features of every image on disk, in half precision, read through a memory map.

One cache entry holds them: a flat array of float16 numbers for each split and head, and a content
that says where the numbers of each image lie.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import Entry, EntryWriter, open_entry, write_entry
from aerialseg.storage.atomic_files import free_space

Features: TypeAlias = Mapping[str, npt.NDArray[np.float16]]
"""By head, ``(h, w, K)`` float16 of one image, channels last as convolutions like them."""

_SHARE_OF_DISK = 0.9
"""The rest of what is free is left to checkpoints and to others."""

_Place: TypeAlias = tuple[int, list[int]]
"""Where the numbers of one image and head start in the array of their split, and their shape."""


class FeatureStore:
    """The features of the images of some splits; pickling copies none of them.

    Args:
        entry: As :func:`write_features` left it.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._entry.folder

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits whose images it has."""
        return tuple(self._entry.content)

    def read(self, split: str, index: int) -> dict[str, npt.NDArray[np.float16]]:
        """The features of one image; what is returned lies in the memory map.

        Args:
            split: The split it is in.
            index: Its place in the split.
        """
        features = {}
        for head, (start, shape) in self._entry.content[split][str(index)].items():
            numbers = self._entry.arrays[_array(split, head)][start : start + math.prod(shape)]
            features[head] = numbers.reshape(shape)
        return features


def open_features(folder: Path) -> FeatureStore | None:
    """Opens the features in a folder, verified; None if there are none, or were damaged ones.

    Raises:
        AerialsegError: If damaged ones cannot be removed.
    """
    entry = open_entry(folder, again="the features are computed")
    return None if entry is None else FeatureStore(entry)


def write_features(folder: Path, images: Iterable[tuple[str, int, Features]]) -> FeatureStore:
    """Keeps features, all of them or none.

    Args:
        folder: What it will be; if another process makes it meanwhile, that one's is kept.
        images: Split, place in the split, and features of each image.

    Raises:
        AerialsegError: If the disk is full or the folder cannot be written.
    """

    def fill(writer: EntryWriter) -> dict[str, dict[int, dict[str, _Place]]]:
        places: dict[str, dict[int, dict[str, _Place]]] = {}
        for split, index, features in images:
            places.setdefault(split, {})[index] = {
                head: (writer.append(_array(split, head), values.reshape(-1)), list(values.shape))
                for head, values in features.items()
            }
        return places

    return FeatureStore(write_entry(folder, fill))


def missing_disk(folder: Path, needed: int) -> int:
    """How many bytes more must be free for ``needed`` bytes to be written; 0 if it is enough."""
    return max(0, needed - int(free_space(folder) * _SHARE_OF_DISK))


def _array(split: str, head: str) -> str:
    return f"{split}-{head}"
