"""Where on the ground the pixels of a map lie, and how large they are there."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.formats import format_at
from aerialseg.data.images.opened_raster import opened_raster
from aerialseg.data.notices import say_once

logger = logging.getLogger(__name__)

_SPHEROID = re.compile(r'SPHEROID\["[^"]*",\s*([\d.eE+]+),\s*([\d.eE+]+)')
"""Of a coordinate reference system: major axis in metres and 1 / flattening, 0 of a sphere."""


@dataclass(frozen=True)
class Georeference:
    """What a map says of the ground.

    Attributes:
        crs: Its coordinate reference system, of rasterio; ``None`` if it does not say.
        transform: From columns and rows to coordinates, an affine transform of rasterio.
    """

    crs: Any
    transform: Any

    def row_areas(self, height: int) -> npt.NDArray[np.float64] | None:
        """The area of a pixel of each row, ``(height,)`` in square metres.

        Where coordinates are angles, those on the ellipsoid that they are of. Projected coordinates
        are taken as they are: a projection that does not keep areas, as that of Mercator for web
        maps, makes them too large away from its lines of contact.

        Returns:
            None if the coordinates are neither lengths nor angles along the rows.
        """
        place = self.transform
        if self.crs is None:
            return None
        unit = float(self.crs.units_factor[1])
        if self.crs.is_projected:
            return np.full(height, abs(place.determinant) * unit**2)
        spheroid = _SPHEROID.search(self.crs.to_wkt())
        if not self.crs.is_geographic or place.b or place.d or spheroid is None:
            return None
        axis, inverse_flattening = map(float, spheroid.groups())
        edges = (place.f + place.e * np.arange(height + 1)) * unit
        up_to_pole = np.clip(edges, -np.pi / 2, np.pi / 2)
        bands = _area_to(up_to_pole, axis, inverse_flattening)
        return np.asarray(np.abs(np.diff(bands) * place.a * unit))


def georeference_of(path: Path) -> Georeference | None:
    """The georeference of a TIFF; None of any other file, and of one that has none.

    One that is placed by ground control points alone has none: a warning says so once.

    Raises:
        DataError: If its header cannot be read.
    """
    if format_at(path) != "TIFF":
        return None
    with opened_raster(path) as raster:
        if not raster.transform.is_identity:
            return Georeference(raster.crs, raster.transform)
        if raster.gcps[0]:
            text = f"{path}: is placed by ground control points, which are not kept; warp it first"
            say_once(logger, logging.WARNING, text)
        return None


def _area_to(
    latitude: npt.NDArray[np.float64], axis: float, inverse_flattening: float
) -> npt.NDArray[np.float64]:
    """Area between the equator and a latitude, for each radian of longitude, in square metres."""
    sine = np.sin(latitude)
    if inverse_flattening == 0:
        return np.asarray(axis**2 * sine)
    flattening = 1 / inverse_flattening
    minor, e = axis * (1 - flattening), (flattening * (2 - flattening)) ** 0.5
    return np.asarray(minor**2 / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e))
