"""Digest and size of every image file, read once and kept."""

import hashlib
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import EntryWriter, entry_folder, find_entry, keep_entry
from aerialseg.data.images.reading import read_size
from aerialseg.data.images.reading_settings import AS_STORED, Reading
from aerialseg.data.layouts.listing import Sample
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import stamp

logger = logging.getLogger(__name__)
_METHOD = 1  # goes into the key; a new number reads every image anew
_DIGEST_BYTES = 8  # the chance that any two of 100,000 images share one is 1 in 4 thousand million
_MANY = 200  # images whose first reading takes more than a moment


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """What is known of image files, one row each.

    Attributes:
        digests: BLAKE2b of each file's bytes, 16 hex digits: copies of a file have the same.
        sizes: ``(N, 2)`` int64 height and width in pixels, upright if orientations are applied.
    """

    digests: tuple[str, ...]
    sizes: npt.NDArray[np.int64]


def image_facts(
    samples: Sequence[Sample], reading: Reading = AS_STORED, *, cache_dir: Path
) -> ImageFacts:
    """Reads every image file once; the next time, unchanged files are not opened.

    Args:
        samples: Their images.
        reading: How.
        cache_dir: The facts are kept in ``images`` below it.

    Raises:
        DataError: If an image is missing or cannot be read.
    """
    stamps = [stamp(sample.image) for sample in samples]
    # What is new is left out where it is not used, so that older facts are found.
    turned = ["upright"] if reading.applies_orientation else []
    folder = entry_folder(cache_dir, "images", _METHOD, stamps, *turned)
    entry = find_entry(folder, again="the images are read")
    if entry is None:
        digests, sizes = _read(samples, reading)

        def fill(writer: EntryWriter) -> None:
            writer.append("digests", digests)
            writer.append("sizes", sizes)

        keep_entry(folder, fill)
    else:  # in memory: the files are not kept open
        digests, sizes = np.array(entry.arrays["digests"]), np.array(entry.arrays["sizes"])
    return ImageFacts(tuple(row.tobytes().hex() for row in digests), sizes)


def _read(
    samples: Sequence[Sample], reading: Reading
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """``(N, 8)`` digests and ``(N, 2)`` sizes, several files at a time."""
    if len(samples) >= _MANY:
        logger.info("reading %s, once; their digests are kept", counted(len(samples), "image"))

    def read(sample: Sample) -> tuple[bytes, tuple[int, int]]:
        return digest_of(sample.image), read_size(sample.image, reading)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = list(pool.map(read, samples))
    digests = np.frombuffer(b"".join(digest for digest, _ in found), dtype=np.uint8)
    sizes = np.array([size for _, size in found], dtype=np.int64)
    return digests.reshape(len(samples), _DIGEST_BYTES), sizes.reshape(len(samples), 2)


def digest_of(path: Path) -> bytes:
    """BLAKE2b of a file's bytes, 8 bytes; DataError if it cannot be read."""
    try:
        with path.open("rb") as file:
            hashed = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES))
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    return hashed.digest()
