"""Where an exported model may be given, and where it is refused in one line."""

import pytest

from helpers.composing import lines

WANTED = (
    "is an exported model, which predicts but cannot be trained or taken apart; give the "
    "checkpoint (.ckpt) that it was exported from"
)


@pytest.fixture(autouse=True)
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.onnx").touch()
    (tmp_path / "images").mkdir()


@pytest.mark.parametrize("task", ["report", "extract_backbone", "export", "train"])
def test_what_does_not_predict_refuses_it(task):
    found = lines(f"task={task}", "checkpoint=model.onnx", "stage.init_checkpoint=null")
    line = f"config error: checkpoint: task={task}: model.onnx {WANTED}"
    assert line in found


def test_no_stage_starts_from_it():
    found = lines("stage=full", "stage.init_checkpoint=model.onnx")
    assert f"config error: stage.init_checkpoint: model.onnx {WANTED}" in found


@pytest.mark.parametrize("task", ["evaluate", "submit", "inspect"])
def test_what_predicts_takes_it(task):
    assert lines(f"task={task}", "checkpoint=model.onnx") == []


def test_predict_takes_it():
    assert lines("task=predict", "checkpoint=model.onnx", "input=images") == []
