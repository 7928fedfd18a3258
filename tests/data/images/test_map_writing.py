from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import Affine

from aerialseg.classes import ClassTable
from aerialseg.data.images.georeference import Georeference
from aerialseg.data.images.map_writing import write_map
from aerialseg.errors import AerialsegError

CLASSES = ClassTable.from_mapping(
    {"road": [10, 20, 30], "trees & <bushes>": [0, 200, 0], "roof": [200, 0, 0]}
)
PLACE = Georeference(CRS.from_epsg(32633), Affine(0.1, 0, 500_000, 0, -0.1, 4_000_000))


def mask_of(size, seed=0):
    mask = np.random.default_rng(seed).integers(0, 3, size, dtype=np.uint8)
    mask[:, 5:9] = 255
    return mask


def strips_of(mask, *edges):
    return iter(np.split(mask, edges))


def test_a_map_says_what_the_mask_says_and_where(tmp_path):
    mask, path = mask_of((900, 1400)), tmp_path / "a.tif"
    write_map(path, strips_of(mask, 100, 650), mask.shape, CLASSES, PLACE)
    with rasterio.open(path) as file:
        assert np.array_equal(file.read(1), mask)
        assert (file.crs, file.transform, file.nodata) == (PLACE.crs, PLACE.transform, 255)
        assert file.colormap(1)[1] == (0, 200, 0, 255)
        assert file.tags(1)["CLASS_001"] == "trees & <bushes>"
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1) == [2, 4]
        small = file.read(1, out_shape=(450, 700))
    assert set(np.unique(small)) <= {0, 1, 2, 255}  # no class that is the mean of two
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.tif", "a.tif.aux.xml"]


def test_a_system_reads_the_names_of_the_classes_from_the_file_beside(tmp_path):
    path = tmp_path / "a.tif"
    write_map(path, strips_of(mask_of((30, 40))), (30, 40), CLASSES, PLACE)
    root = ElementTree.parse(tmp_path / "a.tif.aux.xml").getroot()
    assert [each.text for each in root.iter("Category")] == list(CLASSES.names)


def test_an_image_without_a_place_gets_none(tmp_path):
    write_map(tmp_path / "a.tif", strips_of(mask_of((30, 40))), (30, 40), CLASSES, None)
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.crs is None
        assert file.transform.is_identity


def test_a_map_that_fails_leaves_the_one_that_was_there(tmp_path):
    path = tmp_path / "a.tif"
    write_map(path, strips_of(mask_of((30, 40))), (30, 40), CLASSES, PLACE)
    before = path.read_bytes()

    def strips():
        yield mask_of((10, 40))
        raise AerialsegError("no network")

    with pytest.raises(AerialsegError, match="no network"):
        write_map(path, strips(), (30, 40), CLASSES, PLACE)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.tif", "a.tif.aux.xml"]
