"""Maps and images too large to be held: in tiles, and back as maps."""

import csv
import json
import logging

import numpy as np
import pytest
import rasterio
from PIL import Image

from aerialseg.data.images.rows import HeldImage
from aerialseg.errors import DataError
from aerialseg.inference.ensemble import AveragedPredictor
from aerialseg.inference.image_views import Views
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.prediction import predict_strips
from aerialseg.inference.tiles.tiling import tiling_as_trained
from aerialseg.training.map_masks import MapOptions, _identity, _Job
from helpers.rasters import write_tiff
from helpers.scene_maps import PLACE, in_tiles, run, scene
from helpers.tiny_data import save
from helpers.tiny_training import CLASSES, write_network


@pytest.fixture
def checkpoint(tmp_path):
    return write_network(tmp_path / "best.ckpt")


def test_a_map_becomes_a_map_of_the_same_place(tmp_path, checkpoint, caplog):
    image = np.maximum(scene(), 1)
    image[:70, :50] = 0
    write_tiff(tmp_path / "in/x/area.tif", image, nodata=0, **PLACE)
    with caplog.at_level(logging.INFO):
        names = run(tmp_path / "in", checkpoint, tmp_path / "out")
    assert names == ["area_areas.csv", "area_index.tif", "area_index.tif.aux.xml"]
    mask = in_tiles(image, checkpoint, (image == 0).all(axis=2))
    with rasterio.open(tmp_path / "out/x/area_index.tif") as file:
        assert np.array_equal(file.read(1), mask)
        assert (file.crs, file.transform, file.nodata) == (*PLACE.values(), 255)
        assert file.colormap(1)[1] == (*CLASSES["car"], 255)
    with (tmp_path / "out/x/area_areas.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    for index, (name, row) in enumerate(zip(CLASSES, rows, strict=True)):
        pixels = int((mask == index).sum())
        assert (row["class"], int(row["pixels"])) == (name, pixels)
        assert float(row["share"]) == pytest.approx(pixels / (mask != 255).sum(), abs=1e-6)
        assert float(row["square_metres"]) == pytest.approx(pixels / 4)
    assert "1 map segmented with" in caplog.text
    assert "in tiles of 128 pixels, shown at 1 times their size" in caplog.text


@pytest.mark.parametrize("kind", ["png", "jpg", "tif"])
def test_an_image_above_the_limit_becomes_a_map_without_a_place(tmp_path, checkpoint, kind):
    save(tmp_path / f"a.{kind}", scene(3, 2))
    names = run(tmp_path / f"a.{kind}", checkpoint, tmp_path / "out", "+data.max_megapixels=0.01")
    assert names == ["a_areas.csv", "a_index.tif", "a_index.tif.aux.xml"]
    with rasterio.open(tmp_path / "out/a_index.tif") as file:
        assert (file.height, file.width, file.crs) == (192, 192, None)
        if kind != "jpg":
            assert np.array_equal(file.read(1), in_tiles(scene(3, 2), checkpoint))
    with (tmp_path / "out/a_areas.csv").open(newline="") as table:
        assert {row["square_metres"] for row in csv.DictReader(table)} == {""}


def test_a_typed_size_cuts_other_images_too_and_null_cuts_none(tmp_path, checkpoint):
    save(tmp_path / "in/large.png", scene())
    save(tmp_path / "in/small.png", scene(1, 1))
    write_tiff(tmp_path / "in/map.tif", scene(2, 2), **PLACE)
    run(tmp_path / "in", checkpoint, tmp_path / "typed", tile_size=160, overlap=0.5)
    large = np.array(Image.open(tmp_path / "typed/large_index.png"))
    assert np.array_equal(large, in_tiles(scene(), checkpoint, tile_size=160, overlap=0.5))
    small = np.array(Image.open(tmp_path / "typed/small_index.png"))
    assert np.array_equal(small, Predictor(checkpoint).predict(scene(1, 1)))
    assert (tmp_path / "typed/map_index.tif").is_file()
    names = run(tmp_path / "in", checkpoint, tmp_path / "whole", tile_size=None)
    assert len(names) == 9
    for name, image in (("large", scene()), ("map", scene(2, 2))):
        mask = np.array(Image.open(tmp_path / f"whole/{name}_index.png"))
        assert np.array_equal(mask, Predictor(checkpoint).predict(image))


def test_a_ranking_takes_maps_as_images(tmp_path, checkpoint):
    for name, seed in (("a", 2), ("b", 3)):
        write_tiff(tmp_path / f"in/{name}.tif", scene(seed, 1), **PLACE)
    cache = f"paths.cache_dir={tmp_path / 'cache'}"
    names = run(tmp_path / "in", checkpoint, tmp_path / "out", cache, rank_for_labelling=True)
    assert "label_next.csv" in names
    assert "a_colour.png" in names


def test_polygons_are_those_of_the_map(tmp_path, checkpoint, caplog):
    write_tiff(tmp_path / "in/a.tif", scene(2, 1), **PLACE)
    Image.fromarray(scene(2, 1)).save(tmp_path / "b.png")
    names = run(tmp_path / "in", checkpoint, tmp_path / "out", polygons=0.25)
    assert "a_polygons.geojson" in names
    features = json.loads((tmp_path / "out/a_polygons.geojson").read_text())["features"]
    with (tmp_path / "out/a_areas.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            of_class = [
                f["properties"] for f in features if f["properties"]["class"] == row["class"]
            ]
            found = sum(each["square_metres"] for each in of_class)
            assert found == pytest.approx(float(row["square_metres"]))
    limit = "+data.max_megapixels=0.001"
    assert "b_polygons.geojson" not in run(
        tmp_path / "b.png", checkpoint, tmp_path / "no", limit, polygons=1
    )
    assert "b.png: does not say how large its pixels are on the ground" in caplog.text
    assert "for maps only" not in caplog.text
    run(tmp_path / "b.png", checkpoint, tmp_path / "image", polygons=1)
    assert "task.polygons: for maps only, and none of 1 image is one" in caplog.text


def test_a_map_says_where_the_network_is_unsure(tmp_path, checkpoint):
    image = np.maximum(scene(), 1)
    image[:70, :50] = 0
    missing = (image == 0).all(axis=2)
    write_tiff(tmp_path / "a.tif", image, nodata=0, **PLACE)
    names = run(
        tmp_path / "a.tif", checkpoint, tmp_path / "out", confidence=True, disagreement=True
    )
    assert {"a_confidence.tif", "a_disagreement.tif"} < set(names)
    predictor = Predictor(checkpoint)
    layout = tiling_as_trained(predictor.description).layout(image.shape[:2])
    passes = [
        list(predict_strips(HeldImage(image, missing), each, predictor.batch_logits, margins=True))
        for each in (layout, layout.shifted)
    ]
    mask, shifted = (np.concatenate([strip.mask for strip in strips]) for strips in passes)
    with rasterio.open(tmp_path / "out/a_confidence.tif") as file:
        assert np.array_equal(file.read(1), np.concatenate([s.margin for s in passes[0]]))
        assert (file.crs, file.transform, file.nodata) == (*PLACE.values(), 255)
        assert file.scales == (1 / 254,)
    with rasterio.open(tmp_path / "out/a_disagreement.tif") as file:
        assert np.array_equal(
            file.read(1), np.where(missing, 255, np.where(mask != shifted, 254, 0))
        )
    with rasterio.open(tmp_path / "out/a_index.tif") as file:
        assert np.array_equal(file.read(1), mask)


def test_results_that_are_not_asked_for_again_do_not_stay_beside_a_new_map(tmp_path, checkpoint):
    path = write_tiff(tmp_path / "a.tif", scene(2, 1), **PLACE)
    first = run(path, checkpoint, tmp_path / "out", confidence=True, polygons=1)
    assert {"a_confidence.tif", "a_polygons.geojson"} < set(first)
    names = run(path, checkpoint, tmp_path / "out")
    assert names == ["a_areas.csv", "a_index.tif", "a_index.tif.aux.xml"]


def test_what_cannot_be_read_by_rows_has_the_limit_of_images(tmp_path, checkpoint):
    save(tmp_path / "in/a.png", scene(1, 1))
    Image.fromarray(scene(2, 1)).save(tmp_path / "in/b.bmp")
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(scene(2, 1)).save(tmp_path / "in/c.jpg", exif=exif)
    with pytest.raises(DataError) as caught:
        run(tmp_path / "in", checkpoint, tmp_path / "out", "+data.max_megapixels=0.01")
    bmp, turned = caught.value.problems
    assert "b.bmp: has 96x128 pixels" in bmp
    assert "c.jpg: has an EXIF orientation, and is too large to be turned" in turned
    assert not (tmp_path / "out").exists()


def test_a_second_run_over_a_folder_with_its_results_takes_the_images_alone(
    tmp_path, checkpoint, caplog
):
    write_tiff(tmp_path / "in/a.tif", scene(2, 1), **PLACE)
    save(tmp_path / "in/b.png", scene(1, 1))
    save(tmp_path / "in/c_index.png", scene(1, 1))  # there is no c
    names = run(tmp_path / "in", checkpoint, tmp_path / "in", confidence=True)
    again = run(tmp_path / "in", checkpoint, tmp_path / "in", confidence=True)
    assert names == again
    assert "8 images in" in caplog.text
    assert "left out" in caplog.text


def test_a_map_may_be_the_mean_of_views_and_is_not_resumed_with_others(tmp_path, checkpoint):
    image = np.maximum(scene(), 1)
    write_tiff(tmp_path / "area.tif", image, **PLACE)
    run(tmp_path / "area.tif", checkpoint, tmp_path / "out", scales=[1.0, 2.0], flips="both")
    averaged = AveragedPredictor([Predictor(checkpoint)], Views([1.0, 2.0], "both"))
    layout = tiling_as_trained(averaged.description).layout(image.shape[:2])
    strips = list(predict_strips(HeldImage(image, None), layout, averaged.batch_logits))
    mask = np.concatenate([strip.mask for strip in strips])
    with rasterio.open(tmp_path / "out/area_index.tif") as file:
        assert np.array_equal(file.read(1), mask)
    options = MapOptions(tiling_as_trained(averaged.description))
    jobs = [
        _Job(tmp_path / "area.tif", tmp_path / "x", each, averaged.reading, options)
        for each in (averaged, Predictor(checkpoint))
    ]
    one, other = (_identity(job, layout) for job in jobs)
    assert (one["protocol"], other["protocol"]) == (
        "scales 1, 2, horizontal and vertical flips",
        "single scale",
    )
