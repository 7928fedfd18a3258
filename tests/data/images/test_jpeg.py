"""JPEG decoding against OpenCV, which decodes damaged files too and so shows what they hold."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from aerialseg.data.images.decoding import check_whole
from aerialseg.data.images.reading import read_image, read_resized, read_size
from aerialseg.errors import DataError
from aerialseg.scenes import render_scene
from helpers.tiny_data import random_image

AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
HALF = cv2.IMREAD_REDUCED_GRAYSCALE_2  # with AS_STORED: half size, and not grey


@pytest.fixture(scope="module")
def scene():
    return Image.fromarray(render_scene(1, (360, 640), sequence=0)[0])


def encoded(image, **options):
    buffer = BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def by_opencv(data, flags=AS_STORED):
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])  # 4:4:4, 4:2:2, 4:2:0
def test_pixels_are_those_of_opencv_bit_for_bit(tmp_path, scene, subsampling, progressive, mode):
    path = tmp_path / "a.jpg"
    options = {"subsampling": subsampling, "progressive": progressive, "quality": 90}
    for size in ((640, 360), (639, 357), (16, 8), (7, 5), (1, 1)):
        data = encoded(scene.convert(mode).crop((0, 0, *size)), **options)
        path.write_bytes(data)
        assert np.array_equal(read_image(path), by_opencv(data))
    data = encoded(scene.convert(mode), **options)
    path.write_bytes(data)
    assert np.array_equal(read_resized(path, 180)[0], by_opencv(data, AS_STORED | HALF))


def test_a_tiny_jpeg_is_not_halved(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(Image.fromarray(random_image((6, 6))), quality=95))
    wanted = cv2.resize(read_image(path), (3, 3), interpolation=cv2.INTER_AREA)
    assert np.array_equal(read_resized(path, 3)[0], wanted)


def with_sampling(data, *factors):
    """The JPEG with other sampling factors in its header: the same blocks in another order."""
    place = data.index(b"\xff\xc0") + 10
    for channel, factor in enumerate(factors):
        at = place + 3 * channel + 1
        data = data[:at] + bytes([factor]) + data[at + 1 :]
    return data


def with_odd_scan(data):
    """The JPEG with a header of the scan as some phones write it: 0 to 0 instead of 0 to 63."""
    at = data.index(b"\xff\xda") + 12
    return data[:at] + b"\0" + data[at + 1 :]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: with_sampling(data, 0x11, 0x21, 0x11),  # simplejpeg knows no such subsampling
        lambda data: with_sampling(data, 0x11, 0x11, 0x21),
        with_odd_scan,  # the decoder warns of it
        lambda data: data.replace(b"JFIF\0\1", b"JFIF\0\7"),  # of this too
    ],
)
def test_rare_kinds_of_jpeg_are_read(tmp_path, scene, change):
    path = tmp_path / "a.jpg"
    data = change(encoded(scene.crop((0, 0, 64, 64)), subsampling=1))
    path.write_bytes(data)
    wanted = by_opencv(data)
    assert wanted is not None
    assert np.array_equal(read_image(path), wanted)
    assert read_size(path) == (64, 64)
    check_whole(path)
    path.write_bytes(data[:-40])
    with pytest.raises(DataError, match=r"a\.jpg: cannot be decoded"):
        read_image(path)


def test_four_by_one_subsampling_is_read(tmp_path, scene):
    path = tmp_path / "a.jpg"
    data = with_sampling(encoded(scene.crop((0, 0, 32, 32)), subsampling=2), 0x14, 0x11, 0x11)
    path.write_bytes(data)
    assert np.array_equal(read_image(path), by_opencv(data))


def test_damage_that_the_decoder_meets_is_refused(tmp_path, scene, capfd):
    path = tmp_path / "a.jpg"
    data = encoded(scene, quality=90)
    whole, middle = by_opencv(data), len(data) // 2
    path.write_bytes(data[:middle] + bytes(64) + data[middle + 64 :])
    assert not np.array_equal(by_opencv(path.read_bytes()), whole)
    capfd.readouterr()
    with pytest.raises(DataError, match=r"a\.jpg: cannot be decoded: Corrupt JPEG data: ") as error:
        read_image(path)
    assert len(error.value.problems) == 1
    assert capfd.readouterr().err == ""
