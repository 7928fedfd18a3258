"""Measurements of images and masks, made once for each file and kept: a killed run goes on."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import Entry, EntryWriter, entry_folder, find_entry, keep_entry
from aerialseg.data.checks.camera_data import CameraData, Position
from aerialseg.data.checks.image_measurements import ImageMeasurements, measured_image
from aerialseg.data.checks.local_features import LocalFeatures
from aerialseg.data.checks.sample_checks import SampleChecks, Turned
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from aerialseg.storage.fingerprints import stamp

_METHOD = 1  # goes into the keys; a new number measures every file anew
_IMAGES, _MASKS = "inspected_images", "inspected_masks"
_ARRAYS = ("points", "descriptors", "mirrored_points", "mirrored_descriptors", "hashes")


def image_measurements(path: Path, reading: Reading, *, cache_dir: Path) -> ImageMeasurements:
    """The measurements of an image; an unchanged file is not opened again.

    Args:
        path: The file.
        reading: How it is read.
        cache_dir: They are kept in ``inspected_images`` below it.

    Raises:
        DataError: As :func:`~aerialseg.data.checks.image_measurements.measured_image`; that is
            found anew each time.
    """
    kept = kept_measurements(path, reading, cache_dir=cache_dir)
    if kept is not None:
        return kept
    folder = _folder(path, reading, cache_dir)
    measured = measured_image(path, reading)
    keep_entry(folder, lambda writer: _fill(writer, measured))
    return measured


def kept_measurements(path: Path, reading: Reading, *, cache_dir: Path) -> ImageMeasurements | None:
    """The measurements of an image as it is now; None if they were not made.

    Args:
        path: The file, which is not opened.
        reading: As of :func:`image_measurements`.
        cache_dir: Likewise.

    Raises:
        DataError: If the file cannot be reached.
    """
    entry = find_entry(_folder(path, reading, cache_dir), again="the image is measured")
    return None if entry is None else _restored(entry)


def mask_counts(
    sample: Sample, checks: SampleChecks, *, cache_dir: Path
) -> npt.NDArray[np.int64] | Turned | DataError:
    """The pixels of a sample by class, or what is wrong with image and mask together.

    Args:
        sample: With or without a mask.
        checks: How it is checked, as whole images.
        cache_dir: What is in order is kept in ``inspected_masks`` below it.

    Returns:
        ``(num_classes + 2,)`` int64 pixels of each class, those ignored, those without data; or as
        :meth:`SampleChecks.checked`.
    """
    try:
        made_from = (_METHOD, _stamp(sample.image), _stamp(sample.mask), *checks.reading.identity)
    except DataError as error:
        return error
    folder = entry_folder(cache_dir, _MASKS, *made_from)
    entry = find_entry(folder, again="the mask is counted")
    if entry is not None:
        return np.array(entry.arrays["counts"])
    found = checks.checked(sample)
    if not isinstance(found, np.ndarray):
        return found
    counts = found.sum(axis=0)
    keep_entry(folder, lambda writer: writer.append("counts", counts))
    return np.asarray(counts)


def _folder(path: Path, reading: Reading, cache_dir: Path) -> Path:
    """Where the measurements of an image are kept."""
    made_from = (_METHOD, _stamp(path), *reading.identity_of_images)
    return entry_folder(cache_dir, _IMAGES, *made_from)


def _stamp(path: Path | None) -> object:
    """The stamp of a file; DataError if it cannot be reached."""
    try:
        return stamp(path)
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def _fill(writer: EntryWriter, measured: ImageMeasurements) -> Mapping[str, Any]:
    """Writes the arrays and returns the rest, as JSON can hold it."""
    for name in _ARRAYS:
        array = getattr(measured.features, name)
        if len(array):
            writer.append(name, array)
    facts = {
        name: value
        for name, value in vars(measured).items()
        if name not in ("features", "camera", "size")
    }
    return facts | {
        "size": measured.size,
        "camera": asdict(measured.camera),
        "reduced_size": measured.features.size,
    }


def _restored(entry: Entry) -> ImageMeasurements:
    """The measurements of an entry, in memory: its files are not kept open."""
    facts = dict(entry.content)
    camera = facts.pop("camera")
    place = camera.pop("position")
    reduced_size = tuple(facts.pop("reduced_size"))
    arrays: dict[str, Any] = {  # an image without corners has none to keep
        "points": np.empty((0, 2), dtype=np.float32),
        "descriptors": np.empty((0, 32), dtype=np.uint8),
    }
    arrays |= {f"mirrored_{name}": array for name, array in arrays.items()}
    arrays |= {name: np.array(array) for name, array in entry.arrays.items()}
    return ImageMeasurements(
        **{**facts, "size": tuple(facts["size"])},
        camera=CameraData(position=None if place is None else Position(**place), **camera),
        features=LocalFeatures(**arrays, size=reduced_size),
    )
