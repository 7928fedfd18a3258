"""Windows against an image of numbers: which pixels they serve, and which are theirs alone."""

import numpy as np
import pytest

from aerialseg.data.images.windows import grid

SIZES = [
    ((60, 90), (32, 32)),
    ((64, 96), (32, 32)),  # nothing is left over
    ((33, 31), (32, 32)),  # one edge is larger by a pixel, the other smaller
    ((100, 17), (16, 16)),
    ((41, 47), (16, 24)),
    ((16, 24), (16, 24)),
]


@pytest.mark.parametrize(("size", "window"), SIZES)
def test_windows_have_their_size_and_cover_the_image(size, window):
    seen = np.zeros(size, np.uint8)
    windows = grid(size, window)
    for each in windows:
        part = each.box.of(seen)
        assert part.shape == tuple(np.minimum(size, window))
        part += 1
    assert seen.min() == 1
    assert len(windows) == -(-size[0] // window[0]) * -(-size[1] // window[1])
    assert [each.number for each in windows] == list(range(len(windows)))


@pytest.mark.parametrize(("size", "window"), SIZES)
def test_each_pixel_is_in_one_share_which_lies_in_its_window(size, window):
    owned = np.zeros(size, np.uint8)
    inside = np.zeros(size, np.uint8)
    for each in grid(size, window):
        inside[:] = 0
        each.box.of(inside)[:] = 1
        assert each.share.of(inside).all()
        assert each.share.of(inside).shape == each.share.size
        each.share.of(owned)[:] += 1
    assert (owned == 1).all()


def test_overlaps_are_equal_and_shared_in_the_middle():
    # 100 rows by 40: three windows, 20 left over, so two overlaps of 10.
    windows = grid((100, 40), (40, 40))
    assert [each.box.top for each in windows] == [0, 30, 60]
    assert [(each.share.top, each.share.height) for each in windows] == [
        (0, 35),
        (35, 30),
        (65, 35),
    ]


@pytest.mark.parametrize(("size", "window"), SIZES)
def test_a_mask_keeps_the_share_and_ignores_the_rest(size, window):
    image = np.random.default_rng(0).integers(0, 5, size, dtype=np.uint8)
    total = np.zeros(5, np.int64)
    for each in grid(size, window):
        before = each.box.of(image).copy()
        mask = each.share_of(before)
        top, left = each.share.top - each.box.top, each.share.left - each.box.left
        expected = np.full_like(mask, 255)
        rows, columns = slice(top, top + each.share.height), slice(left, left + each.share.width)
        expected[rows, columns] = before[rows, columns]
        assert np.array_equal(mask, expected)
        total += np.bincount(mask[mask != 255], minlength=5)
    assert np.array_equal(total, np.bincount(image.ravel(), minlength=5))


def test_shares_of_resized_masks_cover_the_resized_image():
    """Two windows that meet without overlap, at half size: no row is lost or counts twice."""
    upper, lower = grid((64, 32), (32, 32))
    half = np.zeros((16, 16), np.uint8)
    assert (upper.share_of(half) == 0).all()
    assert (lower.share_of(half) == 0).all()
    first, second, third = grid((100, 40), (40, 40))
    mask = np.zeros((20, 20), np.uint8)
    rows = [int((each.share_of(mask)[:, 0] == 0).sum()) for each in (first, second, third)]
    assert sum(rows) == pytest.approx(50, abs=2)
