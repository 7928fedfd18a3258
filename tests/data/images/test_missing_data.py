"""Pixels without data, each file with its own way to say so."""

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from PIL import Image

from aerialseg.data.images import missing_data as module_under_test
from aerialseg.data.images.missing_data import missing_data
from aerialseg.data.images.reading import read_image, read_mask
from aerialseg.data.images.reading_settings import AS_STORED, Reading
from aerialseg.errors import DataError
from helpers.holes import FILES, HOLE, alpha, rgba
from helpers.rasters import values_of, write_tiff
from helpers.tiny_data import mask, random_image, save


@pytest.mark.parametrize("name", FILES)
def test_a_hole_is_found_as_each_kind_of_file_says_it(tmp_path, name):
    path = tmp_path / name
    FILES[name](path)
    assert np.array_equal(missing_data(path, AS_STORED), HOLE)


@pytest.mark.parametrize("least", [1, 128, 255])
def test_what_can_be_seen_holds_data(tmp_path, least):
    path = save(tmp_path / "a.png", rgba(alpha(least)))
    assert missing_data(path, AS_STORED) is None
    assert np.array_equal(read_image(path), random_image())


def test_a_typed_value_counts_where_all_channels_have_it(tmp_path):
    pixels = np.maximum(random_image(), 1)
    pixels[HOLE], pixels[20, 20] = 0, (0, 0, 5)
    path = save(tmp_path / "a.png", pixels)
    assert np.array_equal(missing_data(path, Reading(nodata=0)), HOLE)
    assert missing_data(path, AS_STORED) is None
    jpeg = save(tmp_path / "a.jpg", np.zeros((8, 8, 3), np.uint8))
    assert missing_data(jpeg, Reading(nodata=0)).all()


@pytest.mark.parametrize("bands", [None, (1, 2, 3)])
def test_a_typed_value_counts_besides_that_of_the_file(tmp_path, bands):
    pixels = random_image().clip(1, 254)
    pixels[HOLE], pixels[20, 20] = 255, 0
    path = write_tiff(tmp_path / "a.tif", pixels, nodata=255, photometric="RGB")
    wanted = HOLE.copy()
    wanted[20, 20] = True
    assert np.array_equal(missing_data(path, Reading(nodata=0, bands=bands)), wanted)


def test_a_typed_value_is_a_colour_of_a_palette_and_no_number_in_it(tmp_path):
    image = Image.fromarray(np.where(HOLE, 2, random_image()[..., 0] % 2).astype(np.uint8))
    image.putpalette([200, 0, 0, 0, 200, 0, 7, 7, 7])
    image.save(tmp_path / "a.png")
    assert missing_data(tmp_path / "a.png", Reading(nodata=0)) is None
    assert np.array_equal(missing_data(tmp_path / "a.png", Reading(nodata=7)), HOLE)


def test_white_of_one_bit_is_255(tmp_path):
    Image.fromarray(HOLE).save(tmp_path / "a.png")
    assert np.array_equal(missing_data(tmp_path / "a.png", Reading(nodata=255)), HOLE)


@pytest.mark.parametrize("typed", ["-3.40282346638529e+38", "-9999.9", "0.1"])
def test_a_typed_number_has_the_digits_that_the_file_has(tmp_path, typed):
    values = values_of(3, "float32")
    values[HOLE] = np.float32(typed)
    path = write_tiff(tmp_path / "a.tif", values)
    reading = Reading(bands=(1, 3), ranges=((0, 1), (0, 1)), nodata=float(typed))
    assert np.array_equal(missing_data(path, reading), HOLE)


def test_a_plain_jpeg_or_png_is_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(module_under_test, "load", None)
    assert missing_data(save(tmp_path / "a.png", random_image()), AS_STORED) is None
    monkeypatch.setattr(module_under_test, "opened", None)
    assert missing_data(save(tmp_path / "a.jpg", random_image()), AS_STORED) is None


@pytest.mark.parametrize("suffix", ["bmp", "png", "tif", "webp"])
def test_a_typed_value_counts_where_all_used_bands_have_it(tmp_path, suffix):
    pixels = np.maximum(random_image(), 1)
    pixels[HOLE] = (0, 0, 5)
    path = save(tmp_path / f"a.{suffix}", pixels, lossless=True)
    assert np.array_equal(missing_data(path, Reading(bands=(2, 1), nodata=0)), HOLE)
    assert missing_data(path, Reading(bands=(1, 3), nodata=0)) is None


def test_a_typed_value_is_of_colours_not_of_indices(tmp_path):
    image = Image.fromarray(HOLE.astype(np.uint8))
    image.putpalette([9, 9, 9, 0, 0, 0])
    image.save(tmp_path / "a.png")
    assert np.array_equal(missing_data(tmp_path / "a.png", Reading(nodata=0)), HOLE)


@pytest.mark.parametrize("value", [0.1, -3.4028234663852886e38, -3.40282346638529e38])
def test_a_typed_value_is_compared_as_the_file_holds_it(tmp_path, value):
    values = values_of(3, "float32")
    values[HOLE] = np.float32(value)
    path = write_tiff(tmp_path / "a.tif", values)
    reading = Reading(bands=(1, 3), ranges=BANDS.ranges, nodata=value)
    assert np.array_equal(missing_data(path, reading), HOLE)


def _with_mask(path, driver=None, **options):
    """A TIFF of 8-bit RGB with a mask inside; of a driver a copy, such as COG with overviews."""
    plain = path if driver is None else path.with_name("plain.tif")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        pixels = np.kron(random_image(), np.ones((2, 2, 1), np.uint8)) if driver else random_image()
        write_tiff(plain, pixels, photometric="RGB", **options)
        with rasterio.open(plain, "r+") as file:
            hole = np.kron(HOLE, np.ones((2, 2), bool)) if driver else HOLE
            file.write_mask(~hole)
        if driver is not None:
            rasterio.shutil.copy(plain, path, driver=driver, overview_count=1)
    return hole


@pytest.mark.parametrize("driver", [None, "COG"])
@pytest.mark.parametrize("nodata", [None, 3])
@pytest.mark.parametrize("bands", [None, (1, 2, 3), (3,)])
def test_the_mask_inside_of_a_map_is_a_hole(tmp_path, driver, nodata, bands):
    path = tmp_path / "a.tif"
    hole = _with_mask(path, driver, nodata=nodata)
    reading = Reading(bands=bands)
    image = read_image(path, reading)
    given = (image == nodata).all(axis=-1) if nodata else np.zeros_like(hole)
    assert image.shape[:2] == hole.shape
    assert np.array_equal(missing_data(path, reading), hole | given)


def test_labels_of_which_a_mask_hides_a_part_are_refused(tmp_path):
    for name, hidden in (("hole", HOLE), ("whole", np.zeros_like(HOLE))):
        path = write_tiff(tmp_path / f"{name}.tif", mask()[..., None])
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "r+") as file,
        ):
            file.write_mask(~hidden)
    with pytest.raises(DataError, match=r"hole.tif: has a mask inside that hides 3.91% of its pix"):
        read_mask(tmp_path / "hole.tif")
    assert np.array_equal(read_mask(tmp_path / "whole.tif"), mask())


BANDS = Reading(bands=(1, 3), ranges=((0, 1), (0, 1)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_band_that_is_no_number_is_enough(tmp_path, value):
    values = values_of(3, "float32")
    values[HOLE, 2] = value
    values[..., 1] = np.nan  # is not used
    path = write_tiff(tmp_path / "a.tif", values)
    assert np.array_equal(missing_data(path, BANDS), HOLE)
    low = read_image(path, BANDS)[HOLE][:, 1]
    assert set(low.tolist()) == {255 if value == np.inf else 0}


@pytest.mark.parametrize("is_typed", [False, True])
def test_the_value_must_be_in_all_used_bands(tmp_path, is_typed):
    values = values_of(3, "int16")
    values[HOLE] = -1
    values[0, 0] = (-1, -1, 5)  # has data in band 3
    values[0, 1] = (-1, 5, -1)  # has none in those that are used
    path = write_tiff(tmp_path / "a.tif", values, nodata=None if is_typed else -1)
    wanted = HOLE.copy()
    wanted[0, 1] = True
    reading = Reading(bands=(1, 3), ranges=BANDS.ranges, nodata=-1 if is_typed else None)
    assert np.array_equal(missing_data(path, reading), wanted)


def test_alpha_is_not_asked_where_it_is_used_as_a_band(tmp_path):
    values = np.dstack([values_of(3, "uint8"), alpha()])
    path = write_tiff(tmp_path / "a.tif", values, photometric="RGB", ALPHA="YES")
    assert np.array_equal(missing_data(path, Reading(bands=(1, 2))), HOLE)
    assert missing_data(path, Reading(bands=(1, 4))) is None
    assert np.array_equal(read_image(path, Reading(bands=(1, 4)))[..., 1], alpha())


def test_a_hole_is_turned_with_its_image(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    path = save(tmp_path / "a.png", rgba(alpha()), exif=exif)
    found = missing_data(path, Reading(exif_orientation="apply"))
    assert np.array_equal(found, np.rot90(HOLE, -1))
