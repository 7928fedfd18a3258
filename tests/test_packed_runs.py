import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aerialseg.rle import count_packed, pack, unpack
from helpers.tiny_data import mask

MASKS = arrays.arrays(
    np.uint8, arrays.array_shapes(min_dims=2, max_dims=2), elements=st.sampled_from([0, 1, 7, 255])
)


@given(MASKS)
def test_nothing_is_lost(ids):
    decoded = unpack(pack(ids), ids.shape)
    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, ids)


@given(MASKS)
def test_pixels_are_counted_without_decoding(ids):
    counts = count_packed(pack(ids))
    assert counts.dtype == np.int64
    assert counts.tolist() == [int((ids == c).sum()) for c in range(256)]


def test_a_run_is_a_length_above_an_id():
    runs = pack(np.array([[3, 3, 0], [0, 0, 255]], dtype=np.uint8))
    assert runs.dtype == np.uint32
    assert runs.tolist() == [2 * 256 + 3, 3 * 256 + 0, 1 * 256 + 255]


def test_runs_longer_than_24_bits_are_parted():
    size = (4097, 4099)  # more than 2**24 pixels, where float32 stops counting too
    runs = pack(np.full(size, 5, dtype=np.uint8))
    assert runs.size == 2
    assert count_packed(runs)[5] == 4097 * 4099
    assert (unpack(runs, size) == 5).all()


@pytest.mark.parametrize("turn", [np.asfortranarray, np.flipud, lambda ids: ids[:, ::2]])
def test_the_order_in_memory_does_not_matter(turn):
    ids = turn(mask())
    assert np.array_equal(unpack(pack(ids), ids.shape), ids)


def test_areas_take_little_memory():
    areas = np.kron(mask((6, 8)), np.ones((40, 40), dtype=np.uint8))
    assert pack(areas).nbytes < areas.size / 16
