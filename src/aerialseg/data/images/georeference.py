"""Where on the ground the pixels of a map lie, and how large they are there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.formats import format_at
from aerialseg.data.images.opened_raster import opened_raster

_AXIS, _FLATTENING = 6378137.0, 1 / 298.257223563  # WGS 84, in metres
_ECCENTRICITY = (_FLATTENING * (2 - _FLATTENING)) ** 0.5


@dataclass(frozen=True)
class Georeference:
    """What a map says of the ground.

    Attributes:
        crs: Its coordinate reference system, of rasterio.
        transform: From columns and rows to coordinates, an affine transform of rasterio.
    """

    crs: Any
    transform: Any

    def row_areas(self, height: int) -> npt.NDArray[np.float64] | None:
        """The area of a pixel of each row, ``(height,)`` in square metres.

        Where coordinates are degrees, those of the ellipsoid WGS 84, from which others differ by
        less than 0.1 %. Projected coordinates are taken as they are: one that does not keep areas,
        as the Mercator projection of web maps, makes them too large away from its lines of contact.

        Returns:
            None if the coordinates are neither metres, another length, nor degrees along the rows.
        """
        place = self.transform
        if self.crs.is_projected:
            metres = float(self.crs.linear_units_factor[1])
            return np.full(height, abs(place.determinant) * metres**2)
        if not self.crs.is_geographic or place.b or place.d:
            return None
        edges = np.radians(place.f + place.e * np.arange(height + 1))
        below_pole = np.clip(edges, -np.pi / 2, np.pi / 2)
        return np.asarray(np.abs(np.diff(_area_to(below_pole)) * np.radians(place.a)))


def georeference_of(path: Path) -> Georeference | None:
    """The georeference of a TIFF; None of any other file, and of one that says nothing.

    Raises:
        DataError: If its header cannot be read.
    """
    if format_at(path) != "TIFF":
        return None
    with opened_raster(path) as raster:
        if raster.crs is None or raster.transform.is_identity:
            return None
        return Georeference(raster.crs, raster.transform)


def _area_to(latitude: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Area between the equator and a latitude, for each radian of longitude, in square metres."""
    sine, e = np.sin(latitude), _ECCENTRICITY
    minor = _AXIS * (1 - _FLATTENING)
    return np.asarray(minor**2 / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e))
