"""Rows of TIFF, PNG and JPEG files of any size, of which only those that are asked for are held."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.band_settings import to_bytes
from aerialseg.data.images.formats import CUT_SHORT, format_at, undecodable
from aerialseg.data.images.jpeg_scans import lacks_scans
from aerialseg.data.images.opened_raster import opened_raster
from aerialseg.data.images.orientation import UPRIGHT
from aerialseg.data.images.raster_nodata import has_value, missing_in
from aerialseg.data.images.reading import read_header, read_orientation
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.rows import Rows
from aerialseg.errors import DataError

_DEFLATED = 1032
"""Bytes that one byte of the compression of PNG can stand for, at most."""


class RasterRows:
    """The rows of a file that rasterio has opened, as :func:`opened_rows` gives them.

    Args:
        raster: The opened file.
        reading: How it is read.
    """

    def __init__(self, raster: Any, reading: Reading) -> None:  # noqa: ANN401 - untyped
        self._raster = raster
        colours = (1, 2, 3) if raster.count >= 3 else (1,)
        self._bands = reading.bands or colours
        self._reading = replace(reading, bands=self._bands)
        self._is_rgb = reading.bands is None
        self._palette = _palette_of(raster) if self._is_rgb else None
        self._white = 2 ** int(raster.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", 8)) - 1
        self._is_inverted = raster.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") == "YES"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self._raster.height), int(self._raster.width)

    def read(self, first: int, end: int) -> Rows:
        """The rows from ``first`` to ``end``.

        Raises:
            DataError: If they are damaged.
        """
        window = ((first, end), (0, self.size[1]))
        values = np.moveaxis(self._raster.read(list(self._bands), window=window), 0, -1)
        if not self._is_rgb:
            missing = missing_in(self._raster, values, self._reading, window)
            return Rows(first, self._served_bands(values), missing if missing.any() else None)
        # What the file says of no data is a stored value, what is typed is a colour.
        missing = missing_in(self._raster, values, replace(self._reading, nodata=None), window)
        image, opacity = self._served_colours(values)
        missing |= opacity == 0
        if self._reading.nodata is not None:
            missing |= has_value(image, (self._reading.nodata,) * 3)
        return Rows(first, image, missing if missing.any() else None)

    def _served_bands(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """The bytes of bands."""
        if self._reading.ranges is not None:
            return to_bytes(values, self._reading.ranges)
        return np.ascontiguousarray(values, dtype=np.uint8)

    def _served_colours(
        self, values: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | np.uint8]:
        """RGB, and how opaque a palette says that it is."""
        if self._palette is not None:
            colours = self._palette[values[..., 0]]
            return np.ascontiguousarray(colours[..., :3]), colours[..., 3]
        image = np.ascontiguousarray(values, dtype=np.uint8)
        if self._white != 255:  # of one to seven bits
            image = (image.astype(np.uint16) * 255 // self._white).astype(np.uint8)
        if self._is_inverted:
            image = 255 - image
        return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image, np.uint8(255)


@contextmanager
def opened_rows(path: Path, reading: Reading) -> Iterator[RasterRows]:
    """The rows of a file; however many pixels it has, no more are held than are asked for.

    Args:
        path: A TIFF, PNG or JPEG.
        reading: How it is read. Its limit on megapixels is for images that are held whole.

    Raises:
        DataError: If it cannot be read, has other bands than wanted, or an EXIF orientation by
            which it would be turned; rows are read as they are stored.
    """
    unlimited = replace(reading, max_megapixels=inf)
    read_header(path, unlimited)  # refuses what is no image of these bands
    if reading.applies_orientation and read_orientation(path, unlimited) != UPRIGHT:
        raise DataError(
            f"{path}: has an EXIF orientation, and is too large to be turned; store it upright, or "
            "set data.exif_orientation=ignore"
        )
    if format_at(path) == "JPEG" and lacks_scans(path.read_bytes()):
        raise undecodable(path, "its last scans are missing")
    with opened_raster(path) as raster:
        bytes_of_pixels = raster.height * raster.width * raster.count // 8  # of one bit at least
        if raster.driver == "PNG" and path.stat().st_size * _DEFLATED < bytes_of_pixels:
            raise undecodable(path, CUT_SHORT)
        yield RasterRows(raster, reading)


def _palette_of(raster: Any) -> npt.NDArray[np.uint8] | None:  # noqa: ANN401 - rasterio's, untyped
    """``(256, 4)`` uint8 RGBA; None if the file has no palette."""
    if raster.colorinterp[0].name != "palette":
        return None
    palette = np.zeros((256, 4), dtype=np.uint8)
    for number, colour in raster.colormap(1).items():
        palette[number] = colour
    return palette
