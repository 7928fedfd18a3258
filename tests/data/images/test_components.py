"""Connected components that are whole, on masks drawn by hand."""

import numpy as np
import pytest
from scipy import ndimage

from aerialseg.data.images.components import whole_components


def mask_with(*rectangles, size=(40, 50)):
    """``(top, left, height, width, class)`` each, on class 0."""
    mask = np.zeros(size, dtype=np.uint8)
    for top, left, height, width, value in rectangles:
        mask[top : top + height, left : left + width] = value
    return mask


def found(mask, class_ids=(1,), most=99):
    return whole_components(mask, class_ids, np.random.default_rng(0), most=most)


def boxes(mask, **options):
    return sorted((c.box.top, c.box.left, *c.box.size, c.class_id) for c in found(mask, **options))


def test_objects_are_found_with_their_shape():
    mask = mask_with((5, 6, 8, 9, 1), (7, 8, 2, 2, 0), (20, 30, 4, 4, 2), (30, 5, 5, 5, 1))
    ring = np.ones((8, 9), dtype=bool)
    ring[2:4, 2:4] = False
    first = next(c for c in found(mask) if c.box.top == 5)
    assert np.array_equal(first.shape, ring)
    assert boxes(mask) == [(5, 6, 8, 9, 1), (30, 5, 5, 5, 1)]
    assert boxes(mask, class_ids=(2, 1))[1] == (20, 30, 4, 4, 2)


@pytest.mark.parametrize("corner", [(0, 9), (9, 0), (35, 9), (9, 45)])
def test_what_touches_a_border_is_left_out(corner):
    assert boxes(mask_with((*corner, 5, 5, 1))) == []
    inside = [min(max(1, corner[0]), 34), min(max(1, corner[1]), 44)]
    assert boxes(mask_with((*inside, 5, 5, 1))) == [(*inside, 5, 5, 1)]


def test_tiny_and_huge_ones_are_left_out():
    assert boxes(mask_with((5, 5, 3, 5, 1))) == []  # 15 pixels
    assert boxes(mask_with((5, 5, 4, 4, 1))) == [(5, 5, 4, 4, 1)]
    assert boxes(mask_with((5, 5, 20, 20, 1))) == [(5, 5, 20, 20, 1)]  # a fifth of 2000
    assert boxes(mask_with((5, 5, 20, 21, 1))) == []


@pytest.mark.parametrize("pixel", [(4, 4), (4, 7), (7, 10), (10, 10), (7, 7)])
def test_what_touches_a_pixel_without_label_is_left_out(pixel):
    object_ = (5, 5, 5, 5, 1)
    assert boxes(mask_with(object_, (*pixel, 1, 1, 255))) == []
    assert boxes(mask_with(object_, (3, 3, 1, 1, 255))) == [object_]


def test_of_many_some_are_chosen():
    many = [(top, left, 4, 4, 1) for top in (2, 10, 18) for left in (2, 10, 18)]
    assert len(boxes(mask_with(*many), most=4)) == 4
    assert set(boxes(mask_with(*many), most=4)) < set(many)


def test_components_are_those_of_scipy():
    noise = np.random.default_rng(3).random((60, 70))
    mask = (ndimage.gaussian_filter(noise, 1.2) > 0.52).astype(np.uint8)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    wanted = set()
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        area = (labels == number).sum()
        inside = rows.start and columns.start and rows.stop < 60 and columns.stop < 70
        if inside and 16 <= area <= 0.2 * mask.size:
            wanted.add((rows.start, columns.start, int(area)))
    assert 2 < len(wanted) < count
    assert {(c.box.top, c.box.left, int(c.shape.sum())) for c in found(mask)} == wanted
