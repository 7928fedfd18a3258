import logging
import re

import pytest
from rich.console import Console

from aerialseg.callbacks.progress import PersistentProgressBar
from helpers.tiny_training import make_data, make_module, make_trainer

LINE = re.compile(
    r"epoch (?P<epoch>[12])/2  train/loss \d\.\d{4}  val/loss \d\.\d{4}  val/dice \d\.\d{4}  "
    r"val/miou \d\.\d{4}  \d+\.\d s"
)


def fit(root):
    bar = PersistentProgressBar()
    trainer = make_trainer([bar], epochs=2, enable_progress_bar=True, enable_checkpointing=False)
    trainer.fit(make_module(), make_data(root))
    return bar


def test_without_a_terminal_every_epoch_is_one_line(tmp_path, caplog, capsys):
    with caplog.at_level(logging.INFO, logger="aerialseg"):
        bar = fit(tmp_path)
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("aerialseg.callbacks")]
    assert [LINE.fullmatch(line)["epoch"] for line in lines] == ["1", "2"]
    assert bar.is_disabled
    assert "epoch" not in capsys.readouterr().out


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", property(lambda console: True))


def test_on_a_terminal_every_epoch_keeps_its_bar(tmp_path, caplog, capsys, terminal):
    with caplog.at_level(logging.INFO, logger="aerialseg"):
        bar = fit(tmp_path)
    assert bar.is_enabled
    assert not [r for r in caplog.records if r.name.startswith("aerialseg.callbacks")]
    shown = capsys.readouterr().out
    assert "epoch 1/2" in shown
    assert "epoch 2/2" in shown
