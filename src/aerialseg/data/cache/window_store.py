"""The windows of large images, cut once and kept on disk, so that no step decodes a whole image.

Each image has one entry: its windows one after the other, resized, as bytes. A worker that needs a
window of an image without an entry decodes the image and writes them all. Of an entry, only the
window that is asked for is read, and compared with its checksum. An entry that has gone or is
damaged costs the time to decode the image again, so any process may remove any of them.
"""

import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import (
    CacheError,
    EntryWriter,
    entry_folder,
    go_without,
    read_row,
    remove_entry,
    write_entry,
)
from aerialseg.data.images.resizing import resize_keep_aspect, resized
from aerialseg.data.images.windows import Window, grid
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.notices import say_once
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.storage.atomic_files import free_space
from aerialseg.storage.fingerprints import stamp

logger = logging.getLogger(__name__)

_KIND = "windows"
_METHOD = 2  # goes into the key; a new number cuts anew
_ARRAY = "pixels"
_SHARE_OF_DISK = 0.5
"""The rest of what is free is left to checkpoints and to others."""


class WindowStore:
    """Windows by image and number; pickling copies no pixels.

    Args:
        cache_dir: The windows are kept in ``windows`` below it.
        window: Height and width of a window.
        image_min_size: What windows are resized to; None keeps their size.
        made_with: All else that decides the pixels of an image, as JSON can write it.
        kept: The images whose windows are kept; those of any other are cut each time.
        channels: The bands of an image.
    """

    def __init__(
        self,
        cache_dir: Path,
        window: tuple[int, int],
        image_min_size: int | None,
        made_with: object,
        kept: frozenset[Path] = frozenset(),
        *,
        channels: int = 3,
    ) -> None:
        self.channels = channels
        self.cache_dir = cache_dir
        self.window = window
        self.image_min_size = image_min_size
        self.made_with = made_with
        self.kept = kept

    def read(
        self, path: Path, window: Window, load: Callable[[Path], npt.NDArray[np.uint8]]
    ) -> npt.NDArray[np.uint8]:
        """The ``(h, w, B)`` uint8 pixels of a window, resized.

        Args:
            path: Of the image.
            window: Which of its windows.
            load: Reads the whole image, if it must be.

        Raises:
            DataError: As ``load``, or if the image is missing.
        """
        if path not in self.kept:
            return self._resized(window, load(path), path)
        folder = self.folder_of(path)
        found = read_row(folder, _ARRAY, window.number, again="the image is cut")
        if found is not None:
            return found
        image = load(path)
        self._keep(folder, image, path)
        return self._resized(window, image, path)

    def folder_of(self, path: Path) -> Path:
        """Where the windows of an image lie, or would.

        Raises:
            DataError: If the image is missing.
        """
        try:
            facts = (str(path.absolute()), stamp(path))
        except OSError as error:
            raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
        made_from = (_METHOD, *facts, self.window, self.image_min_size, self.made_with)
        return entry_folder(self.cache_dir, _KIND, *made_from)

    def bytes_of(self, window: Window) -> int:
        """What a window takes."""
        height, width = resized(window.box.size, self.image_min_size)
        return self.channels * height * width

    def _resized(
        self, window: Window, image: npt.NDArray[np.uint8], path: Path
    ) -> npt.NDArray[np.uint8]:
        return resize_keep_aspect(window.cut(image, path), self.image_min_size)

    def _keep(self, folder: Path, image: npt.NDArray[np.uint8], path: Path) -> None:
        """Writes all windows of an image; once that fails, this process tries no more."""

        def fill(writer: EntryWriter) -> list[int]:
            checksums = []
            for window in grid((image.shape[0], image.shape[1]), self.window):
                pixels = self._resized(window, image, path)
                writer.append(_ARRAY, pixels[None])
                checksums.append(zlib.crc32(pixels.data))
            return checksums

        try:
            write_entry(folder, fill)
        except CacheError as error:
            self.kept = frozenset()
            go_without(self.cache_dir, error)


def keep_windows(
    samples: Sequence[Sample],
    *,
    window: tuple[int, int],
    image_min_size: int | None,
    made_with: object,
    channels: int = 3,
    gigabytes: float,
    cache_dir: Path,
) -> WindowStore:
    """A store with room for the windows of samples; it is filled when they are asked for.

    Older entries, such as those of windows of another size, are removed where there would not be
    room for both.

    Args:
        samples: Windows are kept in this order, image by image, until the next do not fit.
        window: Height and width of a window.
        image_min_size: What windows are resized to.
        made_with: As of :class:`WindowStore`.
        channels: The bands of an image.
        gigabytes: Most disk space that all entries below ``cache_dir`` take together, in units of
            ``10**9`` bytes.
        cache_dir: The windows are kept in ``windows`` below it.

    Raises:
        DataError: If an image is missing.
    """
    store = WindowStore(cache_dir, window, image_min_size, made_with, channels=channels)
    needed: dict[Path, int] = {}
    for sample in samples:
        if sample.window is not None:
            needed[sample.image] = needed.get(sample.image, 0) + store.bytes_of(sample.window)
    folders = {path: store.folder_of(path) for path in needed}
    there = _entries(cache_dir / _KIND)
    free = int(free_space(cache_dir / _KIND) * _SHARE_OF_DISK)
    room = min(int(gigabytes * 1e9), sum(there.values()) + free)
    kept, used = [], 0
    for path, size in needed.items():
        if used + size > room:
            break
        kept.append(path)
        used += size
    store.kept = frozenset(kept)
    own = {folders[path] for path in kept}
    _make_room({f: size for f, size in there.items() if f not in own}, room - used)
    _say_how_much(len(kept), needed, gigabytes, cache_dir, is_there=own <= there.keys())
    return store


def _entries(folder: Path) -> dict[Path, int]:
    """The bytes of every entry, the oldest first."""
    found: list[tuple[float, Path, int]] = []
    with suppress(OSError):  # there is none yet, or it may not be looked into
        # Hidden ones are still in the making.
        for entry in (each for each in folder.iterdir() if not each.name.startswith(".")):
            with suppress(OSError):  # removed by another process
                files = [file.stat() for file in entry.iterdir()]
                found.append((entry.stat().st_mtime, entry, sum(f.st_size for f in files)))
    return {entry: size for _, entry, size in sorted(found)}


def _make_room(entries: Mapping[Path, int], room: int) -> None:
    """Removes the oldest entries until the others take no more than ``room``."""
    left = sum(entries.values())
    for entry, size in entries.items():
        if left <= room:
            return
        with suppress(CacheError):  # what cannot be removed does no harm
            remove_entry(entry)
        left -= size


def _say_how_much(
    kept: int, needed: Mapping[Path, int], gigabytes: float, cache_dir: Path, *, is_there: bool
) -> None:
    """Logs what will be kept, and warns of what will not."""
    size, images = sum(needed.values()) / 1e9, counted(len(needed), "image")
    if kept < len(needed):
        line = (
            f"data.window_cache_gb: there is room for the windows of {kept} of {images}, within "
            f"{gigabytes:g} GB and half of what is free on the disk of {cache_dir}; all need "
            f"{size:.1f} GB; the others are decoded for each of their windows, which is slow; "
            "make room, or raise it"
        )
        say_once(logger, logging.WARNING, line)
    elif not is_there:
        where = cache_dir / _KIND
        line = f"the windows of {images} are cut when first needed and kept: {size:.1f} GB, {where}"
        say_once(logger, logging.INFO, line)
