"""Rows against the whole image, as the rest of the project reads it."""

import numpy as np
import pytest
from PIL import Image

from aerialseg.data.images.missing_data import missing_bytes
from aerialseg.data.images.raster_rows import opened_rows
from aerialseg.data.images.reading import read_image
from aerialseg.data.images.reading_settings import AS_STORED, Reading
from aerialseg.errors import DataError
from helpers.holes import FILES
from helpers.rasters import values_of, write_tiff
from helpers.tiny_data import random_image, save

BANDS = Reading(bands=(3, 1), ranges=((0, 9000), (500, 8000)))


def rows_of(path, reading, step=7):
    """Image and missing pixels, read some rows at a time."""
    parts = []
    with opened_rows(path, reading) as rows:
        height, _ = rows.size
        for first in range(0, height, step):
            parts.append(rows.read(first, min(first + step, height)))
    image = np.concatenate([part.image for part in parts])
    missing = [
        np.zeros(part.image.shape[:2], bool) if part.missing is None else part.missing
        for part in parts
    ]
    return image, np.concatenate(missing)


def check(path, reading):
    image, missing = rows_of(path, reading)
    assert np.array_equal(image, read_image(path, reading))
    assert np.array_equal(missing, missing_bytes(path, reading).astype(bool))


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith("webp")])
def test_rows_of_every_kind_of_file_are_those_of_the_whole(tmp_path, name):
    FILES[name](tmp_path / name)
    check(tmp_path / name, AS_STORED)
    check(tmp_path / name, Reading(nodata=7))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_rows_have_three_channels_however_the_file_holds_them(tmp_path, mode):
    Image.fromarray(random_image()).convert(mode).save(tmp_path / "a.png")
    check(tmp_path / "a.png", AS_STORED)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_white_is_white_however_few_bits_it_has(tmp_path, bits):
    grey = (random_image()[..., :1] >> (8 - bits)).astype(np.uint8)
    grey[0, 0] = 2**bits - 1
    write_tiff(tmp_path / "a.tif", grey, nbits=bits)
    image, _ = rows_of(tmp_path / "a.tif", AS_STORED)
    assert image.max() == 255
    check(tmp_path / "a.tif", AS_STORED)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int16"])
@pytest.mark.parametrize("options", [{}, {"nodata": 77}, {"tiled": True, "compress": "deflate"}])
def test_rows_of_bands_are_scaled_as_for_training(tmp_path, dtype, options):
    values = values_of(4, dtype)
    values[5:9, 3:8] = 77
    write_tiff(tmp_path / "a.tif", values, **options)
    check(tmp_path / "a.tif", BANDS)


def test_rows_of_a_jpeg_are_those_of_its_pixels(tmp_path):
    smooth = np.asarray(Image.fromarray(random_image((12, 16))).resize((64, 48)))
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    image, missing = rows_of(tmp_path / "a.jpg", AS_STORED)
    difference = np.abs(image.astype(int) - read_image(tmp_path / "a.jpg"))  # of two decoders
    assert difference.max() <= 8
    assert difference.mean() < 1
    assert not missing.any()


def test_the_limit_on_megapixels_is_for_images_that_are_held(tmp_path):
    save(tmp_path / "a.png", random_image())
    reading = Reading(max_megapixels=1e-4)
    with pytest.raises(DataError, match="wanted at most"):
        read_image(tmp_path / "a.png", reading)
    assert np.array_equal(rows_of(tmp_path / "a.png", reading)[0], random_image())


def test_a_turned_image_is_refused_unless_its_orientation_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(random_image()).save(tmp_path / "a.png", exif=exif)
    with (
        pytest.raises(DataError, match="too large to be turned; store it upright"),
        opened_rows(tmp_path / "a.png", Reading(exif_orientation="apply")),
    ):
        pass
    check(tmp_path / "a.png", Reading(exif_orientation="ignore"))


@pytest.mark.parametrize(
    ("values", "reading", "message"),
    [
        (values_of(3, "uint16"), AS_STORED, "is no 8-bit RGB"),
        (values_of(2, "uint16"), BANDS, "no band 3"),
    ],
)
def test_what_training_would_refuse_is_refused(tmp_path, values, reading, message):
    write_tiff(tmp_path / "a.tif", values)
    with pytest.raises(DataError, match=message), opened_rows(tmp_path / "a.tif", reading):
        pass


def test_damaged_rows_are_one_line(tmp_path):
    path = write_tiff(tmp_path / "a.tif", values_of(3, "uint8", (400, 300)), compress="deflate")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(len(content) // 2))
    with pytest.raises(DataError, match=r"a\.tif") as caught:
        rows_of(path, AS_STORED)
    assert len(caught.value.problems) == 1
