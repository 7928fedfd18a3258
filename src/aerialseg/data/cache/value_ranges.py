"""The values that percentiles of the training images are: computed once, or of a checkpoint."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import entry_folder, find_entry, keep_entry
from aerialseg.data.images.band_settings import Ranges
from aerialseg.data.images.formats import format_at
from aerialseg.data.images.missing_data import missing_data
from aerialseg.data.images.raster import FORMATS
from aerialseg.data.images.reading import read_stored
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts.listing import Sample
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import stamp

logger = logging.getLogger(__name__)
_METHOD = 2  # goes into the key; a new number computes anew
_IMAGES = 500  # most that are read, evenly spread over the training images
_PIXELS = 20_000  # most that are taken of one image
_FEW_IMAGES = 20  # by which a given range is judged
_USUAL = (2.0, 98.0)  # percentiles between which most values lie
_SHARE_INSIDE = 0.25  # of what lies between them, which a range must show
_LEVELS = 8  # of 256, over which it must be spread


class TrainingRanges:
    """Completes a reading by percentiles: with the values of a checkpoint, else computed once."""

    def __init__(self) -> None:
        self._ranges: Ranges | None = None

    def take(self, ranges: Ranges | None) -> None:
        """Takes the values that percentiles stood for when a checkpoint was trained."""
        self._ranges = ranges

    def applied(
        self, reading: Reading, images: Callable[[], Sequence[Sample]], cache_dir: Path
    ) -> Reading:
        """The reading with values for its percentiles, if it has any.

        Args:
            reading: As it was set.
            images: Gives the training images; called where the values are not known.
            cache_dir: As of :func:`percentile_ranges`.

        Raises:
            DataError: As :func:`percentile_ranges`.
        """
        if reading.percentiles is None:
            return reading
        if self._ranges is None:
            self._ranges = percentile_ranges(images(), reading, cache_dir)
        return replace(reading, ranges=self._ranges)


def percentile_ranges(samples: Sequence[Sample], reading: Reading, cache_dir: Path) -> Ranges:
    """The two percentiles of ``reading`` over images, for each band.

    Of at most 500 images, evenly spread, at most 20,000 pixels with data each, drawn at random,
    are compared. The same files give the same numbers.

    Args:
        samples: The training images.
        reading: Names bands and percentiles.
        cache_dir: The numbers are kept in ``value_ranges`` below it.

    Raises:
        DataError: If an image cannot be read, if no pixel has data, or if the two percentiles of a
            band are one value, which can be mapped to no range.
    """
    ranges = _kept(samples, reading, cache_dir)
    for band, (low, high) in zip(reading.bands or (), ranges.tolist(), strict=True):
        if not low < high:
            raise DataError(
                f"data.value_range: both percentiles of band {band} are {low:.6g} in the training "
                "images; set wider percentiles, or data.value_range=[LOW,HIGH], or leave the band "
                "out of data.bands"
            )
    return tuple((low, high) for low, high in ranges.tolist())


def range_warnings(samples: Sequence[Sample], reading: Reading, cache_dir: Path) -> list[str]:
    """Which bands ``data.value_range`` maps to nearly nothing, one line each.

    Args:
        samples: The training images, of which a few are read.
        reading: Names bands and the values that become 0 and 255.
        cache_dir: As of :func:`percentile_ranges`.
    """
    if reading.ranges is None or reading.percentiles is not None:
        return []
    few = samples[:: -(-len(samples) // _FEW_IMAGES)]
    seen = _kept(few, replace(reading, ranges=None, percentiles=_USUAL), cache_dir)
    warnings = []
    for band, (least, most), (low, high) in zip(
        reading.bands or (), seen.tolist(), reading.ranges, strict=True
    ):
        inside = min(high, most) - max(low, least)
        levels = 255 * inside / (high - low)
        if least < most and (inside < _SHARE_INSIDE * (most - least) or levels < _LEVELS):
            warnings.append(
                f"data.value_range: band {band} is mapped from {low:g} to {high:g}, but most of "
                f"its values in the training images are from {least:.6g} to {most:.6g}, so most "
                "of what it shows is lost; set a range that fits, or "
                "'data.value_range={percentiles: [2, 98]}'"
            )
    return warnings


def _kept(samples: Sequence[Sample], reading: Reading, cache_dir: Path) -> npt.NDArray[np.float64]:
    """``(B, 2)`` float64 percentiles of ``reading`` over images, computed once."""
    chosen = samples[:: -(-len(samples) // _IMAGES)]
    stamps = [stamp(sample.image) for sample in chosen]
    folder = entry_folder(cache_dir, "value_ranges", _METHOD, stamps, reading.identity[1:])
    entry = find_entry(folder, again="the values of the training images are read")
    if entry is None:
        logger.info("reading the values of %s, once", counted(len(chosen), "training image"))
        ranges = _computed(chosen, reading)
        keep_entry(folder, lambda writer: writer.append("ranges", ranges))
    else:
        ranges = np.array(entry.arrays["ranges"])
    return ranges


def _computed(samples: Sequence[Sample], reading: Reading) -> npt.NDArray[np.float64]:
    """``(B, 2)`` float64 percentiles."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        parts = list(pool.map(partial(_pixels_of, reading=reading), samples))
    values = np.concatenate(parts)
    if not len(values):
        raise DataError("data.value_range: no pixel of the training images holds data")
    return np.ascontiguousarray(np.percentile(values, reading.percentiles or (0, 100), axis=0).T)


def _pixels_of(sample: Sample, reading: Reading) -> npt.NDArray[np.float64]:
    """``(N, B)`` float64 values of one image where there is data."""
    values, missing = read_stored(sample.image, reading)
    if format_at(sample.image) not in FORMATS:  # whose values say nothing of it
        missing = missing_data(sample.image, replace(reading, exif_orientation=None))
    pixels = values.reshape(-1, values.shape[2])
    if missing is not None:
        pixels = pixels[~missing.reshape(-1)]
    # Even steps could be those of the rows, and show a few columns of the image only.
    if len(pixels) > _PIXELS:
        pixels = pixels[np.random.default_rng(0).choice(len(pixels), _PIXELS, replace=False)]
    return pixels.astype(np.float64)
