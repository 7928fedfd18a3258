"""Charts as specifications: what they hold, not how they look."""

import pandas as pd

from aerialseg.metrics.calibration import ConfidenceBin
from aerialseg.report.pages.charts import learning_curves, reliability

CURVES = pd.DataFrame(
    {
        "stage": ["head", "head", "full"],
        "epoch": [1, 2, 3],
        "val/dice": [0.1, 0.2, 0.3],
        "val/miou": [0.05, None, 0.2],
        "train/loss": [1.0, 0.9, 0.8],
    }
)


def rows_of(spec):
    return [row for rows in spec["datasets"].values() for row in rows]


def test_all_stages_are_on_one_axis_and_each_begins_with_its_name():
    charts = learning_curves(CURVES)
    assert list(charts) == ["scores", "losses"]
    points = [(row["epoch"], row["value"]) for row in rows_of(charts["scores"]) if "value" in row]
    assert sorted(points) == [(1, 0.05), (1, 0.1), (2, 0.2), (3, 0.2), (3, 0.3)]
    begins = {row["stage"]: row["begin"] for row in rows_of(charts["scores"]) if "begin" in row}
    assert begins == {"head": 0.5, "full": 2.5}


def test_what_was_not_logged_is_not_drawn():
    assert list(learning_curves(CURVES[["stage", "epoch", "val/dice"]])) == ["scores"]
    losses = learning_curves(CURVES)["losses"]
    assert {row["curve"] for row in rows_of(losses) if "curve" in row} == {"training"}


def test_calibration_shows_each_bin():
    spec = reliability([ConfidenceBin(0.5, 0.25, 0.1), ConfidenceBin(0.9, 0.8, 0.9)])
    found = {(row["confidence"], row["accuracy"]) for row in rows_of(spec)}
    assert {(0.5, 0.25), (0.9, 0.8), (0.0, 0.0), (1.0, 1.0)} <= found
    assert "config" not in spec
