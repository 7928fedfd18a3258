"""The forecast, its wording, and that it is logged once per fit."""

import logging
from datetime import datetime
from types import SimpleNamespace

import pytest
from pytorch_lightning.callbacks import EarlyStopping
from rich.console import Console

from aerialseg.callbacks import pace as pace_module
from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.callbacks.pace import Pace, Work
from aerialseg.callbacks.progress import PersistentProgressBar
from aerialseg.callbacks.remaining_time import (
    RemainingStages,
    RemainingTime,
    forecast_line,
    may_end_early,
    work_left,
)
from helpers.tiny_training import RaiseAt, make_data, make_module, make_trainer

NOW = datetime(2024, 3, 5, 14, 28, 40)
LATER = {"decoder": 20.0, "aspp": 40.0, "half_backbone": 55.0, "full": 65.0}


def plan(**changes):
    """A stand-in for a trainer with its number of epochs and steps."""
    facts = {
        "max_epochs": 6,
        "max_steps": -1,
        "check_val_every_n_epoch": 1,
        "val_check_interval": 1.0,
        "early_stopping_callbacks": [],
    }
    return SimpleNamespace(**facts | changes)


def test_the_line_of_a_curriculum():
    line = forecast_line("head", 21.0, LATER, at_most=False, now=NOW)
    assert line == (
        "forecast: stage head about 20 s; then decoder, aspp, half_backbone and full about 3 min: "
        "done at 14:32"
    )


def test_the_line_of_a_last_stage_that_may_end_early():
    line = forecast_line("full", 3600, {}, at_most=True, now=NOW)
    assert line == "forecast: stage full at most 1 h: done by 15:29"


def test_one_and_two_stages_are_listed_in_words():
    two = forecast_line("aspp", 5, {"half_backbone": 5, "full": 5}, at_most=False, now=NOW)
    one = forecast_line("half_backbone", 5, {"full": 5}, at_most=False, now=NOW)
    assert "; then half_backbone and full about 10 s:" in two
    assert "; then full about 5 s:" in one


@pytest.mark.parametrize(
    ("trainer", "done", "work"),
    [
        (plan(), {}, Work(60, 18)),
        (plan(), {"epochs_done": 4, "steps_done": 7}, Work(13, 6)),
        (plan(), {"epochs_done": 5, "steps_done": 10}, Work(0, 3)),
        (plan(max_epochs=7, check_val_every_n_epoch=3), {}, Work(70, 6)),
        (plan(max_epochs=7, check_val_every_n_epoch=3), {"epochs_done": 3}, Work(40, 3)),
        (plan(val_check_interval=0.25), {}, Work(60, 90)),  # every 2 of 10 steps
        (plan(val_check_interval=5), {}, Work(60, 36)),
    ],
)
def test_the_remaining_work(trainer, done, work):
    assert work_left(trainer, steps_per_epoch=10, validation_batches=3, **done) == work


@pytest.mark.parametrize(
    ("changes", "early"),
    [
        ({}, False),
        ({"early_stopping_callbacks": [EarlyStopping("val/loss", patience=4)]}, True),
        ({"early_stopping_callbacks": [EarlyStopping("val/loss", patience=5)]}, False),
        ({"max_steps": 10}, True),
    ],
)
def test_patience_as_long_as_the_training_never_ends_it_early(changes, early):
    assert may_end_early(plan(**changes)) is early


@pytest.fixture
def _ticking(monkeypatch):
    """Every reading of the clock is one second later."""
    seconds = iter(range(10**6))
    monkeypatch.setattr(pace_module, "perf_counter", lambda: float(next(seconds)))


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="aerialseg")
    return lambda: [r.getMessage() for r in caplog.records if r.name.endswith("remaining_time")]


def fit(root, *callbacks, remaining=None, snapshot=None, epochs=3, **changes):
    forecast = RemainingTime()
    if remaining is not None:
        forecast.set_remaining_stages(remaining)
    trainer = make_trainer([forecast, *callbacks], epochs=epochs, **changes)
    trainer.fit(make_module(), make_data(root), ckpt_path=snapshot)


@pytest.mark.usefixtures("_ticking")
def test_a_fit_logs_it_once(tmp_path, lines):
    """Three training batches of two seconds an epoch, and one of validation, half as long.

    The third step that is not the first of its epoch is the second of the second epoch: four
    steps and two validations are left.
    """
    fit(tmp_path)
    (line,) = lines()
    assert line.startswith("forecast: stage aspp about 10 s: done at ")


@pytest.mark.usefixtures("_ticking")
def test_earlier_measurements_are_scaled_by_the_actual_pace(tmp_path, lines):
    """A step takes twice as long as expected; so will a validation batch and the other stages.

    Four steps of two seconds and two validations of eight are left.
    """
    fit(
        tmp_path,
        remaining=RemainingStages({"full": 30.0}, at_most=True, expected_pace=Pace(1.0, 4.0)),
    )
    (line,) = lines()
    assert line.startswith("forecast: stage aspp at most 25 s; then full at most 60 s: done by ")


@pytest.mark.usefixtures("_ticking")
def test_a_resumed_fit_forecasts_the_rest(tmp_path, lines):
    """Six of ten epochs are over, five steps more are seen: seven and three validations remain."""
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError):
        fit(tmp_path, InMemoryCheckpoint(str(folder)), RaiseAt(6, RuntimeError()), epochs=10)
    fit(tmp_path, InMemoryCheckpoint(str(folder)), snapshot=folder / "last.ckpt", epochs=10)
    _, line = lines()
    assert line.startswith("forecast: stage aspp about 17 s: done at ")


def test_a_module_without_a_description_has_no_stage_to_name():
    line = forecast_line("", 3600, {}, at_most=True, now=NOW)
    assert line == "forecast: at most 1 h: done by 15:29"


def test_the_shortest_fit_logs_it_too(tmp_path, lines):
    fit(tmp_path, epochs=1, limit_train_batches=1)
    assert len(lines()) == 1


@pytest.mark.usefixtures("_ticking")
def test_limits_and_accumulation_are_honoured(tmp_path, lines):
    """Known after three epochs of two steps; 34 steps and 18 validations are left."""
    fit(
        tmp_path,
        epochs=20,
        limit_train_batches=2,
        limit_val_batches=1,
        accumulate_grad_batches=2,
    )
    (line,) = lines()
    assert line.startswith("forecast: stage aspp about 85 s: done at ")


def test_on_a_terminal_it_is_printed_above_the_bar(tmp_path, lines, capsys, monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", property(lambda console: True))
    fit(tmp_path, PersistentProgressBar(), enable_progress_bar=True)
    assert lines() == []
    shown = capsys.readouterr().out
    assert shown.count("forecast: stage aspp") == 1
