"""Data must be those that a checkpoint was trained on, band by band."""

import pytest

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from aerialseg.errors import CheckpointError
from aerialseg.training.bands import read_as_trained, warn_if_read_otherwise
from helpers.rasters import write_band_folders
from helpers.tiny_data import CLASSES
from helpers.tiny_training import describe_run

RANGES = [[0.0, 10_000.0], [5.0, 9000.0]]
TRAINED = describe_run(bands=[4, 2], value_range=RANGES, file_kind={"bands": 4, "dtype": "uint16"})


def _data(tmp_path, **settings):
    root = tmp_path / "f"
    if not root.exists():
        write_band_folders(root, list("abcd"))
    arguments = {"image_min_size": None, "batch_size": 2, "num_workers": 0, **settings}
    return AerialSegDataModule(
        root, folders, classes=CLASSES, cache_dir=tmp_path / "cache", **arguments
    )


def _line(data, description):
    with pytest.raises(CheckpointError) as error:
        read_as_trained(data, description, "p.ckpt", advice=", or start anew")
    (line,) = error.value.problems
    return line


def test_percentiles_become_the_values_of_the_checkpoint(tmp_path):
    data = _data(tmp_path, bands=[4, 2], value_range={"percentiles": [2, 98]})
    read_as_trained(data, TRAINED, "p.ckpt")
    assert [list(pair) for pair in data.served.ranges] == RANGES
    assert data.reduced(2).served.ranges == data.served.ranges


def test_another_value_of_no_data_is_named(tmp_path, caplog):
    settings = {"bands": [4, 2], "value_range": RANGES}
    read_as_trained(_data(tmp_path, **settings), TRAINED, "p.ckpt")
    assert not caplog.messages
    read_as_trained(_data(tmp_path, nodata=0, **settings), TRAINED, "p.ckpt")
    assert caplog.messages == ["data.nodata: is 0, and was null where p.ckpt was trained"]


def test_the_same_typed_values_pass(tmp_path):
    data = _data(tmp_path, bands=[4, 2], value_range=RANGES)
    read_as_trained(data, TRAINED, "p.ckpt")
    assert [list(pair) for pair in data.served.ranges] == RANGES


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"bands": [2, 4], "value_range": RANGES},
            "p.ckpt: was trained on bands 4, 2, but the data give bands 2, 4; set "
            "data.bands=[4,2], or start anew",
        ),
        (
            {"bands": [4, 2], "value_range": [0, 10_000]},
            "p.ckpt: was trained with values by another data.value_range; set "
            f"'data.value_range={RANGES}', or start anew",
        ),
    ],
)
def test_other_bands_or_values_are_one_line(tmp_path, settings, line):
    assert _line(_data(tmp_path, **settings), TRAINED) == line


def test_files_of_another_kind_are_one_line(tmp_path):
    other = describe_run(bands=[1], value_range=[[0, 1]], file_kind={"bands": 5, "dtype": "int16"})
    line = _line(_data(tmp_path, bands=[1], value_range=[0, 1]), other)
    assert line.startswith(
        "p.ckpt: was trained on files with 5 bands of int16, those of the data have 4 bands of "
        "uint16, so bands and values mean something else"
    )


def test_bands_are_not_rgb(tmp_path):
    data = _data(tmp_path, bands=[1, 2, 3], value_range=[0, 1])
    assert "was trained on 8-bit RGB, but the data give bands 1, 2, 3; set data.bands=null" in (
        _line(data, describe_run())
    )


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        (
            {"bands": [2, 4], "value_range": RANGES},
            "was trained on bands 4, 2, but the data give bands 2, 4; set data.bands=[4,2]",
        ),
        ({}, "was trained on bands 4, 2, but the data give 8-bit RGB; set data.bands=[4,2]"),
        (
            {"bands": [4, 2], "value_range": [0, 10_000]},
            f"was trained with values by another data.value_range; set 'data.value_range={RANGES}'",
        ),
    ],
)
def test_weights_that_were_trained_on_other_bands_are_named(tmp_path, settings, difference, caplog):
    warn_if_read_otherwise(_data(tmp_path, **settings), TRAINED, f"{tmp_path}/w.ckpt")
    assert caplog.messages == [
        f"model.weights: {tmp_path}/w.ckpt: {difference}, unless both mean the same; training "
        "starts from it all the same"
    ]


@pytest.mark.parametrize(
    ("description", "settings"),
    [
        (TRAINED, {"bands": [4, 2], "value_range": RANGES}),
        (TRAINED, {"bands": [4, 2], "value_range": {"percentiles": [2, 98]}}),
        (describe_run(), {"bands": [1, 2, 3], "value_range": [0, 1]}),  # as published weights
        (describe_run(), {}),
    ],
)
def test_nothing_is_said_of_weights_that_fit(tmp_path, description, settings, caplog):
    data = _data(tmp_path, **settings)
    warn_if_read_otherwise(data, description, "w.ckpt")
    assert not caplog.messages
    if data.reading.percentiles is not None:  # they are those of the data
        assert [list(pair) for pair in data.served.ranges] != RANGES
