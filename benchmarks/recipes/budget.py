"""Which ``recipe.scale`` makes a curriculum take given seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from aerialseg.config.recipes import scaled_epochs


@dataclass(frozen=True, slots=True)
class StageCost:
    """What a stage takes.

    Attributes:
        stage: Its name.
        epochs: Those of the recipe at scale 1.
        once: Seconds that it takes however long it is, such as for features that are kept.
        epoch: Seconds of an epoch, above 0.
    """

    stage: str
    epochs: float
    once: float
    epoch: float


@dataclass(frozen=True, slots=True)
class Timing:
    """A stage that was trained: its epochs and seconds."""

    epochs: int
    seconds: float


def stage_cost(stage: str, epochs: float, short: Timing, longer: Timing | None) -> StageCost:
    """The cost of a stage from two trainings of different length.

    Args:
        stage: Its name.
        epochs: Those of the recipe at scale 1.
        short: The shorter training.
        longer: The longer one; None if there was none. Without more epochs than the shorter one,
            or with times that no cost explains, all time is taken for that of epochs.
    """
    seen = longer or short
    alone = StageCost(stage, epochs, 0.0, max(seen.seconds, 1e-3) / seen.epochs)
    if longer is None or longer.epochs <= short.epochs:
        return alone
    epoch = (longer.seconds - short.seconds) / (longer.epochs - short.epochs)
    once = short.seconds - short.epochs * epoch
    return StageCost(stage, epochs, once, epoch) if epoch > 0 and once >= 0 else alone


def epochs_at(costs: Sequence[StageCost], scale: float) -> Mapping[str, int]:
    """The epochs of each stage, as the product rounds them."""
    return {cost.stage: cast("int", scaled_epochs(cost.epochs, scale)) for cost in costs}


def seconds_at(costs: Sequence[StageCost], scale: float) -> float:
    """The seconds of all stages."""
    epochs = epochs_at(costs, scale)
    return sum(cost.once + cost.epoch * epochs[cost.stage] for cost in costs)


def scale_for(costs: Sequence[StageCost], seconds: float) -> float:
    """The scale whose seconds come closest, the smaller one of two.

    Each stage has an epoch at least, which may take longer than what is wanted. Epochs are whole
    numbers, so all scales between two roundings are alike; the middle of them is taken, in six
    digits.
    """
    whole = sum(cost.epochs * cost.epoch for cost in costs)
    longest = 2 * max(seconds / whole, max(1 / cost.epochs for cost in costs))
    steps = sorted({step for cost in costs for step in _steps(cost.epochs, longest)})
    bounds = zip([0.0, *steps], steps, strict=False)
    middles = [float(f"{(low + high) / 2:.6g}") for low, high in bounds]
    return min(middles, key=lambda scale: abs(seconds_at(costs, scale) - seconds))


def _steps(epochs: float, longest: float) -> list[float]:
    """The scales up to the longest at which the rounded epochs of a stage change."""
    return [(number + 0.5) / epochs for number in range(1, int(longest * epochs) + 2)]
