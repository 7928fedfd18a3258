import json

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import transform

from aerialseg.classes import ClassTable
from aerialseg.data.images.georeference import Georeference
from aerialseg.data.images.map_polygons import write_polygons
from aerialseg.data.images.map_writing import write_map

CLASSES = ClassTable.from_mapping({"road": [1, 2, 3], "roof": [200, 0, 0], "tree": [0, 200, 0]})
PLACE = Georeference(CRS.from_epsg(32633), Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000))


def polygons_of(folder, mask, place=PLACE, least_area=0.25):
    write_map(folder / "a.tif", iter([mask]), mask.shape, CLASSES, place)
    target = folder / "a.geojson"
    number = write_polygons(target, folder / "a.tif", CLASSES.names, place, least_area=least_area)
    features = json.loads(target.read_text())["features"]
    assert len(features) == number
    return features


def courtyard():
    """A roof of 20 x 30 pixels with a courtyard of 6 x 5, and a corner without data."""
    mask = np.zeros((60, 80), np.uint8)
    mask[10:30, 20:50] = 1
    mask[15:21, 30:35] = 0
    mask[50:, 70:] = 255
    return mask


def test_areas_are_those_of_the_pixels(tmp_path):
    features = polygons_of(tmp_path, courtyard())
    about = [each["properties"] for each in features]
    found = sorted((each["class"], each["square_metres"]) for each in about)
    outside = (60 * 80 - 100 - 600) / 4
    assert found == [("road", 30 / 4), ("road", outside), ("roof", (600 - 30) / 4)]
    assert {each["id"] for each in about} == {0, 1}


def test_corners_lie_where_the_map_says(tmp_path):
    (roof,) = [f for f in polygons_of(tmp_path, courtyard()) if f["properties"]["id"] == 1]
    outer, hole = roof["geometry"]["coordinates"]
    for ring, (top, bottom, left, right) in ((outer, (10, 30, 20, 50)), (hole, (15, 21, 30, 35))):
        assert ring[0] == ring[-1]
        corners = {(c, r) for c in (left, right) for r in (top, bottom)}
        metres = [PLACE.transform @ corner for corner in corners]
        wanted = np.transpose(transform(PLACE.crs, "EPSG:4326", *np.transpose(metres)))
        assert np.allclose(sorted(map(tuple, ring[:-1])), sorted(map(tuple, wanted)), atol=2e-8)


def turning(ring):
    (x, y) = np.transpose(ring)
    return np.sign(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))


def test_rings_turn_as_the_format_wants(tmp_path):
    for feature in polygons_of(tmp_path, courtyard()):
        outer, *holes = feature["geometry"]["coordinates"]
        assert turning(outer) == 1
        assert {turning(hole) for hole in holes} <= {-1}


def test_what_is_small_is_left_out_and_its_place_filled(tmp_path):
    features = polygons_of(tmp_path, courtyard(), least_area=10)
    found = {each["properties"]["class"]: each for each in features}
    assert set(found) == {"road", "roof"}
    assert len(found["roof"]["geometry"]["coordinates"]) == 1
    assert found["roof"]["properties"]["square_metres"] == 600 / 4
    assert polygons_of(tmp_path, courtyard(), least_area=5000) == []


def test_outlines_are_no_stairs(tmp_path):
    rows, columns = np.mgrid[:200, :200]
    mask = ((rows - 100) ** 2 + (columns - 100) ** 2 < 80**2).astype(np.uint8)
    (circle,) = [f for f in polygons_of(tmp_path, mask) if f["properties"]["id"] == 1]
    (outer,) = circle["geometry"]["coordinates"]
    assert len(outer) < 80  # of some 640 steps of pixels
    assert circle["properties"]["square_metres"] == mask.sum() / 4


def test_a_map_without_areas_is_refused(tmp_path):
    turned = Georeference(CRS.from_epsg(4326), Affine.rotation(30) @ Affine.scale(1e-5))
    with pytest.raises(ValueError, match="no area that is known"):
        polygons_of(tmp_path, courtyard(), place=turned)
