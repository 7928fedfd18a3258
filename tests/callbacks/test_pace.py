"""The pace against hand-computed numbers, by a clock that goes as it is told."""

import pytest
import torch

from aerialseg.callbacks import pace as module_under_test
from aerialseg.callbacks.pace import Pace, StepTimes, Work

CPU = torch.device("cpu")


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        time = 100.0

        def __call__(self):
            return self.time

    clock = Clock()
    monkeypatch.setattr(module_under_test, "perf_counter", clock)
    return clock


def take(times, clock, *epochs):
    """Epochs of steps, each its seconds, or those of its forward pass and of the rest."""
    for steps in epochs:
        clock.time += 50  # a validation
        times.begin(CPU)
        for forward, rest in ((step if isinstance(step, tuple) else (0, step)) for step in steps):
            clock.time += forward
            times.learn(CPU)
            clock.time += rest
            times.end(CPU)
    return times


def test_work_takes_steps_and_validation_at_their_own_pace():
    assert Pace(0.5, 0.25).seconds(Work(steps=10, validation_batches=6)) == 5 + 1.5


def test_the_first_step_of_an_epoch_does_not_count(clock):
    times = take(StepTimes(), clock, [9, 2, 2], [7, 2, 2])
    assert times.pace().step == 2


def test_the_later_half_counts(clock):
    times = take(StepTimes(), clock, [9, 1, 1, 1, 2, 3, 4])
    assert times.pace().step == 3


def test_where_every_step_is_the_first_of_its_epoch_only_the_very_first_is_left_out(clock):
    assert take(StepTimes(), clock, [9], [2], [4]).pace().step == 4
    assert take(StepTimes(), clock, [9]).pace().step == 9


def test_what_comes_before_learning_stands_for_validation(clock):
    times = take(StepTimes(), clock, [(5, 5), (0.25, 1), (0.5, 1.5)])
    assert times.pace() == Pace(2.0, 0.5)


def test_accumulated_gradients_count_in_whole_steps_of_the_optimizer(clock):
    """Every third batch takes three seconds more."""
    times = take(StepTimes(), clock, [9, 1, 4, 1, 1, 4, 1])
    assert times.pace(accumulated=3).step == 2


def test_enough_are_three_of_some_length_or_a_whole_step_of_the_optimizer(clock):
    times = take(StepTimes(), clock, [9, 1, 1])
    assert not times.suffice(1, seconds=0)
    take(times, clock, [9, 1])
    assert times.suffice(1, seconds=3)
    assert not times.suffice(1, seconds=3.5)
    assert not times.suffice(4, seconds=0)
