"""Pixels per class of every mask, counted once and kept."""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.data.cache.store import EntryWriter, entry_folder, open_entry, write_entry
from aerialseg.data.images.decoding import check_whole, opened
from aerialseg.data.images.headers import MAX_MEGAPIXELS
from aerialseg.data.images.masks import check_counts
from aerialseg.data.images.reading import MaskFormat, read_mask, read_size
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from aerialseg.rle import count_packed, pack
from aerialseg.storage.fingerprints import stamp

logger = logging.getLogger(__name__)
_METHOD = 1  # goes into the fingerprint; a new number counts anew
_SHOWN = 10  # problems printed at once
_MANY = 200  # masks whose first pass takes more than a moment
_EXIF_ORIENTATION = 274


def class_counts(
    samples: Sequence[Sample],
    classes: ClassTable,
    *,
    mask_format: MaskFormat,
    max_megapixels: float = MAX_MEGAPIXELS,
    cache_dir: Path,
) -> npt.NDArray[np.int64]:
    """Counts the pixels of each class in each mask, and checks every sample on the way.

    Masks are decoded; of images the header and the end are read. The counts are kept, unless the
    data set has a fault. A file that changes makes other counts.

    Args:
        samples: Those without a mask get a row of zeros.
        classes: The table that every id must be in.
        mask_format: What the pixels of a mask file are.
        max_megapixels: Most millions of pixels of an image or a mask.
        cache_dir: The counts are kept in ``statistics`` below it.

    Returns:
        ``(len(samples), num_classes)`` int64; ignored pixels are not counted.

    Raises:
        DataError: If an image or a mask is missing, damaged, cut short or too large, if their
            sizes differ, or if a mask is of the other format or has ids or colours of no class.
            One line each.
        AerialsegError: If the counts cannot be written.
    """
    made_from = (_METHOD, _stamps(samples), classes.to_mapping(), mask_format)
    folder = entry_folder(cache_dir, "statistics", *made_from)
    entry = open_entry(folder, again="the masks are counted")
    if entry is None:
        table = _check_and_count(samples, classes, mask_format, max_megapixels)

        def fill(writer: EntryWriter) -> None:
            writer.append("counts", table)

        entry = write_entry(folder, fill)
    return np.array(entry.arrays["counts"])  # in memory: the file is not kept open


def _check_and_count(
    samples: Sequence[Sample],
    classes: ClassTable,
    mask_format: MaskFormat,
    max_megapixels: float,
) -> npt.NDArray[np.int64]:
    """The counts themselves, or every problem that was met."""
    if len(samples) >= _MANY:
        logger.info("checking and counting %d masks, once; the result is kept", len(samples))
    colours = classes.palette[: len(classes)] if mask_format == "colour" else None

    def check(sample: Sample) -> npt.NDArray[np.int64] | DataError:
        try:
            return _count(sample, classes, colours, max_megapixels)
        except DataError as error:
            return DataError(*(f"{sample.name}: {problem}" for problem in error.problems))

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(check, samples))
    counts = [result for result in results if not isinstance(result, DataError)]
    problems = [
        line for result in results if isinstance(result, DataError) for line in result.problems
    ]
    if problems:
        more = len(problems) - _SHOWN
        raise DataError(*problems[:_SHOWN], *([f"and {more} more samples"] if more > 0 else []))
    return np.array(counts, dtype=np.int64).reshape(len(samples), len(classes))


def _count(
    sample: Sample,
    classes: ClassTable,
    colours: npt.NDArray[np.uint8] | None,
    max_megapixels: float,
) -> npt.NDArray[np.int64]:
    """The pixels of each class in one mask, once the sample has been checked."""
    size = read_size(sample.image, max_megapixels=max_megapixels)
    check_whole(sample.image)
    if sample.mask is None:
        return np.zeros(len(classes), dtype=np.int64)
    mask = read_mask(sample.mask, colours=colours, max_megapixels=max_megapixels)
    if mask.shape != size:
        raise DataError(
            f"{sample.image} is {size[1]}x{size[0]} and {sample.mask} is "
            f"{mask.shape[1]}x{mask.shape[0]} (width x height); wanted the same"
            f"{_orientation_hint(sample.image, max_megapixels)}"
        )
    histogram = count_packed(pack(mask))  # several times faster than pixel by pixel
    check_counts(histogram, classes, path=sample.mask)
    return histogram[: len(classes)]


def _orientation_hint(image: Path, max_megapixels: float) -> str:
    with opened(image, max_megapixels=max_megapixels) as file:
        orientation = file.getexif().get(_EXIF_ORIENTATION, 1)
    if orientation == 1:
        return ""
    return f"; the image's EXIF orientation ({orientation}) is ignored, so store it upright"


def _stamps(samples: Sequence[Sample]) -> list[object]:
    """Id of each sample, with name, size and time of change of its files."""
    try:
        return [(sample.id, stamp(sample.image), stamp(sample.mask)) for sample in samples]
    except OSError as error:
        raise DataError(
            f"{error.filename}: {(error.strerror or 'cannot be read').lower()}"
        ) from None
