"""Features of every picture on disk, in half precision, read through a memory map.

A store is a folder: one flat file of float16 numbers for each split and head, and ``index.json``,
which says where each picture's numbers lie. It is filled under another name and takes its own by a
rename, so a store that can be opened is whole.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.errors import DataError
from aerialseg.storage.atomic_files import building, free_space

Features: TypeAlias = Mapping[str, npt.NDArray[np.float16]]
"""By head, ``(h, w, K)`` float16 of one picture, channels last as convolutions like them."""

_SHARE_OF_DISK = 0.9
"""The rest of what is free is left to checkpoints and to others."""


class FeatureStore:
    """A finished store, to read from.

    Args:
        folder: As :func:`write_features` left it.

    Raises:
        DataError: If there is no whole store in the folder.
    """

    def __init__(self, folder: Path) -> None:
        try:
            index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
            self._places: dict[str, dict[int, dict[str, _Place]]] = {
                split: {
                    int(number): {head: _Place(*place) for head, place in places.items()}
                    for number, places in pictures.items()
                }
                for split, pictures in index.items()
            }
            self._numbers = {path.stem: _map(path) for path in sorted(folder.glob("*.f16"))}
            self._check_sizes(folder)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{folder}: is no whole store of features ({error})") from None
        self.folder = folder

    def __reduce__(self) -> tuple[type["FeatureStore"], tuple[Path]]:
        return FeatureStore, (self.folder,)  # a worker maps the files anew, instead of copying them

    def read(self, split: str, index: int) -> dict[str, npt.NDArray[np.float16]]:
        """The features of one picture; what is returned lies in the memory map.

        Args:
            split: The split it is in.
            index: Its place in the split.
        """
        return {
            head: self._numbers[f"{split}-{head}"][place.start : place.end].reshape(place.shape)
            for head, place in self._places[split][index].items()
        }

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits whose pictures it has."""
        return tuple(self._places)

    def _check_sizes(self, folder: Path) -> None:
        for split, pictures in self._places.items():
            ends: dict[str, int] = {}
            for places in pictures.values():
                for head, place in places.items():
                    ends[head] = max(ends.get(head, 0), place.end)
            for head, end in ends.items():
                if len(self._numbers[f"{split}-{head}"]) != end:
                    raise ValueError(f"{split}-{head}.f16 is cut short")


def write_features(folder: Path, pictures: Iterable[tuple[str, int, Features]]) -> FeatureStore:
    """Fills a store, whole or not at all.

    Args:
        folder: What it will be; if another process has made it meanwhile, that one's is kept.
        pictures: Split, place in the split, and features of each picture.

    Raises:
        DataError: If the disk is full or the folder cannot be written.
    """
    index: dict[str, dict[int, dict[str, list[object]]]] = {}
    lengths: dict[str, int] = {}
    try:
        with building(folder) as place:
            for split, number, features in pictures:
                entry = index.setdefault(split, {}).setdefault(number, {})
                for head, values in features.items():
                    name = f"{split}-{head}"
                    entry[head] = [lengths.get(name, 0), list(values.shape)]
                    lengths[name] = lengths.get(name, 0) + values.size
                    with (place / f"{name}.f16").open("ab") as file:
                        file.write(np.ascontiguousarray(values).data)
            (place / "index.json").write_text(json.dumps(index), encoding="utf-8")
    except OSError as error:
        raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return FeatureStore(folder)


def missing_disk(folder: Path, needed: int) -> int:
    """How many bytes more must be free for ``needed`` bytes to be written; 0 if it is enough."""
    return max(0, needed - int(free_space(folder) * _SHARE_OF_DISK))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the numbers of one picture and head lie in the file of their split."""

    start: int
    shape: list[int]
    end: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "end", self.start + math.prod(self.shape))


def _map(path: Path) -> npt.NDArray[np.float16]:
    return np.memmap(path, dtype=np.float16, mode="r")
