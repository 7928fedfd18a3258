"""The areas of a map's classes as polygons, for programs that want outlines."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.georeference import Georeference
from aerialseg.data.images.opened_raster import opened_raster, quiet_rasterio
from aerialseg.storage.atomic_files import replacing

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
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.write('{"type": "FeatureCollection", "features": [')
            number = 0
            for number, (index, metres, rings) in enumerate(found, start=1):
                shape = {"type": "Polygon", "coordinates": _places(rings, georeference)}
                about = {"class": names[index], "id": index, "square_metres": round(metres, 2)}
                feature = {"type": "Feature", "properties": about, "geometry": shape}
                file.write(("," if number > 1 else "") + "\n" + json.dumps(feature))
            file.write("\n]}\n")
    return number


def _areas_of(
    raster: Any,  # noqa: ANN401 - rasterio's, untyped
    row_areas: npt.NDArray[np.float64],
    least_area: float,
) -> Iterator[tuple[int, float, list[_Ring]]]:
    """Class, square metres, and outlines of each area; the outer outline is the first."""
    from rasterio import band
    from rasterio.features import shapes

    to_pixels = ~raster.transform
    for shape, value in shapes(band(raster, 1)):
        if int(value) == IGNORE_INDEX:
            continue
        rings = [
            np.rint(np.stack(to_pixels @ np.transpose(ring[:-1]), axis=1)).astype(np.float32)
            for ring in shape["coordinates"]
        ]
        metres = [_square_metres(ring, row_areas) for ring in rings]
        kept = [ring for ring, area in zip(rings, metres, strict=True) if area >= least_area]
        whole = metres[0] - sum(area for area in metres[1:] if area >= least_area)
        if metres[0] >= least_area and whole >= least_area:
            yield int(value), whole, [_simplified(ring) for ring in kept]


def _square_metres(ring: _Ring, row_areas: npt.NDArray[np.float64]) -> float:
    """The area inside a ring, by the pixels of its middle row."""
    columns, rows = ring.astype(np.float64).T
    pixels = abs(np.dot(columns, np.roll(rows, 1)) - np.dot(rows, np.roll(columns, 1))) / 2
    return float(pixels * row_areas[min(int(rows.mean()), len(row_areas) - 1)])


def _simplified(ring: _Ring) -> _Ring:
    """The ring with fewer corners; as it is where fewer than three would be left."""
    fewer = cv2.approxPolyDP(ring[:, None], _TOLERANCE, closed=True)[:, 0]
    return ring if len(fewer) < 3 else np.asarray(fewer, np.float32)


def _places(rings: Iterable[_Ring], georeference: Georeference) -> list[list[list[float]]]:
    """Longitudes and latitudes of closed rings: the outer one anticlockwise, holes clockwise."""
    warp = quiet_rasterio().warp
    placed = []
    for number, ring in enumerate(rings):
        columns, rows = ring.astype(np.float64).T
        x, y = georeference.transform @ (columns, rows)
        longitudes, latitudes = warp.transform(georeference.crs, _LONGITUDE_AND_LATITUDE, x, y)
        corners = np.round(np.stack([longitudes, latitudes], axis=1), 8)
        turn = np.dot(corners[:, 0], np.roll(corners[:, 1], -1) - np.roll(corners[:, 1], 1))
        ordered = corners if (turn > 0) == (number == 0) else corners[::-1]
        placed.append([*ordered.tolist(), ordered[0].tolist()])
    return placed
