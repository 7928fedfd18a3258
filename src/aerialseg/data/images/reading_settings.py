"""How the files of a data set are read: all settings that decide it, in one value."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aerialseg.data.images.band_settings import (
    Ranges,
    ValueRange,
    check_band_settings,
    percentiles_of,
    ranges_of,
)
from aerialseg.data.images.headers import MAX_MEGAPIXELS
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.orientation import ExifOrientation
from aerialseg.data.sources.class_map import ClassMap
from aerialseg.durations import counted

RGB = 3
"""Bands of an image where none are named."""


@dataclass(frozen=True)
class FileKind:
    """What the pixels of a file are.

    Attributes:
        bands: How many there are.
        dtype: NumPy's name of their type.
    """

    bands: int
    dtype: str

    def __str__(self) -> str:
        return f"{counted(self.bands, 'band')} of {self.dtype}"


@dataclass(frozen=True)
class Reading:
    """How images and masks are read. A new setting is a field here, and part of ``identity``.

    Args:
        encoding: Which class each value or colour of a mask stands for; None takes values as ids.
        exif_orientation: ``apply`` turns images and masks as viewers do. ``ignore`` takes pixels
            as they are stored; so does None, with which the checks before training refuse files
            that have an orientation.
        max_megapixels: Most millions of pixels of an image or a mask, asked of their headers.
        class_map: What the classes of the encoding become; None leaves them as they are.
        bands: Which bands of an image are used, the first being 1; None reads 8-bit RGB.
        ranges: For each of ``bands``, the values that become 0 and 255; None for bytes as they
            are.
        percentiles: The percentiles of the training images' values that ``ranges`` become.
        nodata: The value of pixels without data, besides what files say.
        kind: What files must hold where ``bands`` are read; None for anything.
    """

    encoding: MaskEncoding | None = None
    exif_orientation: ExifOrientation | None = None
    max_megapixels: float = MAX_MEGAPIXELS
    class_map: ClassMap | None = None
    bands: tuple[int, ...] | None = None
    ranges: Ranges | None = None
    percentiles: tuple[float, float] | None = None
    nodata: float | None = None
    kind: FileKind | None = None

    @property
    def channels(self) -> int:
        """The channels of the images."""
        return RGB if self.bands is None else len(self.bands)

    @property
    def given_encoding(self) -> MaskEncoding:
        """The encoding, where masks cannot be understood without one.

        Raises:
            ValueError: If there is none.
        """
        if self.encoding is None:
            raise ValueError("a Reading without an encoding does not say what masks hold")
        return self.encoding

    @property
    def unmapped(self) -> "Reading":
        """The same with the classes that the masks were labelled with."""
        return replace(self, class_map=None)

    @property
    def applies_orientation(self) -> bool:
        """Whether EXIF orientations turn images and masks."""
        return self.exif_orientation == "apply"

    @property
    def identity(self) -> tuple[Any, ...]:
        """All that decides which pixels are read and what they stand for, as JSON can write it.

        What was added later is left out where it is not used, so that caches stay valid.
        """
        meaning = None if self.encoding is None else self.encoding.identity
        return (meaning, self.exif_orientation, *self._of_map, *self._of_bands)

    @property
    def identity_of_images(self) -> tuple[Any, ...]:
        """All that decides the pixels of images, as JSON can write it; not what masks mean."""
        return (self.exif_orientation, *self._of_bands)

    @property
    def chosen(self) -> list[Any]:
        """What differs from a plain reading, as JSON can write it; the class table aside."""
        is_plain = self.encoding is None or self.encoding.is_plain
        if is_plain and self.exif_orientation is None and self.class_map is None:
            return self._of_bands
        meaning = None if self.encoding is None else self.encoding.identity[1:]
        return [(meaning, self.exif_orientation), *self._of_map, *self._of_bands]

    @property
    def _of_map(self) -> list[Any]:
        return [] if self.class_map is None else [self.class_map.identity]

    @property
    def _of_bands(self) -> list[Any]:
        """What was said of bands, by name; empty where nothing was."""
        said = {
            "bands": self.bands,
            "ranges": self.ranges,
            "percentiles": self.percentiles,
            "nodata": self.nodata,
        }
        return [{name: value for name, value in said.items() if value is not None}] * any(
            value is not None for value in said.values()
        )


def reading_of_images(
    exif_orientation: ExifOrientation | None,
    max_megapixels: float,
    bands: Sequence[int] | None,
    value_range: ValueRange | None,
    nodata: float | None,
) -> Reading:
    """How images are read, from the settings of a data module.

    Raises:
        ConfigError: As :func:`~aerialseg.data.images.band_settings.check_band_settings`.
    """
    check_band_settings(bands, value_range, nodata)
    return Reading(
        exif_orientation=exif_orientation,
        max_megapixels=max_megapixels,
        bands=None if bands is None else tuple(bands),
        ranges=ranges_of(value_range, len(bands or ())),
        percentiles=percentiles_of(value_range),
        nodata=nodata,
    )


AS_STORED = Reading()
"""Pixels as they are stored, values of masks as class ids."""
