"""Arrays that are computed once and kept: one folder an entry, in which no damage goes unseen.

An entry is ``<cache_dir>/<kind>/<key>/``: one flat file for each array and ``index.json``, which
holds the dtype, shape and CRC-32 of every array, what else belongs to the entry, and last the
sha256 of all its own bytes before. The key is a fingerprint of what the entry was made from, so an
entry whose sources have changed is not found. A folder takes its name when it is complete.
"""

import logging
import zlib
from collections.abc import Callable, Mapping
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
from aerialseg.data.notices import say_once
from aerialseg.errors import AerialsegError, DataError
from aerialseg.storage.atomic_files import building, remove_folder
from aerialseg.storage.fingerprints import fingerprint

logger = logging.getLogger(__name__)

_FORMAT = 1  # goes into every key; a new number makes every entry anew
_ADVICE = "point paths.cache_dir to a folder with room that you may write to"


class CacheError(AerialsegError):
    """An entry cannot be written, or a damaged one not be removed."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; {_ADVICE}")


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
        CacheError: If a damaged entry cannot be removed.
    """
    if not _is_folder(folder):
        return None
    try:
        index, seal = read_index(folder)
        for array in _array_files(index):
            array.check(folder)
        return _mapped(folder, index, seal)
    except DamagedFileError as damage:
        damaged = damage.path
    # After the handler, in which a file may still be mapped: Windows would not remove it then.
    logger.warning("%s is damaged; %s again", damaged, again)
    remove_entry(folder)
    return None


def read_row(folder: Path, name: str, row: int, *, again: str) -> Array | None:
    """Reads one row of an array into memory; nothing else is looked at and no file is kept open.

    Args:
        folder: Of an entry whose content is the CRC-32 of each row of the array, a list.
        name: Of the array.
        row: Which, along the first axis.
        again: As in :func:`open_entry`.

    Returns:
        None if there is no such entry, or if the row was damaged: then the entry is removed, with
        a warning.
    """
    if not _is_folder(folder):
        return None
    try:
        index, _ = read_index(folder)
        file = next(file for file in _array_files(index) if file.name == name)
        array = file.read_row(folder, row)
        if zlib.crc32(array.data) == index["content"][row]:
            return array
        damaged = folder / file.file_name
    except DamagedFileError as damage:
        damaged = damage.path
    if _is_folder(folder):  # else another process has removed it meanwhile
        logger.warning("%s is damaged; %s again", damaged, again)
        try:
            remove_entry(folder)
        except CacheError as error:
            go_without(folder.parents[1], error)
    return None


def remove_entry(folder: Path) -> None:
    """Removes an entry.

    Raises:
        CacheError: If it cannot be removed.
    """
    try:
        remove_folder(folder)
    except AerialsegError as error:
        raise CacheError(str(error)) from error.__cause__


def find_entry(folder: Path, *, again: str) -> Entry | None:
    """:func:`open_entry`, with a warning instead of an error."""
    try:
        return open_entry(folder, again=again)
    except CacheError as error:
        go_without(folder.parents[1], error)
        return None


def keep_entry(folder: Path, fill: Callable[[EntryWriter], object]) -> None:
    """:func:`write_entry`, with a warning instead of an error."""
    try:
        write_entry(folder, fill)
    except CacheError as error:
        go_without(folder.parents[1], error)


def go_without(cache_dir: Path, error: AerialsegError) -> None:
    """Warns, once for a reason, that something cannot be kept, which costs time only.

    Args:
        cache_dir: Where it was to be kept.
        error: What went wrong; its cause is the error of the system.
    """
    cause = error.__cause__
    reason = (isinstance(cause, OSError) and cause.strerror) or cause or error
    say_once(
        logger,
        logging.WARNING,
        f"paths.cache_dir: {cache_dir} cannot be written to: {reason}; what is not kept there is "
        f"computed anew each time; {_ADVICE}",
    )


def reopen(folder: Path, seal: str) -> Entry:
    """Opens an entry that another process has verified; its bytes are not compared again.

    Raises:
        DataError: If the entry has been removed since, or made again with another content.
    """
    with suppress(DamagedFileError):
        entry = _mapped(folder, *read_index(folder))
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
        The entry of that name. It is not verified: its bytes were just in memory.

    Raises:
        CacheError: If it cannot be written.
    """
    try:
        with building(folder) as place, ExitStack() as files:
            writer = EntryWriter(place, files)
            writer.finish(fill(writer))
        # Mapped under its own name: Windows renames no folder of which a file is mapped.
        return _mapped(folder, *read_index(folder))
    except OSError as error:
        raise CacheError(f"{folder}: cannot be written: {error.strerror or error}") from error
    except DamagedFileError as damage:
        raise CacheError(f"{folder}: {damage.path.name} cannot be read back") from damage


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # the folder that it is in may not be entered
        return False


def _mapped(folder: Path, index: Mapping[str, Any], seal: str) -> Entry:
    """The entry of a folder, not verified beyond its index and the sizes of its files."""
    arrays = {file.name: file.map(folder) for file in _array_files(index)}
    return Entry(folder, seal, index["content"], arrays)


def _array_files(index: Mapping[str, Any]) -> list[ArrayFile]:
    return [
        ArrayFile(name, facts["dtype"], tuple(facts["shape"]), facts["crc32"])
        for name, facts in index["arrays"].items()
    ]
