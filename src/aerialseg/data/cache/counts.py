"""Pixels per class of every mask, counted once and kept."""

import logging
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np

from aerialseg.data.cache.store import entry_folder, find_entry, keep_entry
from aerialseg.data.checks.label_checks import LabelCounts
from aerialseg.data.checks.sample_checks import SampleChecks
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts.listing import Sample
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import stamp

logger = logging.getLogger(__name__)
_METHOD = 4  # goes into the fingerprint; a new number counts anew
_MANY = 200  # masks whose first pass takes more than a moment


def count_labels(
    samples: Sequence[Sample],
    reading: Reading,
    *,
    window: tuple[int, int] | None = None,
    cache_dir: Path,
) -> LabelCounts:
    """Counts the pixels of each class in each mask, and checks every sample on the way.

    Masks are decoded, and images of which a part may hold no data; of others the header and the
    end are read. The counts are kept, unless the
    data set has a fault. A file that changes makes other counts.

    Args:
        samples: Those without a mask get a row of zeros.
        reading: How, with the classes of the masks' values or colours.
        window: Height and width of the windows that larger images are served in; each has a row
            of its own, for its share.
        cache_dir: The counts are kept in ``statistics`` below it.

    Raises:
        DataError: As :meth:`SampleChecks.counts`.
    """
    # What is new is left out where it is not used, so that older counts are found.
    cut = [] if window is None else [window]
    made_from = (_METHOD, _stamps(samples), *reading.identity, *cut)
    folder = entry_folder(cache_dir, "statistics", *made_from)
    entry = find_entry(folder, again="the masks are counted")
    if entry is None:
        if len(samples) >= _MANY:
            masks = counted(len(samples), "mask")
            logger.info("checking and counting %s, once; the result is kept", masks)
        counts = SampleChecks(reading, window).counts(samples)
        keep_entry(folder, lambda writer: writer.append("counts", counts))
    else:
        counts = np.array(entry.arrays["counts"])  # in memory: the file is not kept open
    return LabelCounts(counts[:, :-2], counts[:, -2], counts[:, -1])


def _stamps(samples: Sequence[Sample]) -> list[object]:
    """Id of each sample, with name, size and time of change of its files."""
    try:
        return [
            (
                *(sample.id, stamp(sample.image), stamp(sample.mask)),
                *([] if sample.window is None else [astuple(sample.window)]),
            )
            for sample in samples
        ]
    except OSError as error:
        raise DataError(
            f"{error.filename}: {(error.strerror or 'cannot be read').lower()}"
        ) from None
