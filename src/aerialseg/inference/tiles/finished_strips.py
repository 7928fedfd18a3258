"""Strips of a mask on disk, so that prediction goes on where it was stopped."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.data.images.writing import write_mask
from aerialseg.storage.atomic_files import remove_folder, write_json

_ABOUT = "about.json"


class FinishedStrips:
    """The first strips of a mask, a file each.

    Args:
        folder: Where they are kept; what is there of another mask is removed.
        identity: All that decides them, as JSON can write it.

    Raises:
        AerialsegError: If the folder cannot be written.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self._folder = folder
        if _read(folder / _ABOUT) != json.loads(json.dumps(identity)):
            if folder.exists():
                remove_folder(folder)
            write_json(folder / _ABOUT, identity)
        self._number = next(number for number in count() if not self._path(number).is_file())

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[npt.NDArray[np.uint8]]:
        """``(h, W)`` uint8 class ids of one strip after the other."""
        for number in range(self._number):
            with Image.open(self._path(number)) as image:
                yield np.asarray(image)

    def keep(self, number: int) -> None:
        """Forgets all but the first ones."""
        self._number = min(number, self._number)

    def add(self, mask: npt.NDArray[np.uint8]) -> None:
        """Adds the next strip, ``(h, W)`` uint8."""
        write_mask(self._path(self._number), mask)
        self._number += 1

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.png"


def _read(path: Path) -> object:
    """What a JSON file says; None if there is none, or only a part of one."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
