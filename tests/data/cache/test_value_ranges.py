from dataclasses import replace

import numpy as np
import pytest

from aerialseg.data.cache.value_ranges import percentile_ranges, range_warnings
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts import folders
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from helpers.rasters import values_of, write_band_folders, write_tiff
from helpers.tiny_data import random_image, save

READING = Reading(bands=(3, 1), percentiles=(10, 90))


@pytest.fixture
def samples(tmp_path, cache):
    return folders(write_band_folders(tmp_path / "f", list("abc")), cache).samples


def test_percentiles_are_those_of_all_pixels_and_kept(samples, cache, monkeypatch):
    found = percentile_ranges(samples, READING, cache)
    values = np.stack([values_of(seed=seed) for seed in range(3)])
    wanted = np.percentile(values[..., [2, 0]].reshape(-1, 2), [10, 90], axis=0).T
    assert np.allclose(found, wanted)
    monkeypatch.setattr("aerialseg.data.cache.value_ranges.read_stored", None)
    assert percentile_ranges(samples, READING, cache) == found


def test_pixels_without_data_are_left_out(samples, cache):
    values = values_of(seed=0)
    values[:12] = 65_535
    write_tiff(samples[0].image, values, nodata=65_535)
    found = percentile_ranges(samples[:1], READING, cache)
    wanted = np.percentile(values[12:][..., [2, 0]].reshape(-1, 2), [10, 90], axis=0).T
    assert np.allclose(found, wanted)


def test_a_large_image_gives_the_percentiles_of_all_its_columns(samples, cache):
    size = (1000, 1600)  # every 80th pixel would be in one of 20 columns
    columns = np.broadcast_to(np.arange(1600, dtype=np.uint16), size)
    write_tiff(samples[0].image, np.stack([columns] * 3, axis=-1))
    reading = Reading(bands=(1, 3), percentiles=(1, 99))
    found = percentile_ranges(samples[:1], reading, cache)
    assert np.allclose(found, [[16, 1583]] * 2, atol=6)
    assert percentile_ranges(samples[:1], reading, cache.parent / "other") == found


@pytest.mark.parametrize("suffix", ["bmp", "png", "webp"])
def test_pixels_without_data_are_left_out_of_every_format(tmp_path, cache, suffix):
    pixels = np.full((24, 32, 3), 200, np.uint8)
    pixels[:12] = 0
    pixels[12:18] = 100
    sample = Sample("a", save(tmp_path / f"a.{suffix}", pixels, lossless=True), None, "train")
    reading = Reading(bands=(1, 2, 3), percentiles=(0, 100), nodata=0)
    assert percentile_ranges([sample], reading, cache) == ((100, 200),) * 3


@pytest.mark.parametrize(
    ("value_range", "bands"),
    [
        ((0, 10_000), []),
        ((2000, 9000), []),
        ((-20_000, 60_000), []),
        ((0, 1), [3, 1]),
        ((9900, 20_000), [3, 1]),
        ((0, 4_000_000), [3, 1]),
    ],
)
def test_a_range_that_shows_nearly_nothing_is_named(samples, cache, value_range, bands):
    reading = Reading(bands=(3, 1), ranges=(value_range,) * 2)
    low, high = value_range
    lines = range_warnings(samples, reading, cache)
    assert [line.partition(" is mapped")[0] for line in lines] == [
        f"data.value_range: band {band}" for band in bands
    ]
    assert all(f"from {low:g} to {high:g}" in line for line in lines)
    assert not range_warnings(samples, Reading(bands=(1,)), cache)


@pytest.mark.parametrize("is_typed", [True, False])
def test_pixels_without_data_are_left_out_of_files_that_are_no_rasters(tmp_path, cache, is_typed):
    values = random_image().clip(1, 255)
    values[:12] = 0
    alpha = np.full((*values.shape[:2], 1), 255, np.uint8)
    alpha[:12] = 255 if is_typed else 0
    path = save(tmp_path / "a.webp", np.dstack([values, alpha]), lossless=True, exact=True)
    reading = replace(READING, nodata=0 if is_typed else None)
    found = percentile_ranges([Sample("a", path, None, None)], reading, cache)
    wanted = np.percentile(values[12:][..., [2, 0]].reshape(-1, 2), [10, 90], axis=0).T
    assert np.allclose(found, wanted)


def test_a_band_of_one_value_has_no_range(samples, cache):
    values = values_of(seed=0)
    values[..., 2] = 7
    write_tiff(samples[0].image, values)
    with pytest.raises(DataError, match="both percentiles of band 3 are 7 in the training images"):
        percentile_ranges(samples[:1], READING, cache)
