"""Run-length text: by hand, against a per-class encoder, round trip, and broken text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from aerialseg.errors import DataError
from aerialseg.rle import decode, encode

BY_HAND = np.array([[0, 0, 2], [2, 2, 0]], dtype=np.uint8)

masks = npst.arrays(
    np.uint8,
    npst.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.sampled_from([0, 1, 2, 3, 255]),
)
orders = st.sampled_from(["row", "column"])


def encode_one_by_one(mask, num_classes, order):
    """Pixel by pixel and class by class."""
    texts = []
    for class_id in range(num_classes):
        pairs = []
        pixels = (mask if order == "row" else mask.T).flatten().tolist()
        for place, pixel in enumerate(pixels, start=1):
            if pixel != class_id:
                continue
            if pairs and sum(pairs[-1]) == place:
                pairs[-1][1] += 1
            else:
                pairs.append([place, 1])
        texts.append(" ".join(f"{start} {length}" for start, length in pairs))
    return texts


def test_rows_are_counted_from_one_and_runs_go_on_into_the_next_row():
    assert encode(BY_HAND, 4) == ["1 2 6 1", "", "3 3", ""]


def test_columns():
    assert encode(BY_HAND, 3, order="column") == ["1 1 3 1 6 1", "", "2 1 4 2"]


def test_decode_by_hand():
    np.testing.assert_array_equal(decode("3 3", (2, 3)), BY_HAND == 2)
    np.testing.assert_array_equal(decode("2 1 4 2", (2, 3), order="column"), BY_HAND == 2)
    np.testing.assert_array_equal(decode("1 2 3 1", (1, 4)), [[True, True, True, False]])


def test_empty_text_is_an_absent_class():
    mask = decode("", (3, 5))
    assert mask.shape == (3, 5)
    assert mask.dtype == np.bool_
    assert not mask.any()


def test_whole_mask_of_one_class():
    assert encode(np.ones((4, 5), np.uint8), 2) == ["", "1 20"]
    assert decode("1 20", (4, 5)).all()


def test_mask_of_ignored_pixels_only():
    assert encode(np.full((4, 5), 255, np.uint8), 2) == ["", ""]


def test_mask_without_pixels():
    assert encode(np.zeros((0, 5), np.uint8), 2) == ["", ""]


@given(masks, orders)
def test_equals_a_per_class_encoder(mask, order):
    assert encode(mask, 5, order=order) == encode_one_by_one(mask, 5, order)


@given(masks, orders, st.sampled_from([np.uint8, np.int16, np.int64]))
def test_round_trip(mask, order, dtype):
    for class_id, text in enumerate(encode(mask.astype(dtype), 4, order=order)):
        np.testing.assert_array_equal(decode(text, mask.shape, order=order), mask == class_id)


@given(masks)
def test_does_not_care_how_the_mask_lies_in_memory(mask):
    assert encode(mask.T, 4) == encode(np.ascontiguousarray(mask.T), 4)


def test_refuses_ids_that_are_no_class():
    with pytest.raises(DataError, match=r"holds the ids \[3, 7\]; wanted 0 to 2"):
        encode(np.array([[0, 7], [3, 255]], np.uint8), 3)
    with pytest.raises(DataError, match=r"\[-1\]"):
        encode(np.array([[0, -1]]), 3)


def test_refuses_a_mask_with_channels():
    with pytest.raises(ValueError, match="wanted \\(height, width\\)"):
        encode(np.zeros((4, 4, 3), np.uint8), 3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 2 3", "hold 3 numbers"),
        ("1 two", "number 2 is 'two'"),
        ("1 2.0", "number 2 is '2.0'"),
        ("-1 2", "number 1 is '-1'"),
        ("1,2", "number 1 is '1,2'"),
        ("1_0 2", "number 1 is '1_0'"),
        ("\u0663 2", "number 1 is '\u0663'"),
        ("nan", "number 1 is 'nan'"),
        ("0 2", "run 1"),
        ("1 0", "run 1"),
        ("1 2 5 0", "run 2"),
        ("1 4 3 1", "run 2"),
        ("5 1 1 1", "run 2"),
        ("1 7", "run 1"),
        ("6 2", "run 1"),
        ("7 1", "run 1"),
        ("1 99999999999999999999999", "run 1"),
        ("9" * 5000 + " 1", "run 1"),
    ],
)
def test_refuses_broken_text(text, reason):
    with pytest.raises(DataError, match=reason) as error:
        decode(text, (2, 3))
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 250
