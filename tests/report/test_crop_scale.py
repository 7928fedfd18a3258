"""How large crops show things, beside validation, by hand."""

import pytest

from aerialseg.report.crop_scale import crop_facts, crop_warnings
from helpers.grouped_data import IDS, data_module
from helpers.tiny_data import write_folders


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", IDS, (100, 200))


def module(root, edge, **changes):
    return data_module(root, image_min_size=edge, crop_scale=[0.5, 1.0], **changes)


def test_nothing_is_said_without_crops(root):
    data = module(root, 50)
    assert crop_facts(data) == crop_warnings(data) == []


@pytest.mark.parametrize(
    ("edge", "which"),
    # The largest square is 100 pixels high, so crops of 40 show things at 0.4 to 0.8.
    [(30, "smaller"), (40, None), (60, None), (80, None), (90, "larger"), (None, "larger")],
)
def test_validation_at_a_scale_that_training_never_shows_is_warned_of(root, edge, which):
    data = module(root, edge, crop_size=40)
    (line,) = crop_facts(data)
    assert line == (
        "data.crop_size: training shows crops of 40x40 pixels, in which things have 0.40 to 0.80 "
        f"times their size in the files; validation and prediction show them at "
        f"{1 if edge is None else edge / 100:.2f}"
    )
    shown = "null" if edge is None else edge
    warning = (
        f"data.image_min_size: {shown} shows things {which} in validation and prediction than any "
        "crop of training does; set a size from 40 to 80, or change data.crop_size or "
        "data.crop_scale"
    )
    assert crop_warnings(data) == ([] if which is None else [warning])
