"""The files of a cache entry: flat arrays, and an index that holds their checksums."""

import json
import math
import zlib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

_INDEX = "index.json"
_SEAL = b', "sha256": "%b"}\n'
_SEAL_LENGTH = len(_SEAL % (b"0" * 64))
_BLOCK = 1 << 20  # bytes read at once


class DamagedFileError(Exception):
    """A file of an entry that is missing, unreadable, cut short or changed.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


@dataclass(frozen=True)
class ArrayFile:
    """An array's file, as the index describes it.

    Attributes:
        name: Of the array.
        dtype: As numpy writes it: ``<f2``.
        shape: Of the whole array.
        crc32: Of the file's bytes. It finds every flipped bit, and reads faster than a hash.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    crc32: int = 0

    @property
    def file_name(self) -> str:
        """``masks.u32``: the array's name, and the kind and the bits of its numbers."""
        dtype = np.dtype(self.dtype)
        return f"{self.name}.{dtype.kind}{8 * dtype.itemsize}"

    def facts(self) -> dict[str, object]:
        """What the index says of it."""
        return {"dtype": self.dtype, "shape": self.shape, "crc32": self.crc32}

    def map(self, folder: Path) -> Array:
        """The array in a read-only memory map, or an empty one if it holds nothing.

        Raises:
            DamagedFileError: If the file cannot be read or is not of its size.
        """
        path, dtype = folder / self.file_name, np.dtype(self.dtype)
        try:
            size = path.stat().st_size
            if size != math.prod(self.shape) * dtype.itemsize:
                raise DamagedFileError(path)
            if not size:  # an empty file cannot be mapped
                return np.empty(self.shape, dtype)
            return np.memmap(path, dtype, mode="r", shape=self.shape).view(np.ndarray)
        except (OSError, ValueError) as error:
            raise DamagedFileError(path) from error

    def read_row(self, folder: Path, row: int) -> Array:
        """One row along the first axis, in memory and writable; compared with no checksum.

        Raises:
            DamagedFileError: If the file cannot be read or has no such row.
        """
        path, shape = folder / self.file_name, self.shape[1:]
        dtype, count = np.dtype(self.dtype), math.prod(shape)
        try:
            numbers = np.fromfile(path, dtype, count, offset=row * count * dtype.itemsize)
            return numbers.reshape(shape)
        except (OSError, ValueError) as error:
            raise DamagedFileError(path) from error

    def check(self, folder: Path) -> None:
        """Compares the file with its checksum.

        It is read, not mapped: a disk error is an exception then, and does not end the process.

        Raises:
            DamagedFileError: If the file cannot be read or its bytes have changed.
        """
        path = folder / self.file_name
        crc32, block = 0, memoryview(bytearray(_BLOCK))
        try:
            with path.open("rb", buffering=0) as file:
                while count := file.readinto(block):
                    crc32 = zlib.crc32(block[:count], crc32)
        except OSError as error:
            raise DamagedFileError(path) from error
        if crc32 != self.crc32:
            raise DamagedFileError(path)


def read_index(folder: Path) -> tuple[dict[str, Any], str]:
    """The index of an entry and its seal.

    Raises:
        DamagedFileError: If the index cannot be read or its bytes have changed.
    """
    path = folder / _INDEX
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedFileError(path) from error
    body, end = data[:-_SEAL_LENGTH], data[-_SEAL_LENGTH:]
    seal = sha256(body).hexdigest()
    if end != _SEAL % seal.encode():
        raise DamagedFileError(path)
    return json.loads(data), seal


def write_index(folder: Path, content: dict[str, object]) -> None:
    """Writes the index: JSON whose last value is the sha256 of all the bytes before it.

    Raises:
        OSError: If it cannot be written.
    """
    body = json.dumps(content)[:-1].encode()
    (folder / _INDEX).write_bytes(body + _SEAL % sha256(body).hexdigest().encode())
