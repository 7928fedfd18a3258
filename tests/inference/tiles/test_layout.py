import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerialseg.inference.tiles.layout import BLOCK, tile_layout


@given(
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    st.integers(1, 1500),
    st.floats(0, 0.5),
    st.floats(0.05, 4),
    st.booleans(),
)
def test_tiles_cover_the_image_and_strips_follow_each_other(
    size, tile_size, overlap, scale, is_shifted
):
    layout = tile_layout(size, tile_size=tile_size, overlap=overlap, scale=scale)
    layout = layout.shifted if is_shifted else layout
    for edge, starts, tile, shared in zip(
        size, (layout.tops, layout.lefts), layout.tile, layout.overlap, strict=True
    ):
        blocks = math.ceil(edge / layout.block)
        assert starts[0] == 0
        assert starts[-1] + tile == blocks
        for one, other in pairwise(starts):
            assert 0 < other - one <= tile - shared
    ends = [0, *(plan.end for plan in layout.strips)]
    assert ends[1:] == sorted(set(ends[1:]))
    assert [plan.first for plan in layout.strips] == ends[:-1]
    assert ends[-1] == size[0]
    for plan in layout.strips:
        first, end = layout.pixel_rows(plan.row)
        assert first <= plan.first < plan.end <= end
        assert layout.first_row_for(plan) <= plan.row


@pytest.mark.parametrize(("scale", "block"), [(1.0, 32), (0.6, 53), (2.0, 16), (0.1, 320)])
def test_blocks_keep_the_scale_of_training(scale, block):
    layout = tile_layout((4000, 6000), tile_size=720, overlap=0.25, scale=scale)
    assert layout.block == block
    assert BLOCK / layout.block == pytest.approx(scale, rel=0.02)


def test_tiles_are_about_as_large_as_wanted():
    layout = tile_layout((4000, 6000), tile_size=720, overlap=0.25, scale=0.6)
    assert layout.tile_pixels == (14 * 53, 14 * 53)  # 742
    assert layout.input_size == (448, 448)
    assert layout.overlap == (4, 4)


def test_shifted_tiles_lie_between_the_others():
    layout = tile_layout((300, 3000), tile_size=512, overlap=0.25, scale=1)
    assert layout.lefts == (0, 12, 24, 36, 48, 60, 72, 78)
    assert layout.shifted.lefts == (0, 6, 18, 30, 42, 54, 66, 78)
    assert layout.shifted.tops == layout.tops == (0,)


def test_an_image_that_is_smaller_than_a_tile_is_one():
    layout = tile_layout((300, 5000), tile_size=512, overlap=0.25, scale=1)
    assert layout.tile == (10, 16)
    assert layout.tops == (0,)
    assert layout.tile_pixels[0] == 320
