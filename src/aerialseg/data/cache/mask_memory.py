"""Masks kept in memory, resized, so that an epoch decodes no PNG.

They lie in one file of the cache folder that is mapped into memory: filled once, ready at once
for the next stage, and shared by the main process and all of a loader's workers however those
were started. A mask that is not in it, or whose file has changed since, is read from its file.

The file holds uint32 numbers: the runs of all masks, a row of five for each sample (see
:class:`_Column`), and the CRC-32 of all that.
"""

import logging
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from enum import IntEnum
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.mask_runs import decode_runs, encode_runs
from aerialseg.data.images.resizing import resized
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from aerialseg.storage.atomic_files import replacing
from aerialseg.storage.fingerprints import fingerprint, stamp

logger = logging.getLogger(__name__)

MaskReader: TypeAlias = Callable[[Path], tuple[npt.NDArray[np.uint8], tuple[int, int]]]
"""Reads a mask file: the resized ``(h, w)`` mask, and the height and width that it had before."""

_METHOD = 1  # goes into the file's name; a new number encodes anew
_MANY = 200  # masks whose encoding takes more than a moment
_AT_ONCE = 64  # masks encoded before the next look at the budget
_Words: TypeAlias = npt.NDArray[np.uint32]
_Encoded: TypeAlias = tuple[_Words, tuple[int, int]]
_WORD = np.dtype("<u4")
_NO_MASK = np.empty((0, 0), dtype=np.uint8), (0, 0)


class _Column(IntEnum):
    START = 0  # of the runs
    COUNT = 1  # of the runs; 0 where the mask is not in memory
    HEIGHT = 2  # of the file's mask, before resizing
    WIDTH = 3
    STAMP = 4  # CRC-32 of the file's name, size and time of change


class MaskMemory:
    """Masks by index, as run lengths.

    Args:
        path: The file that :func:`keep_masks` made.
        words: All numbers of that file.
        table: ``(N, 5)`` uint32, a row for each sample.
        image_min_size: What the masks were resized to.
    """

    def __init__(
        self, path: Path, words: _Words, table: _Words, image_min_size: int | None
    ) -> None:
        self._path = path
        self._words = words
        self._table = table
        self._image_min_size = image_min_size

    def __reduce__(self) -> tuple[object, ...]:
        # A worker that was not forked maps the file anew; the masks themselves are not sent.
        return _map_again, (self._path, int(self._words[-1]), self._table, self._image_min_size)

    @property
    def held(self) -> npt.NDArray[np.bool_]:
        """``(N,)`` bool: whose masks are in memory."""
        return self._table[:, _Column.COUNT] > 0

    def select(self, indices: npt.NDArray[np.integer]) -> "MaskMemory":
        """The same memory for some of the samples, in this order."""
        return MaskMemory(self._path, self._words, self._table[indices], self._image_min_size)

    def read(self, index: int, path: Path, size: tuple[int, int]) -> npt.NDArray[np.uint8] | None:
        """Decodes one mask.

        Args:
            index: Of the sample.
            path: Its mask file.
            size: Height and width of its picture's file.

        Returns:
            The resized ``(h, w)`` uint8 mask. None if it is not in memory, if its file has changed
            since, or if it is not of the picture's size; the file itself must be read then.
        """
        start, count, height, width, stamped = self._table[index].tolist()
        if not count or (height, width) != size or stamped != _stamp(path):
            return None
        return decode_runs(self._words[start : start + count], resized(size, self._image_min_size))


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
        cache_dir: The masks are kept below it, as ``masks/FINGERPRINT.runs``.

    Raises:
        AerialsegError: If the file cannot be written.
    """
    masks = [None if sample.mask is None else str(sample.mask.absolute()) for sample in samples]
    name = fingerprint(_METHOD, masks, made_with, image_min_size, megabytes)[:32]
    path = cache_dir / "masks" / f"{name}.runs"
    stamps = np.array([_stamp(sample.mask) for sample in samples], dtype=_WORD)
    if not _is_filled(path, stamps):
        if len(samples) >= _MANY:
            logger.info("encoding %d masks as run lengths, once; the result is kept", len(samples))
        _fill(path, samples, read, stamps, budget=megabytes * 10**6 // _WORD.itemsize)
    words = _map(path)
    return MaskMemory(path, words, _table(words, len(samples)), image_min_size)


def _is_filled(path: Path, stamps: _Words) -> bool:
    """Whether the file is there, is whole, and was made of the masks as they are now."""
    if not path.is_file():
        return False
    words = _map(path)
    whole = len(words) > stamps.size * len(_Column) and zlib.crc32(words[:-1].data) == words[-1]
    if not whole:
        logger.warning("%s is damaged; the masks are encoded again", path)
    return whole and np.array_equal(_table(words, len(stamps))[:, _Column.STAMP], stamps)


def _fill(
    path: Path, samples: Sequence[Sample], read: MaskReader, stamps: _Words, *, budget: int
) -> None:
    """Writes the file, with at most ``budget`` words of runs."""

    def encode(sample: Sample) -> _Encoded:
        try:
            mask, size = read(sample.mask) if sample.mask is not None else _NO_MASK
        except DataError:  # is raised again, with the sample's name, when the mask is asked for
            mask, size = _NO_MASK
        return encode_runs(mask).astype(_WORD, copy=False), size

    table = np.zeros((len(samples), len(_Column)), dtype=_WORD)
    table[:, _Column.STAMP] = stamps
    budget = min(budget, np.iinfo(_WORD).max)
    used = checksum = 0
    with (
        replacing(path) as temporary,
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        temporary.open("wb") as file,
    ):
        for row, (runs, size) in enumerate(_in_batches(pool, encode, samples)):
            if used + runs.size > budget:
                break
            table[row, :-1] = (used, runs.size, *size)
            used += runs.size
            checksum = zlib.crc32(runs.data, checksum)
            file.write(runs.data)
        checksum = zlib.crc32(table.data, checksum)
        file.write(table.data)
        file.write(np.array([checksum], dtype=_WORD).data)


def _in_batches(
    pool: Executor, encode: Callable[[Sample], _Encoded], samples: Sequence[Sample]
) -> Iterator[_Encoded]:
    """What the pool makes of each sample; whoever stops early has spared it most of the rest."""
    for start in range(0, len(samples), _AT_ONCE):
        yield from pool.map(encode, samples[start : start + _AT_ONCE])


def _map(path: Path) -> _Words:
    """The numbers of a file; none if they cannot be read."""
    try:
        return np.memmap(path, dtype=_WORD, mode="r").view(np.ndarray)
    except (OSError, ValueError):
        return np.empty(0, dtype=_WORD)


def _map_again(path: Path, checksum: int, table: _Words, image_min_size: int | None) -> MaskMemory:
    words = _map(path)
    if words[-1:].tolist() != [checksum]:  # another run has filled it anew meanwhile
        table = np.zeros_like(table)
    return MaskMemory(path, words, table, image_min_size)


def _table(words: _Words, rows: int) -> _Words:
    return words[-1 - rows * len(_Column) : -1].reshape(rows, len(_Column))


def _stamp(path: Path | None) -> int:
    try:
        return zlib.crc32(repr(stamp(path)).encode())
    except OSError:  # a file that has gone is named where it is read
        return 0
