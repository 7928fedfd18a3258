"""Curves read again from what the loggers write."""

import pytest

from aerialseg.callbacks.curves import CSVCurves
from aerialseg.callbacks.tensorboard_curves import TensorBoardCurves
from aerialseg.report.logged_curves import curves_of_stages, read_curves

EPOCHS = [
    {"val/dice": 0.25, "val/miou": 0.125, "val/loss": 2.0, "train/loss": 3.0, "lr": 1.0},
    {"val/dice": 0.5, "val/miou": 0.25, "val/loss": 1.5, "train/loss": 2.5, "lr": 0.5},
]


def log(folder, kind):
    logger = CSVCurves(str(folder / "csv")) if kind == "csv" else TensorBoardCurves(str(folder))
    for epoch, values in enumerate(EPOCHS):
        step = 4 * epoch + 3
        logger.log_metrics({"lr": values["lr"]}, step - 1)  # between epochs
        validated = {name: values[name] for name in ("val/dice", "val/miou", "val/loss")}
        logger.log_metrics(validated, step)
        logger.log_metrics({"train/loss": values["train/loss"]}, step)
    logger.finalize("success")


@pytest.mark.parametrize("kind", ["csv", "tensorboard"])
@pytest.mark.parametrize("name", ["train", "elsewhere"])
def test_a_row_for_each_epoch(tmp_path, kind, name):
    folder = tmp_path / "stage" / name
    folder.mkdir(parents=True)
    log(folder, kind)
    curves = read_curves(folder)
    assert curves["epoch"].tolist() == [1, 2]
    for name in ("val/dice", "val/miou", "val/loss", "train/loss"):
        assert curves[name].tolist() == [epoch[name] for epoch in EPOCHS]
    assert "lr" not in curves


def test_epochs_are_counted_on_from_stage_to_stage(tmp_path):
    for stage, kind in (("head", "csv"), ("full", "tensorboard")):
        log(tmp_path / stage, kind)
    (tmp_path / "unlogged").mkdir()
    stages = ("head", "unlogged", "full")
    curves = curves_of_stages([(stage, tmp_path / stage) for stage in stages])
    assert curves["epoch"].tolist() == [1, 2, 3, 4]
    assert curves["stage"].tolist() == ["head", "head", "full", "full"]


def test_without_a_log_there_are_no_curves(tmp_path):
    assert len(read_curves(tmp_path)) == 0
    assert len(curves_of_stages([("head", tmp_path)])) == 0
