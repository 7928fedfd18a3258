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
from aerialseg.data.images.opened_raster import opened_raster
from aerialseg.data.images.orientation import UPRIGHT
from aerialseg.data.images.raster_nodata import has_value, missing_in
from aerialseg.data.images.reading import read_header, read_orientation
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.rows import Rows
from aerialseg.errors import DataError


class RasterRows:
    """The rows of a file that rasterio has opened, as :func:`opened_rows` gives them.

    Args:
        raster: The opened file.
        path: It, for errors.
        reading: How it is read.
    """

    def __init__(self, raster: Any, path: Path, reading: Reading) -> None:  # noqa: ANN401 - untyped
        self._raster, self._path = raster, path
        colours = (1, 2, 3) if raster.count >= 3 else (1,)
        self._bands = reading.bands or colours
        self._reading = replace(reading, bands=self._bands)
        self._is_rgb = reading.bands is None
        self._palette = _palette_of(raster) if self._is_rgb else None
        bits = int(raster.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", 8))
        self._white = 2**bits - 1 if self._is_rgb else 255

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
        if self._palette is None:
            missing = missing_in(self._raster, values, self._reading, window)
            image = self._bytes_of(values)
        else:
            # What the file says of no data is a number of the palette, what is typed is a colour.
            said = replace(self._reading, nodata=None)
            missing = missing_in(self._raster, values, said, window)
            colours = self._palette[values[..., 0]]
            missing |= colours[..., 3] == 0
            image = np.ascontiguousarray(colours[..., :3])
            if self._reading.nodata is not None:
                missing |= has_value(image, (self._reading.nodata,) * 3)
        return Rows(first, image, missing if missing.any() else None)

    def _bytes_of(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """The bands of the network; grey becomes RGB."""
        if self._reading.ranges is not None:
            return to_bytes(values, self._reading.ranges)
        image = np.ascontiguousarray(values, dtype=np.uint8)
        if self._white != 255:  # of one to seven bits
            image = (image.astype(np.uint16) * 255 // self._white).astype(np.uint8)
        if self._is_rgb and image.shape[2] == 1:
            return np.repeat(image, 3, axis=2)
        return image


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
    with opened_raster(path) as raster:
        yield RasterRows(raster, path, reading)


def _palette_of(raster: Any) -> npt.NDArray[np.uint8] | None:  # noqa: ANN401 - rasterio's, untyped
    """``(256, 4)`` uint8 RGBA; None if the file has no palette."""
    if raster.colorinterp[0].name != "palette":
        return None
    palette = np.zeros((256, 4), dtype=np.uint8)
    for number, colour in raster.colormap(1).items():
        palette[number] = colour
    return palette
