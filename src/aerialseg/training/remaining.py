"""The stages that remain after one, from the forecasts of a curriculum."""

from collections.abc import Mapping

from aerialseg.callbacks.pace import Pace
from aerialseg.callbacks.remaining_time import RemainingStages
from aerialseg.storage.forecast import Forecast


def remaining_stages(forecasts: Mapping[str, Forecast], stage: str) -> RemainingStages:
    """The forecasts of the stages after ``stage``.

    Args:
        forecasts: By stage, in the order of training; empty if nothing was measured.
        stage: The stage that is about to be trained.
    """
    if stage not in forecasts:
        return RemainingStages()
    own, names = forecasts[stage], list(forecasts)
    later = [forecasts[name] for name in names[names.index(stage) + 1 :]]
    expected = None
    if own.step is not None and own.validation_batch is not None:
        expected = Pace(own.step, own.validation_batch)
    return RemainingStages(
        seconds={forecast.stage: forecast.seconds for forecast in later},
        at_most=any(forecast.at_most for forecast in later),
        expected_pace=expected,
    )
