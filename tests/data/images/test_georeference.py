import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import Affine

from aerialseg.data.images.georeference import Georeference, georeference_of
from helpers.rasters import values_of, write_tiff
from helpers.tiny_data import random_image, save


def degrees(left, top, step):
    return Georeference(CRS.from_epsg(4326), Affine(step, 0, left, 0, -step, top))


def test_all_rows_of_the_earth_are_its_area():
    areas = degrees(-180, 90, 0.5).row_areas(360)
    assert areas.sum() * 720 == pytest.approx(510_065_621_724_088, rel=1e-12)  # WGS 84


def test_a_pixel_of_degrees_is_smaller_towards_the_poles():
    equator, north = (degrees(0, top, 1e-5).row_areas(1)[0] for top in (0, 60))
    # An arc second and so on: lengths of a degree at the equator and at 60 degrees, in metres.
    assert equator == pytest.approx(111_319.49e-5 * 110_574.28e-5, rel=1e-5)
    assert north == pytest.approx(55_800.6e-5 * 111_412.3e-5, rel=1e-4)


def test_projected_pixels_are_their_edges_multiplied():
    turned = Affine.rotation(30) @ Affine.scale(0.05, -0.05)
    metres = Georeference(CRS.from_epsg(32633), turned)
    assert metres.row_areas(3) == pytest.approx([0.0025] * 3)
    feet = Georeference(CRS.from_epsg(2229), Affine.scale(1, -1))  # US survey feet
    assert feet.row_areas(1) == pytest.approx([0.3048006096**2])


def test_turned_degrees_have_no_area_that_is_known():
    turned = Georeference(CRS.from_epsg(4326), Affine.rotation(30) @ Affine.scale(1e-5))
    assert turned.row_areas(2) is None


def test_only_maps_are_georeferenced(tmp_path):
    transform = Affine(0.1, 0, 500_000, 0, -0.1, 4_000_000)
    options = {"crs": CRS.from_epsg(32633), "transform": transform}
    path = write_tiff(tmp_path / "map.tif", values_of(3, "uint8"), **options)
    assert georeference_of(path) == Georeference(CRS.from_epsg(32633), transform)
    assert georeference_of(write_tiff(tmp_path / "a.tif", values_of(3, "uint8"))) is None
    assert georeference_of(save(tmp_path / "a.png", random_image())) is None
    assert np.isclose(georeference_of(path).row_areas(24).sum() * 32, 24 * 32 * 0.01)
