"""Masks whose tags say something else about a value than the class table."""

import logging

import numpy as np
import pytest

from aerialseg.classes import ClassTable
from aerialseg.data import notices
from aerialseg.data.checks.label_tags import check_nodata_tags
from aerialseg.data.images.mask_encoding import MaskEncoding
from helpers.rasters import write_tiff
from helpers.tiny_data import save

TABLE = ClassTable(("ground", "roof"), ((0, 0, 0), (200, 0, 0)))


@pytest.fixture(autouse=True)
def _nothing_said_yet():
    notices._said.clear()


def said(caplog, paths, encoding):
    with caplog.at_level(logging.WARNING):
        check_nodata_tags(paths, encoding)
    return caplog.messages


def tagged(path, nodata):
    options = {} if nodata is None else {"nodata": nodata}
    return write_tiff(path, np.ones((4, 6, 1), np.uint8), **options)


def test_a_class_that_the_tag_takes_for_no_data_is_named(tmp_path, caplog):
    paths = [save(tmp_path / "a.png", np.ones((4, 6), np.uint8)), tagged(tmp_path / "b.TIF", 0)]
    (line,) = said(caplog, paths, MaskEncoding(TABLE))
    assert line == (
        f"{tmp_path / 'b.TIF'}: its nodata tag says that 0 means no data, and the class table that "
        "it is 'ground', which is what it is taken for; if it means no label, set "
        "data.ignore_values=[0]"
    )


@pytest.mark.parametrize(
    ("nodata", "options"),
    [
        (None, {}),
        (255, {}),
        (7, {}),
        (0, {"ignore_values": [0], "mask_values": {1: "ground", 2: "roof"}}),
        (0, {"mask_values": {1: "ground", 2: "roof"}}),
    ],
)
def test_tags_that_agree_are_passed_over(tmp_path, caplog, nodata, options):
    encoding = MaskEncoding(TABLE, **options)
    assert said(caplog, [tagged(tmp_path / "a.tif", nodata)], encoding) == []


def test_a_value_of_ones_own_is_named_by_its_class(tmp_path, caplog):
    encoding = MaskEncoding(TABLE, mask_values={5: "roof", 9: "ground"})
    (line,) = said(caplog, [tagged(tmp_path / "a.tif", 5)], encoding)
    assert "5 means no data, and the class table that it is 'roof'" in line
