"""The areas of a map's classes as polygons, for programs that want outlines."""

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.georeference import Georeference
from aerialseg.data.images.opened_raster import gdal_errors, opened_raster, quiet_rasterio
from aerialseg.durations import counted
from aerialseg.storage.atomic_files import replacing

logger = logging.getLogger(__name__)

_TOLERANCE = 1.0
"""Pixels by which an outline may leave the edges of pixels, which are stairs."""

_LONGITUDE_AND_LATITUDE = "EPSG:4326"  # what GeoJSON wants, RFC 7946

_Ring = npt.NDArray[np.float32]
"""``(N, 2)``: columns and rows of corners, the first not repeated."""


def write_polygons(
    path: Path,
    map_path: Path,
    names: tuple[str, ...],
    georeference: Georeference,
    *,
    least_area: float,
) -> int:
    """Writes the connected areas of all classes as GeoJSON, each with its class and square metres.

    Smaller areas than ``least_area`` are left out, and holes of that size filled. Outlines are
    simplified to within a pixel (Douglas and Peucker), each for itself, so that between neighbours
    there may be a gap or an overlap of as much.

    Args:
        path: Ends in ``.geojson``.
        map_path: The map of class ids.
        names: Of the classes.
        georeference: Of the map; its pixels have an area.
        least_area: In square metres.

    Returns:
        The number of polygons.

    Raises:
        ValueError: If the pixels of the map have no area that is known.
        AerialsegError: If the file cannot be written.
    """
    with opened_raster(map_path) as raster:
        areas = georeference.row_areas(raster.height)
        if areas is None:
            raise ValueError(f"{map_path}: its pixels have no area that is known")
        found = _areas_of(raster, areas, least_area)
        number = lost = 0
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.write('{"type": "FeatureCollection", "features": [')
            for index, metres, rings in found:
                places = _places(rings, georeference)
                if places is None:
                    lost += 1
                    continue
                file.write(("," if number else "") + f"\n{_feature(names, index, metres, places)}")
                number += 1
            file.write("\n]}\n")
    if lost:
        line = "%s: %s across 180 degrees of longitude, or where the earth is not, left out"
        logger.warning(line, path, counted(lost, "area"))
    return number


def _feature(
    names: tuple[str, ...], index: int, metres: float, places: list[list[list[float]]]
) -> str:
    about = {"class": names[index], "id": index, "square_metres": round(metres, 2)}
    shape = {"type": "Polygon", "coordinates": places}
    return json.dumps({"type": "Feature", "properties": about, "geometry": shape})


def _areas_of(
    raster: Any,  # noqa: ANN401 - rasterio's, untyped
    row_areas: npt.NDArray[np.float64],
    least_area: float,
) -> Iterator[tuple[int, float, list[_Ring]]]:
    """Class, square metres, and outlines of each area; the outer outline is the first."""
    from rasterio import band
    from rasterio.features import shapes

    to_pixels, area_to = ~raster.transform, np.concatenate([[0.0], np.cumsum(row_areas)])
    for shape, value in shapes(band(raster, 1)):
        if int(value) == IGNORE_INDEX:
            continue
        rings = [
            np.rint(np.stack(to_pixels @ np.transpose(ring[:-1]), axis=1)).astype(np.float32)
            for ring in shape["coordinates"]
        ]
        metres = [_square_metres(ring, area_to) for ring in rings]
        kept = [ring for ring, area in zip(rings, metres, strict=True) if area >= least_area]
        whole = metres[0] - sum(area for area in metres[1:] if area >= least_area)
        if metres[0] >= least_area and whole >= least_area:
            yield int(value), whole, [_simplified(ring) for ring in kept]


def _square_metres(ring: _Ring, area_to: npt.NDArray[np.float64]) -> float:
    """The area inside a ring along the edges of pixels.

    Args:
        ring: It.
        area_to: ``(H + 1,)``: of a column of pixels, the area above each edge between rows.
    """
    columns, rows = ring.astype(np.int64).T
    return float(abs(np.dot(columns, area_to[np.roll(rows, -1)] - area_to[rows])))


def _simplified(ring: _Ring) -> _Ring:
    """The ring with fewer corners; as it is where fewer than three would be left."""
    fewer = cv2.approxPolyDP(ring[:, None], _TOLERANCE, closed=True)[:, 0]
    return ring if len(fewer) < 3 else np.asarray(fewer, np.float32)


def _places(rings: Iterable[_Ring], georeference: Georeference) -> list[list[list[float]]] | None:
    """Longitudes and latitudes of closed rings: the outer one anticlockwise, holes clockwise.

    Returns:
        None if the map's coordinates are none of the earth, or if a ring reaches around it.
    """
    warp = quiet_rasterio().warp
    placed = []
    for number, ring in enumerate(rings):
        columns, rows = ring.astype(np.float64).T
        x, y = georeference.transform @ (columns, rows)
        try:
            longitudes, latitudes = warp.transform(georeference.crs, _LONGITUDE_AND_LATITUDE, x, y)
        except gdal_errors():
            return None
        east = (np.asarray(longitudes) + 180) % 360 - 180
        corners = np.round(np.stack([east, latitudes], axis=1), 8)
        if not np.isfinite(corners).all() or np.ptp(corners[:, 0]) > 180:
            return None
        turn = np.dot(corners[:, 0], np.roll(corners[:, 1], -1) - np.roll(corners[:, 1], 1))
        ordered = corners if (turn > 0) == (number == 0) else corners[::-1]
        placed.append([*ordered.tolist(), ordered[0].tolist()])
    return placed
