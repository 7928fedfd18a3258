"""Pillow's ``exif_transpose`` is the oracle: it turns images as viewers do."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from aerialseg.data.images.orientation import upright
from aerialseg.data.images.reading import (
    read_image,
    read_mask,
    read_orientation,
    read_resized,
    read_size,
)
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.resizing import resize_keep_aspect
from helpers.tiny_data import mask, random_image, save

APPLIED = Reading(exif_orientation="apply")
ALL = range(1, 9)


def _exif(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def _shown(path):
    """The image as a viewer shows it."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image))


def test_each_orientation_by_hand():
    stored = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)
    wanted = {
        1: [[1, 2, 3], [4, 5, 6]],
        2: [[3, 2, 1], [6, 5, 4]],
        3: [[6, 5, 4], [3, 2, 1]],
        4: [[4, 5, 6], [1, 2, 3]],
        5: [[1, 4], [2, 5], [3, 6]],
        6: [[4, 1], [5, 2], [6, 3]],
        7: [[6, 3], [5, 2], [4, 1]],
        8: [[3, 6], [2, 5], [1, 4]],
    }
    assert {kind: upright(stored, kind).tolist() for kind in ALL} == wanted


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_an_applied_orientation_shows_what_viewers_show(tmp_path, suffix, orientation):
    path, image = tmp_path / f"a.{suffix}", random_image((24, 32))
    save(path, image, exif=_exif(orientation))
    assert read_orientation(path) == orientation
    shown = read_image(path, APPLIED)
    if suffix == "jpg":
        assert np.abs(shown.astype(int) - _shown(path)).mean() < 1  # two decoders
    else:
        assert np.array_equal(shown, _shown(path))
    assert read_size(path, APPLIED) == shown.shape[:2]
    assert read_size(path) == read_image(path).shape[:2] == (24, 32)


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1)])
def test_images_of_one_row_or_column_can_be_given_to_torch(orientation, size):
    turned = upright(np.arange(size[0] * size[1], dtype=np.uint8).reshape(size), orientation)
    assert torch.from_numpy(turned).numpy().tolist() == turned.tolist()


@pytest.mark.parametrize("orientation", ALL)
def test_an_image_is_turned_before_it_is_resized(tmp_path, orientation):
    path = save(tmp_path / "a.png", random_image((25, 37)), exif=_exif(orientation))
    resized, size = read_resized(path, 10, APPLIED)
    assert np.array_equal(resized, resize_keep_aspect(_shown(path), 10))
    assert size == _shown(path).shape[:2]


@pytest.mark.parametrize("orientation", ALL)
def test_half_a_jpeg_is_turned_as_the_whole(tmp_path, orientation):
    path = tmp_path / "a.jpg"
    save(path, random_image((48, 64)), quality=95, exif=_exif(orientation))
    half, size = read_resized(path, 24, APPLIED)
    whole = read_image(path, APPLIED)
    assert size == whole.shape[:2]
    assert half.shape == (size[0] // 2, size[1] // 2, 3)
    assert np.abs(half.astype(int) - resize_keep_aspect(whole, 24)).mean() < 3


@pytest.mark.parametrize("orientation", ALL)
def test_a_mask_is_turned_by_its_own_tag(tmp_path, orientation):
    path = save(tmp_path / "m.png", mask((5, 7)), exif=_exif(orientation))
    assert np.array_equal(read_mask(path, APPLIED), _shown(path))
    assert np.array_equal(read_mask(path), mask((5, 7)))


def test_a_png_may_say_it_behind_its_pixels(tmp_path):
    path = save(tmp_path / "a.png", random_image())
    payload = _exif(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(payload)) + b"eXIf" + payload
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + payload))
    data = path.read_bytes()
    path.write_bytes(data[:-12] + chunk + data[-12:])
    assert read_orientation(path) == 6
    assert read_size(path, APPLIED) == (32, 24)
    assert np.array_equal(read_image(path, APPLIED), np.rot90(random_image(), -1))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("damage", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\xff", b"Exif\0\0nonsense"])
def test_damaged_exif_data_turn_nothing_and_spoil_no_image(tmp_path, suffix, damage):
    path = save(tmp_path / f"a.{suffix}", random_image(), exif=damage)
    assert read_orientation(path) == 1
    assert np.array_equal(read_image(path, APPLIED), read_image(path))


@pytest.mark.parametrize("value", [0, 9, 77])
def test_a_value_that_exif_does_not_know_turns_nothing(tmp_path, value):
    path = save(tmp_path / "a.jpg", random_image(), exif=_exif(value))
    assert read_orientation(path) == 1
    assert read_size(path, APPLIED) == (24, 32)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tif"])
def test_without_exif_data_an_image_is_upright(tmp_path, suffix):
    assert read_orientation(save(tmp_path / f"a.{suffix}", random_image())) == 1
