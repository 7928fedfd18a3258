"""Masks kept in memory, resized, so that an epoch decodes no PNG.

They lie in one entry of the cache, which is mapped into memory: filled once, available at once to
the next stage, and shared by the main process and all of a loader's workers, forked or not. A mask
that is not in it, or whose file has changed since, is read from its file.
"""

import logging
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import (
    Entry,
    EntryWriter,
    entry_folder,
    open_entry,
    remove_entry,
    reopen,
    write_entry,
)
from aerialseg.data.images.resizing import resized
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from aerialseg.rle import pack, unpack
from aerialseg.storage.fingerprints import stamp

logger = logging.getLogger(__name__)

MaskReader: TypeAlias = Callable[[Path], tuple[npt.NDArray[np.uint8], tuple[int, int]]]
"""Reads a mask file: the resized ``(h, w)`` mask, and the height and width that it had before."""

_METHOD = 1  # goes into the key; a new number encodes anew
_MANY = 200  # masks whose encoding takes more than a moment
_AT_ONCE = 64  # masks encoded before the next look at the budget
_Words: TypeAlias = npt.NDArray[np.uint32]
_Encoded: TypeAlias = tuple[_Words, tuple[int, int]]
_WORD = np.dtype("<u4")
_NO_RUNS = np.empty(0, dtype=_WORD)
_NO_MASK = np.empty((0, 0), dtype=np.uint8), (0, 0)


class _Column(IntEnum):
    START = 0  # of the runs
    COUNT = 1  # of the runs; 0 where the mask is not in memory
    HEIGHT = 2  # of the file's mask, before resizing
    WIDTH = 3
    STAMP = 4  # CRC-32 of the file's name, size and time of change


class MaskMemory:
    """Masks by index, as packed runs.

    Args:
        entry: The runs of all masks; None where there are none any more.
        table: ``(N, 5)`` uint32, a row of :class:`_Column` for each sample.
        image_min_size: What the masks were resized to.
    """

    def __init__(self, entry: Entry | None, table: _Words, image_min_size: int | None) -> None:
        self._entry = entry
        self._runs = _NO_RUNS if entry is None else entry.arrays.get("runs", _NO_RUNS)
        self._table = table
        self._image_min_size = image_min_size

    def __reduce__(self) -> tuple[object, ...]:
        # A worker that was not forked maps the file anew; the masks themselves are not sent.
        place = None if self._entry is None else (self._entry.folder, self._entry.seal)
        return _memory_again, (place, self._table, self._image_min_size)

    @property
    def held(self) -> npt.NDArray[np.bool_]:
        """``(N,)`` bool: whose masks are in memory."""
        return self._table[:, _Column.COUNT] > 0

    def select(self, indices: npt.NDArray[np.integer]) -> "MaskMemory":
        """The same memory for some of the samples, in this order."""
        return MaskMemory(self._entry, self._table[indices], self._image_min_size)

    def read(self, index: int, path: Path, size: tuple[int, int]) -> npt.NDArray[np.uint8] | None:
        """Decodes one mask.

        Args:
            index: Of the sample.
            path: Its mask file.
            size: Height and width of its image's file.

        Returns:
            The resized ``(h, w)`` uint8 mask. None if it is not in memory, if its file has changed
            since, or if it is not of the image's size; the file itself must be read then.
        """
        start, count, height, width, stamped = self._table[index].tolist()
        if not count or (height, width) != size or stamped != _stamp(path):
            return None
        return unpack(self._runs[start : start + count], resized(size, self._image_min_size))


def keep_masks(
    samples: Sequence[Sample],
    read: MaskReader,
    *,
    made_with: object,
    image_min_size: int | None,
    megabytes: int,
    cache_dir: Path,
) -> MaskMemory:
    """Fills a memory with the masks of samples, or finds it already filled.

    Args:
        samples: Their masks are kept in this order, until the next one does not fit.
        read: Reads the masks; one that it refuses is left to whoever asks for it.
        made_with: All else that decides what ``read`` returns, as JSON can write it.
        image_min_size: What ``read`` resizes to.
        megabytes: Most memory that the runs take, in units of ``10**6`` bytes.
        cache_dir: The masks are kept in ``masks`` below it.

    Raises:
        AerialsegError: If they cannot be written.
    """
    masks = [None if sample.mask is None else str(sample.mask.absolute()) for sample in samples]
    made_from = (_METHOD, masks, made_with, image_min_size, megabytes)
    folder = entry_folder(cache_dir, "masks", *made_from)
    stamps = np.array([_stamp(sample.mask) for sample in samples], dtype=_WORD)
    entry = open_entry(folder, again="the masks are encoded")
    if entry is not None and not np.array_equal(entry.arrays["table"][:, _Column.STAMP], stamps):
        remove_entry(folder)  # a mask has changed since
        entry = None
    if entry is None:
        if len(samples) >= _MANY:
            logger.info("encoding %d masks as run lengths, once; the result is kept", len(samples))
        budget = megabytes * 10**6 // _WORD.itemsize
        entry = write_entry(folder, partial(_fill, samples, read, stamps, budget=budget))
    return MaskMemory(entry, entry.arrays["table"], image_min_size)


def _fill(
    samples: Sequence[Sample],
    read: MaskReader,
    stamps: _Words,
    writer: EntryWriter,
    *,
    budget: int,
) -> None:
    """Writes the masks of the samples, with at most ``budget`` words of runs."""

    def encode(sample: Sample) -> _Encoded:
        try:
            mask, size = read(sample.mask) if sample.mask is not None else _NO_MASK
        except DataError:  # is raised again, with the sample's name, when the mask is asked for
            mask, size = _NO_MASK
        return pack(mask), size

    table = np.zeros((len(samples), len(_Column)), dtype=_WORD)
    table[:, _Column.STAMP] = stamps
    budget = min(budget, np.iinfo(_WORD).max)
    used = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for row, (runs, size) in enumerate(_in_batches(pool, encode, samples)):
            if used + runs.size > budget:
                break
            table[row, :-1] = (writer.append("runs", runs), runs.size, *size)
            used += runs.size
    writer.append("table", table)


def _in_batches(
    pool: Executor, encode: Callable[[Sample], _Encoded], samples: Sequence[Sample]
) -> Iterator[_Encoded]:
    """What ``encode`` makes of each sample; a caller that stops early leaves most of the rest."""
    for start in range(0, len(samples), _AT_ONCE):
        yield from pool.map(encode, samples[start : start + _AT_ONCE])


def _memory_again(
    place: tuple[Path, str] | None, table: _Words, image_min_size: int | None
) -> MaskMemory:
    """The memory in another process; empty where the entry has been removed or made again."""
    try:
        entry = None if place is None else reopen(*place)
    except DataError:
        entry = None
    return MaskMemory(entry, table if entry is not None else np.zeros_like(table), image_min_size)


def _stamp(path: Path | None) -> int:
    try:
        return zlib.crc32(repr(stamp(path)).encode())
    except OSError:  # a file that has gone is named where it is read
        return 0
