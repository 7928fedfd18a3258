"""Images as ``data:`` addresses, decoded again."""

import base64
import io

import numpy as np
from PIL import Image

from aerialseg.report.pages.inlined import confidence_uri, mask_uri, photo_uri, thumbnail_size
from helpers.run_pages import CLASSES


def decoded(uri, kind):
    head, _, data = uri.partition(",")
    assert head == f"data:image/{kind};base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_a_mask_has_the_colours_of_its_classes_and_ignored_pixels_are_transparent():
    mask = np.array([[0, 1], [3, 255]], np.uint8)
    found = np.asarray(decoded(mask_uri(mask, CLASSES, (2, 2)), "png").convert("RGBA"))
    assert [tuple(pixel) for pixel in found[..., :3].reshape(-1, 3)[:3]] == [
        CLASSES.colours[0],
        CLASSES.colours[1],
        CLASSES.colours[3],
    ]
    assert found[..., 3].tolist() == [[255, 255], [255, 0]]


def test_a_smaller_mask_holds_classes_of_the_mask_only():
    mask = np.random.default_rng(0).choice([0, 2], (90, 70)).astype(np.uint8)
    found = decoded(mask_uri(mask, CLASSES, (31, 24)), "png")
    assert found.size == (24, 31)
    assert set(np.unique(np.asarray(found))) == {0, 2}


def test_an_image_is_a_jpeg_of_the_wanted_size():
    image = np.full((40, 60, 3), (200, 100, 50), np.uint8)
    found = decoded(photo_uri(image, (20, 30)), "jpeg")
    assert found.size == (30, 20)
    assert np.abs(np.asarray(found).astype(int) - (200, 100, 50)).max() < 8


def test_confidence_is_lighter_where_the_network_is_surer():
    confidence = np.tile(np.array([0, 100, 255], np.uint8), (2, 1))
    found = np.asarray(decoded(confidence_uri(confidence, (2, 3)), "png").convert("L"))[0]
    assert found[0] < found[1] < found[2]


def test_an_image_is_never_enlarged():
    assert thumbnail_size((720, 1280), 640) == (360, 640)
    assert thumbnail_size((72, 128), 640) == (72, 128)
    assert thumbnail_size((1, 5000), 100) == (1, 100)
