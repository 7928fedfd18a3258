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
from dataclasses import astuple
from enum import IntEnum
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import (
    CacheError,
    Entry,
    EntryWriter,
    entry_folder,
    go_without,
    open_entry,
    remove_entry,
    reopen,
    write_entry,
)
from aerialseg.data.images.resizing import resize_keep_aspect, resized
from aerialseg.data.layouts.listing import Sample
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.rle import pack, unpack
from aerialseg.storage.fingerprints import stamp

logger = logging.getLogger(__name__)

MaskReader: TypeAlias = Callable[[Sample], npt.NDArray[np.uint8]]
"""Reads the whole mask of a sample as ``(H, W)`` uint8 class ids, as large as it is stored."""

_METHOD = 2  # goes into the key; a new number encodes anew
_MANY = 200  # masks whose encoding takes more than a moment
_AT_ONCE = 64  # masks encoded before the next look at the budget
_Words: TypeAlias = npt.NDArray[np.uint32]
_Encoded: TypeAlias = tuple[_Words, tuple[int, int]]
_WORD = np.dtype("<u4")
_NO_RUNS = np.empty(0, dtype=_WORD)


class _Column(IntEnum):
    START = 0  # of the runs
    COUNT = 1  # of the runs; 0 where the mask is not in memory
    HEIGHT = 2  # of the file's mask or a window of it, before resizing
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
            size: Height and width of its image, or of its window.

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

    Where they cannot be written it stays empty, with a warning.

    Args:
        samples: Their masks are kept in this order, until the next one does not fit.
        read: Reads the masks; one that it refuses is left to whoever asks for it.
        made_with: All else that decides what ``read`` returns, as JSON can write it.
        image_min_size: What masks, and windows of them, are resized to.
        megabytes: Most memory that the runs take, in units of ``10**6`` bytes.
        cache_dir: The masks are kept in ``masks`` below it.
    """
    masks = [None if sample.mask is None else str(sample.mask.absolute()) for sample in samples]
    cut = [sample.window and astuple(sample.window.box) for sample in samples]
    made_from = (_METHOD, masks, made_with, image_min_size, megabytes, *([cut] if any(cut) else []))
    folder = entry_folder(cache_dir, "masks", *made_from)
    stamps = np.array([_stamp(sample.mask) for sample in samples], dtype=_WORD)
    budget = megabytes * 10**6 // _WORD.itemsize
    encode = partial(_encoded, read, image_min_size)
    fill = partial(_fill, samples, encode, stamps, budget=budget)
    try:
        entry = _filled(folder, stamps, fill)
    except CacheError as error:
        go_without(cache_dir, error)
        return MaskMemory(None, np.zeros((len(samples), len(_Column)), _WORD), image_min_size)
    return MaskMemory(entry, entry.arrays["table"], image_min_size)


def _filled(folder: Path, stamps: _Words, fill: Callable[[EntryWriter], None]) -> Entry:
    """The entry of the masks with these stamps; raises CacheError if it cannot be written."""
    entry = open_entry(folder, again="the masks are encoded")
    if entry is not None and not np.array_equal(entry.arrays["table"][:, _Column.STAMP], stamps):
        entry = None  # a mask has changed since; Windows removes no folder with a mapped file
        remove_entry(folder)
    if entry is None:
        if len(stamps) >= _MANY:
            masks = counted(len(np.unique(stamps)), "mask")  # windows of one have its stamp
            logger.info("encoding %s as run lengths, once; the result is kept", masks)
        entry = write_entry(folder, fill)
    return entry


def _fill(
    samples: Sequence[Sample],
    encode: Callable[[Sequence[Sample]], Sequence[_Encoded]],
    stamps: _Words,
    writer: EntryWriter,
    *,
    budget: int,
) -> None:
    """Writes the masks of the samples, with at most ``budget`` words of runs."""
    table = np.zeros((len(samples), len(_Column)), dtype=_WORD)
    table[:, _Column.STAMP] = stamps
    budget = min(budget, np.iinfo(_WORD).max)
    used = 0
    # The windows of a mask follow each other: its file is read once for all of them.
    files = [list(group) for _, group in groupby(samples, key=lambda sample: sample.mask)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for row, (runs, size) in enumerate(_in_batches(pool, encode, files)):
            if used + runs.size > budget:
                break
            table[row, :-1] = (writer.append("runs", runs), runs.size, *size)
            used += runs.size
    writer.append("table", table)


def _encoded(
    read: MaskReader, image_min_size: int | None, samples: Sequence[Sample]
) -> list[_Encoded]:
    """Runs, and size before resizing, of samples that have one mask file."""
    nothing = [(_NO_RUNS, (0, 0))] * len(samples)
    try:
        if samples[0].mask is None:
            return nothing
        mask = read(samples[0])
    except DataError:  # is raised again, with the sample's name, when the mask is asked for
        return nothing
    found = []
    for sample in samples:
        part = mask if sample.window is None else sample.window.box.of(mask)
        small = resize_keep_aspect(np.ascontiguousarray(part), image_min_size, is_mask=True)
        found.append((pack(small), (part.shape[0], part.shape[1])))
    return found


def _in_batches(
    pool: Executor,
    encode: Callable[[Sequence[Sample]], Sequence[_Encoded]],
    files: Sequence[Sequence[Sample]],
) -> Iterator[_Encoded]:
    """What ``encode`` makes of each sample; a caller that stops early leaves most of the rest."""
    for start in range(0, len(files), _AT_ONCE):
        for encoded in pool.map(encode, files[start : start + _AT_ONCE]):
            yield from encoded


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
