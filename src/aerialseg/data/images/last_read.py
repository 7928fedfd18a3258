"""The file that was read last: windows of one image are often asked for one after the other."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.reading_settings import Reading
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import stamp

FileReader: TypeAlias = Callable[[Path, Reading], npt.NDArray[np.uint8]]
"""Such as :func:`aerialseg.data.images.reading.read_image`."""


class LastRead:
    """Reads whole files, and keeps the pixels of the last one; pickling copies none.

    Args:
        read: Reads a file.
        reading: How.
    """

    def __init__(self, read: FileReader, reading: Reading) -> None:
        self._read = read
        self._reading = reading
        self._last: tuple[object, npt.NDArray[np.uint8]] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return LastRead, (self._read, self._reading)

    def __call__(self, path: Path) -> npt.NDArray[np.uint8]:
        """The pixels of a file, which must not be written to.

        Raises:
            DataError: As the reader does.
        """
        try:
            file = (path, stamp(path))
        except OSError as error:
            raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
        if self._last is None or self._last[0] != file:
            self._last = None  # two large images need not be in memory at once
            self._last = (file, self._read(path, self._reading))
        return self._last[1]
