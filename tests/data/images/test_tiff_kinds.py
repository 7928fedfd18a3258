"""Whole TIFFs of kinds that are not read are named by their kind, damaged ones as damaged."""

import numpy as np
import pytest

from aerialseg.data.images.reading import read_image, read_mask, read_size
from aerialseg.errors import DataError
from helpers.tiff_files import tiff

CONVERT = "which is not read; convert it to 8 bits: an image to RGB, a mask to one channel"
COMPRESS = "which is not read; write it with LZW compression or none"
DAMAGED = "cannot be decoded: "


def line_of(read, path):
    with pytest.raises(DataError) as error:
        read(path)
    (line,) = error.value.problems
    return line.removeprefix(f"{path}: ")


def refused(tmp_path, data):
    """The one line with which every reader refuses a file."""
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    (line,) = {line_of(read, path) for read in (read_image, read_mask, read_size)}
    return line


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"bits": (64,), "sample_format": 6}, "of one channel, with complex values of 64 bits"),
        ({"bits": (8,), "sample_format": 2}, "of one channel, with signed values of 8 bits"),
        ({"bits": (8,) * 3, "colours": 9}, "in ICC L*a*b* colours"),
        ({"bits": (16,) * 3, "colours": 32845, "sample_format": 2}, "in LogLuv colours"),
        ({"bits": (8,), "colours": 32803}, "of raw camera data"),
        ({"bits": (1,), "colours": 4}, "of a transparency mask"),
    ],
)
def test_a_whole_tiff_of_a_kind_that_is_not_read_is_named_by_it(tmp_path, arguments, kind):
    line = refused(tmp_path, tiff(bytes(1000), **arguments))
    assert line.startswith(f"is a TIFF {kind}")
    assert line.endswith(CONVERT)


@pytest.mark.parametrize(
    ("arguments", "kind", "bands"),
    [
        (
            {"bits": (12,) * 3, "colours": 2},
            "of 3 channels, with values of 12 bits",
            "3 bands of uint16",
        ),
        (
            {"bits": (64,), "sample_format": 3},
            "of one channel, with floating-point values of 64",
            "1 band of float64",
        ),
        ({"bits": (8,) * 5}, "of 5 channels, with values of 8 bits", "5 bands of uint8"),
        (
            {"bits": (8,) * 4, "planar": 2},
            "of 4 channels one after the other, with values of 8",
            "4 bands of uint8",
        ),
        (
            {"bits": (16,) * 3, "colours": 2, "planar": 2},
            "of 3 channels one after the other, with values of 16 bits",
            "3 bands of uint16",
        ),
    ],
)
def test_bands_are_offered_for_images_where_masks_are_refused(tmp_path, arguments, kind, bands):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(bytes(1000), **arguments))
    assert line_of(read_mask, path).startswith(f"is a TIFF {kind}")
    for read in (read_image, read_size):
        assert line_of(read, path).startswith(f"is no 8-bit RGB but holds {bands}, with values")


@pytest.mark.parametrize(
    ("number", "name"), [(34712, "JPEG 2000"), (34887, "LERC"), (50001, "WebP"), (50002, "JPEG XL")]
)
def test_a_compression_that_is_not_read_is_named(tmp_path, number, name):
    data = tiff(bytes(99), bits=(8,) * 3, colours=2, compression=number)
    assert refused(tmp_path, data) == f"is a TIFF with {name} compression, {COMPRESS}"


def test_a_compression_that_fails_in_the_decoder_is_named(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(bytes(99), bits=(8,) * 3, colours=2, compression=32809))
    line = f"is a TIFF with ThunderScan compression, {COMPRESS}"
    assert line_of(read_image, path) == line


@pytest.mark.parametrize(
    "data",
    [
        tiff(bytes(200), bits=(8,) * 5)[:-180],
        tiff(bytes(200), bits=(64,), sample_format=3)[:60],
        tiff(bytes(200), bits=(8,) * 5, width=0),
        tiff(bytes(200), bits=(8,), colours=77),
        tiff(bytes(200), bits=(8,), compression=12345),
        tiff(bytes(200), bits=(200,)),
        tiff(bytes(24), bits=(8,) * 3, colours=2, planar=2, strips=1),
    ],
    ids=["pixels", "tags", "width", "colours", "compression", "bits", "strips"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of what is refused
def test_a_damaged_tiff_is_still_called_damaged(tmp_path, data):
    assert refused(tmp_path, data).startswith(DAMAGED)


def test_what_is_read_is_read_as_it_was(tmp_path):
    values = np.arange(24, dtype=np.uint8)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(values.tobytes(), bits=(8,) * 3, colours=2))
    assert np.array_equal(read_image(path), values.reshape(2, 4, 3))
    path.write_bytes(tiff(values.tobytes(), bits=(8,) * 3, colours=2, planar=2))
    assert np.array_equal(read_image(path), values.reshape(3, 2, 4).transpose(1, 2, 0))
    path.write_bytes(tiff(values[:8].tobytes()))
    assert np.array_equal(read_mask(path), values[:8].reshape(2, 4))
    path.write_bytes(tiff(values[:8].astype("<u2").tobytes(), bits=(16,)))
    assert np.array_equal(read_mask(path), values[:8].reshape(2, 4))
