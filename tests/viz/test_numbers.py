import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aerialseg.viz.numbers import row_shares, short_count, short_percent

SQUARES = st.integers(1, 8).flatmap(
    lambda n: arrays(np.int64, (n, n), elements=st.sampled_from([0, 1, 7, 10**12]))
)


@given(matrix=SQUARES)
def test_shares_of_a_row_sum_to_one_and_empty_rows_are_nan(matrix):
    shares = row_shares(matrix)

    for row, counts in zip(shares, matrix, strict=True):
        if counts.sum() == 0:
            assert np.isnan(row).all()
        else:
            assert row.sum() == pytest.approx(1)
            assert row * counts.sum() == pytest.approx(counts)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (1249, "1.2k"),
        (9949, "9.9k"),
        (9950, "10k"),
        (34_499, "34k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (3_400_000, "3.4M"),
        (2_000_000_000, "2.0G"),
        (5 * 10**13, "50T"),
    ],
)
def test_counts_are_short(count, text):
    assert short_count(count) == text


@given(count=st.integers(0, 10**15 - 10**12))
def test_a_short_count_is_close_to_the_count(count):
    text = short_count(count)
    unit = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1], 1)

    assert len(text) <= 4
    assert float(text.rstrip("kMGT")) * unit == pytest.approx(count, rel=0.055)


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [
        (0.0, 1, "0"),
        (0.0001, 1, "0.0"),
        (0.0731, 1, "7.3"),
        (0.9994, 1, "99.9"),
        (0.9996, 1, "100"),
        (1.0, 1, "100"),
        (0.236, 0, "24"),
    ],
)
def test_percentages_are_short(share, decimals, text):
    assert short_percent(share, decimals=decimals) == text
