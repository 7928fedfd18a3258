"""Which crops are drawn, against plain formulas."""

from collections import Counter

import numpy as np
import pytest

from aerialseg.data.images.crops import Crop, Crops, crops_of
from aerialseg.data.images.windows import Box
from aerialseg.errors import ConfigError

IMAGES = [(720, 1280), (1280, 720), (37, 41), (16, 900), (3000, 4000)]


def draws(crops, image, count=2000, **options):
    return [crops.draw(image, np.random.default_rng((5, i)), **options) for i in range(count)]


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("size", [(256, 456), (64, 64), (96, 32)])
def test_crops_lie_in_the_image_and_have_the_shape_of_their_size(image, size):
    for box, shrink in ((c.box, c.shrink) for c in draws(Crops(size, (0.2, 1.0)), image, 200)):
        assert 0 <= box.top <= image[0] - box.height
        assert 0 <= box.left <= image[1] - box.width
        # Rounding moves each edge by half a pixel at most, and by less than shrink for decoding.
        height = box.width * size[0] / size[1]
        assert abs(box.height - height) <= (shrink + 0.5) * (1 + size[0] / size[1])
        assert all(number % shrink == 0 for number in (box.top, box.left, *box.size, *image))
        assert shrink == 1 or (
            box.height >= 2 * shrink * size[0] and box.width >= 2 * shrink * size[1]
        )


def test_edges_are_evenly_spread_between_the_two_shares_of_the_largest_rectangle():
    # In 720x1280 the largest rectangle of 100x100 is 720x720.
    heights = np.sort([c.box.height for c in draws(Crops((100, 100), (0.25, 0.75)), (720, 1280))])
    assert heights[0] >= 179  # 0.25 * 720, less one where images are decoded at half the size
    assert heights[-1] <= 540
    even = np.linspace(180, 540, len(heights))
    assert np.abs(heights - even).max() < 0.04 * (540 - 180)  # of Kolmogorov and Smirnov


def test_all_places_are_equally_likely():
    places = Counter(
        (c.box.top, c.box.left) for c in draws(Crops((16, 16), (1.0, 1.0)), (16, 20), 5000)
    )
    assert set(places) == {(0, left) for left in range(5)}
    assert max(abs(n - 1000) for n in places.values()) < 5 * np.sqrt(1000)


def test_one_share_of_the_whole_image_is_the_image():
    assert set(draws(Crops((72, 128), (1.0, 1.0)), (73 * 9, 128 * 9), 50)) <= {
        Crop(Box(top, 0, 648, 1152), 1) for top in range(10)
    }


@pytest.mark.parametrize("image", IMAGES)
def test_a_pixel_that_must_be_held_is(image):
    crops = Crops((64, 48), (0.1, 1.0))
    random = np.random.default_rng(0)
    for _ in range(300):
        row, column = (int(random.integers(edge)) for edge in image)
        box = crops.draw(image, random, pixel=(row, column)).box
        assert box.top <= row < box.top + box.height
        assert box.left <= column < box.left + box.width
        assert box.top + box.height <= image[0]
        assert box.left + box.width <= image[1]


def test_crops_without_any_label_are_avoided_and_a_class_is_held():
    mask = np.full((90, 120), 255, dtype=np.uint8)
    mask[70:75, 100:104] = 1
    mask[3, 4] = 2
    crops = Crops((16, 16), (0.2, 0.3))
    found = [crops.draw_labelled(mask, np.random.default_rng(i)).box.of(mask) for i in range(200)]
    assert all((part != 255).any() for part in found)
    for class_id in (1, 2):
        found = [
            crops.draw_labelled(mask, np.random.default_rng(i), class_id=class_id).box.of(mask)
            for i in range(100)
        ]
        assert all((part == class_id).any() for part in found)


def test_what_the_mask_does_not_hold_is_no_wish():
    crops, nothing = Crops((16, 16), (0.5, 1.0)), np.full((32, 32), 255, dtype=np.uint8)
    assert crops.draw_labelled(nothing, np.random.default_rng(0)).box.height >= 16
    assert crops.draw_labelled(nothing, np.random.default_rng(0), class_id=3).box.height >= 16


def test_how_large_things_are_shown():
    # The largest rectangle of 256x456 in 720x1280 is 718.6 pixels high: 1280 * 256 / 456.
    low, high = Crops((256, 456), (0.5, 1.0)).zooms((720, 1280))
    assert low == pytest.approx(456 / 1280)
    assert high == pytest.approx(2 * 456 / 1280)


def test_settings_become_crops_or_an_error():
    assert crops_of(None, (0.5, 1)) is None
    assert crops_of(64, [0.5, 1]) == crops_of([64, 64], (0.5, 1)) == Crops((64, 64), (0.5, 1))
    with pytest.raises(ConfigError, match=r"data.crop_size: is \[1, 2, 3\]; wanted one number"):
        crops_of([1, 2, 3], (0.5, 1))
    with pytest.raises(ConfigError, match=r"data.crop_scale: is \[1, 0.5\]; wanted \[low, high\]"):
        crops_of(64, (1, 0.5))
