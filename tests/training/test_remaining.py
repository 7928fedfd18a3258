"""The remaining stages after one, from the forecasts of a curriculum."""

from aerialseg.callbacks.pace import Pace
from aerialseg.callbacks.remaining_time import RemainingStages, RemainingTime
from aerialseg.storage.forecast import Forecast
from aerialseg.training.build import build_trainer
from aerialseg.training.remaining import remaining_stages
from helpers.composing import experiment


def forecast(stage, step, seconds, **changes):
    facts = {"epochs": 6, "epochs_left": 6, "validation_batch": step / 4, "at_most": False}
    return Forecast(stage, step=step, seconds=seconds, **facts | changes)


FORECASTS = {
    "head": forecast("head", 0.5, 20.0),
    "decoder": forecast("decoder", 1.0, 30.0),
    "full": forecast("full", 2.0, 40.0, at_most=True),
}


def test_the_expected_pace_and_the_later_stages():
    assert remaining_stages(FORECASTS, "head") == RemainingStages(
        {"decoder": 30.0, "full": 40.0}, at_most=True, expected_pace=Pace(0.5, 0.125)
    )
    assert remaining_stages(FORECASTS, "full") == RemainingStages(
        {}, at_most=False, expected_pace=Pace(2.0, 0.5)
    )


def test_a_finished_stage_has_no_pace():
    finished = Forecast("head", epochs=6, epochs_left=0)
    forecasts = {**FORECASTS, "head": finished}
    assert remaining_stages(forecasts, "head").expected_pace is None


def test_without_forecasts_nothing_remains():
    assert remaining_stages({}, "head") == RemainingStages()


def test_the_forecast_callback_can_be_removed():
    config = experiment("trainer=cpu", "logger=none", "~callbacks.forecast")
    trainer = build_trainer(config, remaining_stages(FORECASTS, "head"))
    assert not any(isinstance(callback, RemainingTime) for callback in trainer.callbacks)
