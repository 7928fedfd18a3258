"""Thumbnails of sound and of faulty files, decoded again."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts.listing import Sample
from aerialseg.report.pages.links import image_link
from aerialseg.report.pages.thumbnails import LONGEST, sample_thumbnails
from helpers.tiny_data import save

CLASSES = ClassTable(("ground", "car"), ((250, 0, 0), (0, 0, 250)))
READING = Reading(MaskEncoding(CLASSES))
GREY = np.full((40, 60, 3), 100, np.uint8)


def pixels(thumbnail):
    data = thumbnail.uri.partition("base64,")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).astype(int)


def drawn(folder, image=GREY, mask=None, *, suffix="png", with_mask=True, reading=READING):
    path = save(folder / f"image.{suffix}", image)
    mask_path = None if mask is None else save(folder / "mask.png", mask)
    sample = Sample("a", path, mask_path, "train")
    return sample_thumbnails(sample, reading, CLASSES, with_mask=with_mask)


def test_an_image_alone_is_drawn_at_the_size_of_a_thumbnail(tmp_path):
    large = np.full((400, 1152, 3), (40, 90, 200), np.uint8)
    for suffix in ("png", "jpg"):
        (found,) = drawn(
            tmp_path, large, np.zeros((400, 1152), np.uint8), suffix=suffix, with_mask=False
        )
        assert found.size == (100, LONGEST)
        assert pixels(found).shape == (100, LONGEST, 3)
        assert np.abs(pixels(found) - (40, 90, 200)).max() < 8


def test_a_mask_is_blended_over_its_image_in_the_colours_of_its_classes(tmp_path):
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 30:] = 1
    alone, over = drawn(tmp_path, mask=mask)
    assert np.abs(pixels(alone) - 100).max() < 8
    assert np.abs(pixels(over)[10:30, 8:20] - (175, 50, 50)).max() < 20
    assert np.abs(pixels(over)[10:30, 40:52] - (50, 50, 175)).max() < 20


@pytest.mark.parametrize("fault", ["size", "values"])
def test_a_mask_that_does_not_fit_is_drawn_as_it_is_stored(tmp_path, fault):
    mask = np.zeros((20, 20) if fault == "size" else (40, 60), np.uint8)
    mask[:, 10:] = 1 if fault == "size" else 77
    alone, stored = drawn(tmp_path, mask=mask)
    assert alone.uri
    assert stored.what == "mask as it is stored"
    shown = pixels(stored)
    assert shown.shape[:2] == mask.shape
    assert np.abs(shown[5, 3] - shown[5, 17]).max() > 60  # each value has a colour of its own


def test_files_that_cannot_be_read_say_so_and_keep_the_others(tmp_path):
    sample = Sample("a", save(tmp_path / "a.jpg", GREY), tmp_path / "nowhere.png", "train")
    alone, missing = sample_thumbnails(sample, READING, CLASSES, with_mask=True)
    assert alone.uri
    assert (missing.uri, bool(missing.problem)) == ("", True)
    sample.image.write_bytes(sample.image.read_bytes()[:-40])
    (broken,) = sample_thumbnails(sample, READING, CLASSES, with_mask=False)
    assert (broken.uri, "cut short" in broken.problem) == ("", True)


def test_whatever_a_decoder_raises_is_said_in_the_place(tmp_path, monkeypatch):
    def fails(*_, **__):
        raise MemoryError("no room")

    monkeypatch.setattr("aerialseg.report.pages.thumbnails.viewed", fails)
    (found,) = drawn(tmp_path, with_mask=False)
    assert (found.uri, found.problem) == ("", "no room")


def test_bands_without_a_known_range_are_drawn_with_their_own(tmp_path):
    deep = np.linspace(1000, 3000, 40 * 60).reshape(40, 60).astype(np.uint16)
    reading = Reading(bands=(1,), percentiles=(2.0, 98.0))
    (found,) = drawn(tmp_path, deep, with_mask=False, reading=reading)
    shown = pixels(found)[..., 0]
    assert shown[0].mean() < 20
    assert shown[-1].mean() > 235


def test_links_lead_to_images_that_browsers_show(tmp_path):
    page = tmp_path / "runs/inspect"
    path = save(tmp_path / "d/an image.png", GREY)
    assert image_link(path, page) == "../../d/an%20image.png"
    assert image_link(Path(tmp_path / "d/none.png"), page) == ""
    assert image_link(save(tmp_path / "d/a.tif", GREY), page) == ""
