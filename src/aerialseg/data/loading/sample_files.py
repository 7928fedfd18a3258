"""The files of samples, each read as its data set is."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.data.images.crops import Crop
from aerialseg.data.images.last_read import FileReader, LastRead
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.missing_data import missing_bytes, missing_data, without_data
from aerialseg.data.images.reading import (
    read_image,
    read_mask,
    read_part,
    read_resized,
    read_size,
)
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.windows import Window
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import ConfigError, DataError


class SampleFiles:
    """Reads images and masks of samples.

    Args:
        readings: How, by the name of the data set; that of a single one is empty.
    """

    def __init__(self, readings: Mapping[str, Reading]) -> None:
        self._readings = readings
        self._whole_images = _last_reads(read_image, readings)
        self._whole_masks = _last_reads(read_mask, readings)
        self._whole_missing = _last_reads(missing_bytes, readings)

    @property
    def channels(self) -> int:
        """The channels of the images, which are the same in all data sets."""
        return next(iter(self._readings.values())).channels

    def made_with(self, identity: Callable[[Reading], tuple[object, ...]]) -> object:
        """What decides how files are read, as JSON can write it; of several data sets by name."""
        found = {name: identity(reading) for name, reading in self._readings.items()}
        return found.get("", found)

    def size(self, sample: Sample) -> tuple[int, int]:
        """Height and width of an image in pixels, upright if orientations are applied."""
        return read_size(sample.image, self._readings[sample.data_set])

    def image(
        self, sample: Sample, image_min_size: int | None
    ) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
        """The resized pixels of an image, and its height and width before."""
        return read_resized(sample.image, image_min_size, self._readings[sample.data_set])

    def part(self, sample: Sample, crop: Crop) -> npt.NDArray[np.uint8]:
        """The pixels of a crop of an image, perhaps fewer, as :func:`read_part` says."""
        return read_part(sample.image, crop.box, crop.shrink, self._readings[sample.data_set])

    def whole_image(self, sample: Sample) -> LastRead:
        """What reads the whole image of a sample, and keeps it for its next window."""
        return self._whole_images[sample.data_set]

    def mask(self, sample: Sample) -> npt.NDArray[np.uint8]:
        """The whole mask of a sample, with 255 where its image holds no data.

        Raises:
            DataError: If there is none, if its file cannot be read, or if it holds what stands for
                no class.
        """
        if sample.mask is None:
            raise DataError("has no mask")
        reading = self._readings[sample.data_set]
        return without_data(read_mask(sample.mask, reading), missing_data(sample.image, reading))

    def window_mask(self, sample: Sample, window: Window) -> npt.NDArray[np.uint8]:
        """The part of it in a window; the whole is kept for the next one."""
        if sample.mask is None:
            raise DataError("has no mask")
        mask = window.cut(self._whole_masks[sample.data_set](sample.mask), sample.mask)
        missing = window.cut(self._whole_missing[sample.data_set](sample.image), sample.image)
        return without_data(mask, missing.view(np.bool_))


def with_encoding(reading: Reading, classes: ClassTable) -> Reading:
    """The reading with an encoding, of which the masks get the ids of the class table.

    Raises:
        ConfigError: If it has the encoding of another class table.
    """
    if reading.encoding is None:
        reading = replace(reading, encoding=MaskEncoding(classes))
    mapped = reading.class_map
    given = reading.given_encoding.classes if mapped is None else mapped.trained
    if given != classes:
        raise ConfigError(
            f"reading: gives the classes {', '.join(given.names)}, but classes are "
            f"{', '.join(classes.names)}; give both the same class table"
        )
    return reading


def _last_reads(read: FileReader, readings: Mapping[str, Reading]) -> dict[str, LastRead]:
    return {name: LastRead(read, reading) for name, reading in readings.items()}
