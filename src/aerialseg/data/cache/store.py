"""Arrays that are computed once and kept: one folder an entry, in which no damage goes unseen.

An entry is ``<cache_dir>/<kind>/<key>/``: one flat file for each array and ``index.json``, which
holds the dtype, shape and CRC-32 of every array, what else belongs to the entry, and last the
sha256 of all its own bytes before. The key is a fingerprint of what the entry was made from, so an
entry whose sources have changed is not found. A folder takes its name when it is complete.
"""

import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from aerialseg.data.cache.array_files import (
    Array,
    ArrayFile,
    DamagedFileError,
    read_index,
    write_index,
)
from aerialseg.errors import AerialsegError, DataError
from aerialseg.storage.atomic_files import building, discard
from aerialseg.storage.fingerprints import fingerprint

logger = logging.getLogger(__name__)

_FORMAT = 1  # goes into every key; a new number makes every entry anew


@dataclass(frozen=True)
class Entry:
    """An open entry; pickling keeps its folder and seal only, and a worker maps the files again.

    Attributes:
        folder: Where it lies.
        seal: Sha256 of its index, in hex: another one means other arrays or another content.
        content: What was written beside the arrays, as JSON gives it back.
        arrays: By name, read-only memory maps.
    """

    folder: Path
    seal: str
    content: Any
    arrays: Mapping[str, Array]

    def __reduce__(self) -> tuple[object, ...]:
        return reopen, (self.folder, self.seal)


class EntryWriter:
    """Takes the arrays of a new entry, piece by piece.

    Args:
        folder: An empty folder.
        files: Closes the files that are opened.
    """

    def __init__(self, folder: Path, files: ExitStack) -> None:
        self._folder = folder
        self._files = files
        self._opened: dict[str, BinaryIO] = {}
        self._arrays: dict[str, ArrayFile] = {}

    def append(self, name: str, piece: Array) -> int:
        """Adds a piece to an array, along the first axis.

        Args:
            name: Of the array; part of a file's name.
            piece: At least one-dimensional; dtype and further axes as those of the first piece.

        Returns:
            The row of the whole array that the piece begins at.

        Raises:
            ValueError: If the piece has another dtype or other further axes.
            OSError: If it cannot be written.
        """
        data = np.ascontiguousarray(piece, dtype=piece.dtype.newbyteorder("<"))
        array = self._arrays.get(name) or ArrayFile(name, data.dtype.str, (0, *data.shape[1:]))
        if (array.dtype, array.shape[1:]) != (data.dtype.str, data.shape[1:]):
            raise ValueError(
                f"{name}: piece of {data.dtype.str} {data.shape} does not continue an array of "
                f"{array.dtype} {array.shape}"
            )
        if name not in self._opened:
            path = self._folder / array.file_name
            self._opened[name] = self._files.enter_context(path.open("xb"))
        octets = data.reshape(-1).view(np.uint8).data
        self._opened[name].write(octets)
        start, shape = array.shape[0], (array.shape[0] + len(data), *array.shape[1:])
        self._arrays[name] = ArrayFile(name, array.dtype, shape, zlib.crc32(octets, array.crc32))
        return start

    def finish(self, content: object) -> None:
        """Writes the index, with ``content``, which JSON must be able to hold."""
        for file in self._opened.values():
            file.flush()
        arrays = {name: array.facts() for name, array in self._arrays.items()}
        write_index(self._folder, {"arrays": arrays, "content": content})


def entry_folder(cache_dir: Path, kind: str, *made_from: object) -> Path:
    """Where the entry of a kind lies that was made from these things, bytes or JSON."""
    return cache_dir / kind / fingerprint(_FORMAT, *made_from)[:32]


def open_entry(folder: Path, *, again: str) -> Entry | None:
    """Opens an entry and compares every byte of it with its checksums.

    Args:
        folder: Of the entry.
        again: What the damage costs, to be logged: ``the masks are encoded``.

    Returns:
        None if there is none, or if it was damaged: then it has been removed.

    Raises:
        AerialsegError: If a damaged entry cannot be removed.
    """
    if not folder.is_dir():
        return None
    try:
        entry, arrays = _mapped(folder)
        for array in arrays:
            array.check(folder)
    except DamagedFileError as damage:
        logger.warning("%s is damaged; %s again", damage.path, again)
        remove_entry(folder)
        return None
    return entry


def reopen(folder: Path, seal: str) -> Entry:
    """Opens an entry that another process has verified; its bytes are not compared again.

    Raises:
        DataError: If the entry has been removed since, or made again with another content.
    """
    with suppress(DamagedFileError):
        entry, _ = _mapped(folder)
        # Read again after mapping: the entry may have been replaced between two of its files.
        if seal == entry.seal == read_index(folder)[1]:
            return entry
    raise DataError(f"{folder}: was removed or made again by another process; start again")


def write_entry(folder: Path, fill: Callable[[EntryWriter], object]) -> Entry:
    """Makes an entry, as a whole or not at all.

    Args:
        folder: What it will be; if another process makes it meanwhile, that one's is kept.
        fill: Appends all arrays and returns the content, which JSON must be able to hold.

    Returns:
        The entry that was written. It is not verified: its bytes were just in memory.

    Raises:
        AerialsegError: If it cannot be written.
    """
    try:
        with building(folder) as place:
            with ExitStack() as files:
                writer = EntryWriter(place, files)
                writer.finish(fill(writer))
            # Mapped before it takes its name, after which another process might remove it.
            entry, _ = _mapped(place)
    except OSError as error:
        raise AerialsegError(f"{folder}: cannot be written: {error.strerror or error}") from error
    except DamagedFileError as damage:
        raise AerialsegError(f"{folder}: {damage.path.name} cannot be read back") from damage
    return Entry(folder, entry.seal, entry.content, entry.arrays)


def remove_entry(folder: Path) -> None:
    """Removes an entry, unless another process has.

    Raises:
        AerialsegError: If it cannot be removed.
    """
    try:
        with suppress(FileNotFoundError):
            discard(folder)
    except OSError as error:
        raise AerialsegError(f"{folder}: cannot be removed: {error.strerror or error}") from error


def _mapped(folder: Path) -> tuple[Entry, Iterable[ArrayFile]]:
    """The entry of a folder, not verified beyond its index and the sizes of its files."""
    index, seal = read_index(folder)
    files = [
        ArrayFile(name, facts["dtype"], tuple(facts["shape"]), facts["crc32"])
        for name, facts in index["arrays"].items()
    ]
    arrays = {file.name: file.map(folder) for file in files}
    return Entry(folder, seal, index["content"], arrays), files
