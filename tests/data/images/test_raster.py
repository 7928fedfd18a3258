"""Bands of TIFFs and PNGs: every byte by a plain formula, and what is refused by one line."""

import cv2
import numpy as np
import pytest
from PIL import Image

from aerialseg.data.images.reading import read_header, read_image, read_resized, read_size
from aerialseg.data.images.reading_settings import AS_STORED, FileKind, Reading, reading_of_images
from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.errors import DataError
from helpers.rasters import values_of, write_tiff
from helpers.tiny_data import random_image, save


def _reading(bands, value_range=None, **settings):
    given = {"exif_orientation": None, "max_megapixels": 200, "nodata": None, **settings}
    return reading_of_images(bands=bands, value_range=value_range, **given)


def _line(read, path, reading=AS_STORED):
    with pytest.raises(DataError) as error:
        read(path, reading)
    (line,) = error.value.problems
    return line.removeprefix(f"{path}: ")


def _mapped(values, low, high):
    return np.array(
        [min(max(round(255 * (float(v) - low) / (high - low)), 0), 255) for v in values.flat]
    ).reshape(values.shape)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"interleave": "band"},
        {"compress": "deflate", "predictor": 2},
        {
            "compress": "lzw",
            "interleave": "band",
            "tiled": True,
            "blockxsize": 16,
            "blockysize": 16,
        },
        {"BIGTIFF": "YES"},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_values_are_mapped_to_bytes_band_by_band(tmp_path, dtype, options):
    if dtype == "float32" and "predictor" in options:
        options = {**options, "predictor": 3}
    values = values_of(5, dtype)
    path = write_tiff(tmp_path / "a.tif", values, **options)
    image = read_image(path, _reading([4, 1, 2], [[0, 10_000], [500, 9000], [-300, 4000]]))
    wanted = [
        _mapped(values[..., 3], 0, 10_000),
        _mapped(values[..., 0], 500, 9000),
        _mapped(values[..., 1], -300, 4000),
    ]
    assert image.dtype == np.uint8
    assert np.array_equal(image, np.stack(wanted, axis=-1))
    assert read_header(path, _reading([1], [0, 1])) == ((24, 32), FileKind(5, dtype))


def test_bytes_stay_bytes_and_bands_come_in_the_order_that_is_typed(tmp_path):
    values = values_of(6, "uint8")
    path = write_tiff(tmp_path / "a.tif", values)
    assert np.array_equal(read_image(path, _reading([6, 2])), values[..., [5, 1]])
    stretched = read_image(path, _reading([6], [10, 20]))
    assert np.array_equal(stretched[..., 0], _mapped(values[..., 5], 10, 20))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_png_of_16_bits_is_read_in_all_of_them(tmp_path, channels):
    values = values_of(channels)
    stored = values if channels < 3 else values[..., [2, 1, 0, 3][:channels]]  # OpenCV has BGR
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), stored)
    bands = list(range(1, channels + 1))
    image = read_image(path, _reading(bands, [0, 10_000]))
    assert np.array_equal(image, _mapped(values, 0, 10_000))


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "tif"])
def test_bands_of_common_images_are_their_channels(tmp_path, suffix):
    path = save(tmp_path / f"a.{suffix}", random_image())
    assert np.array_equal(read_image(path, _reading([3, 1])), read_image(path)[..., [2, 0]])
    assert "has 3 bands of uint8, no band 4; see data.bands" in _line(
        read_size, path, _reading([1, 4])
    )


@pytest.mark.parametrize("bands", [[1], [1, 2], [1, 2, 3, 4, 5, 6]])
def test_bands_are_resized_each_as_an_image_of_its_own(tmp_path, bands):
    path = write_tiff(tmp_path / "a.tif", values_of(6, "uint8", (30, 42)))
    image, size = read_resized(path, 15, _reading(bands))
    assert size == (30, 42)
    assert image.shape == (15, 21, len(bands))
    for place, band in enumerate(bands):
        alone = resize_keep_aspect(read_image(path, _reading([band, band, band])), 15)
        assert np.abs(image[..., place].astype(int) - alone[..., 0]).max() <= 1


MANY = "say which bands are used, red, green and blue first, by data.bands="


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (values_of(4, "uint16"), {}),
        (values_of(4, "uint16"), {"interleave": "band"}),
        (values_of(3, "uint16"), {"photometric": "RGB"}),
        (values_of(1, "int16"), {}),
        (values_of(4, "float32"), {}),
        (values_of(2, "uint8"), {}),
        (values_of(4, "uint8"), {"interleave": "band", "photometric": "MINISBLACK"}),
        (values_of(4, "uint8"), {"photometric": "RGB", "ALPHA": "UNSPECIFIED"}),
        (values_of(5, "uint8"), {"BIGTIFF": "YES"}),
    ],
)
def test_what_is_no_rgb_is_never_guessed(tmp_path, values, options):
    path = write_tiff(tmp_path / "a.tif", values, **options)
    bands = values.shape[2]
    number = f"{bands} band{'s' if bands > 1 else ''} of {values.dtype}"
    for read in (read_image, read_size):
        line = _line(read, path)
        assert line.startswith(f"is no 8-bit RGB but holds {number}, with values from about ")
        assert MANY + str(list(range(1, bands + 1))).replace(" ", "") in line
        assert ("data.value_range=[LOW,HIGH]" in line) == (values.dtype != np.uint8)


@pytest.mark.parametrize("options", [{}, {"photometric": "RGB", "ALPHA": "YES"}])
def test_grey_and_rgb_with_alpha_need_no_settings(tmp_path, options):
    values = values_of(4 if options else 3, "uint8")
    path = write_tiff(tmp_path / "a.tif", values, **options or {"photometric": "RGB"})
    assert np.array_equal(read_image(path), values[..., :3])


def test_values_that_are_no_bytes_need_a_range(tmp_path):
    path = write_tiff(tmp_path / "a.tif", values_of())
    line = _line(read_size, path, _reading([1, 2]))
    assert line.startswith("has 4 bands of uint16; which of its values become 0 and 255 only you")


def _palette(path):
    image = Image.fromarray(random_image()[..., 0] // 64)
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 9, 9, 9])
    image.save(path)


def _grey(path):
    Image.fromarray(random_image()[..., 0]).save(path, tiffinfo={262: 0})


def _cmyk(path):
    Image.fromarray(random_image()).convert("CMYK").save(path)


UNLIKE = {
    "palette.png": (_palette, "holds numbers of a palette, which are no values of bands"),
    "palette.tif": (_palette, "holds numbers of a palette, which are no values of bands"),
    "white_is_zero.tif": (_grey, "stores its values inverted (white is zero)"),
    "cmyk.tif": (_cmyk, "has CMYK colours, which become RGB by a colour profile only"),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_values_that_are_other_than_they_seem_are_refused(tmp_path, name):
    write, start = UNLIKE[name]
    write(tmp_path / name)
    for read in (read_image, read_size):
        assert _line(read, tmp_path / name, _reading([1], [0, 255])).startswith(start)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_values_of_one_bit_need_a_range(tmp_path, suffix):
    values = random_image()[..., 0] > 99
    path = tmp_path / f"a{suffix}"
    Image.fromarray(values).save(path)
    line = "has 1 bit a value, so white is 1 in it; set data.value_range=[0,1]"
    assert _line(read_size, path, _reading([1])) == line
    assert np.array_equal(read_image(path, _reading([1], [0, 1]))[..., 0], 255 * values)


def test_a_file_of_another_kind_than_those_of_training_is_refused(tmp_path):
    path = write_tiff(tmp_path / "a.tif", values_of())
    trained = Reading(bands=(1,), ranges=((0, 1),), kind=FileKind(5, "float32"))
    assert _line(read_image, path, trained) == (
        "has 4 bands of uint16, the images of training have 5 bands of float32; wanted the same, "
        "or numbers of bands and values would mean something else"
    )


def test_a_tiff_cut_short_is_one_line(tmp_path):
    path = write_tiff(tmp_path / "a.tif", values_of(size=(64, 64)))
    path.write_bytes(path.read_bytes()[:8000])
    assert _line(read_image, path, _reading([1, 4], [0, 1])).startswith("cannot be decoded: ")


def test_a_file_beside_the_image_changes_nothing(tmp_path):
    path = write_tiff(tmp_path / "a.tif", values_of(1, "uint8"))
    Image.new("L", (32, 24)).save(tmp_path / "a.tif.msk", format="TIFF")
    (tmp_path / "a.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>7</NoDataValue></PAMRasterBand>'
        "</PAMDataset>"
    )
    assert np.array_equal(read_image(path, _reading([1])), values_of(1, "uint8"))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_indices_of_a_palette_are_no_band(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(random_image()).quantize(16).save(path)
    assert read_image(path).shape == (24, 32, 3)
    assert _line(read_size, path, _reading([1])) == (
        "holds numbers of a palette, which are no values of bands; leave data.bands out, or write "
        "it as RGB"
    )


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint16", -9999), ("uint16", 0.5), ("int16", 65535)]
)
def test_a_value_that_no_pixel_can_have_is_refused(tmp_path, dtype, nodata):
    path = write_tiff(tmp_path / "a.tif", values_of(dtype=dtype))
    assert _line(read_size, path, _reading([1], [0, 1], nodata=nodata)).startswith(
        f"holds {dtype}, in which no pixel can have the value {nodata:g} of no data; set data.nod"
    )
    byte = save(tmp_path / "b.png", random_image())
    assert "holds uint8" in _line(read_size, byte, _reading(None, nodata=nodata))


def test_turned_tiffs_and_large_ones_are_refused(tmp_path):
    path = write_tiff(tmp_path / "a.tif", values_of())
    small = _reading([1], [0, 1], max_megapixels=0.0005)
    assert _line(read_size, path, small).startswith("has 32x24 pixels")
    turned = tmp_path / "t.tif"
    Image.fromarray(random_image()).save(turned, tiffinfo={274: 6})
    assert "is a TIFF with the orientation 6" in _line(read_size, turned, _reading([1]))
