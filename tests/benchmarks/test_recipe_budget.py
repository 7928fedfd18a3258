import pytest

from benchmarks.recipes.budget import (
    StageCost,
    Timing,
    epochs_at,
    scale_for,
    seconds_at,
    stage_cost,
)
from helpers.composing import composed

COSTS = (StageCost("head", 6, 10.0, 0.5), StageCost("full", 20, 0.0, 4.0))


def test_two_lengths_tell_what_is_done_once_from_what_an_epoch_takes():
    cost = stage_cost("head", 30, Timing(1, 7.0), Timing(5, 15.0))
    assert cost == StageCost("head", 30, 5.0, 2.0)


@pytest.mark.parametrize(
    ("longer", "epoch"),
    [
        (None, 7.0),
        (Timing(1, 5.0), 5.0),  # no longer than the first
        (Timing(2, 6.0), 3.0),  # epochs would take less than nothing
        (Timing(2, 20.0), 10.0),  # what is done once would
    ],
)
def test_without_two_lengths_that_fit_all_time_is_that_of_epochs(longer, epoch):
    assert stage_cost("s", 3, Timing(1, 7.0), longer) == StageCost("s", 3, 0.0, epoch)


def test_seconds_are_those_of_rounded_epochs():
    # head 6 * 0.2 = 1.2, so 1; full 4
    assert seconds_at(COSTS, 0.2) == 10 + 0.5 + 4 * 4


@pytest.mark.parametrize("wanted", [1, 15, 30, 47, 90, 93, 200, 1000])
def test_no_other_scale_comes_closer(wanted):
    found = abs(seconds_at(COSTS, scale_for(COSTS, wanted)) - wanted)
    tried = [abs(seconds_at(COSTS, number / 1000) - wanted) for number in range(1, 20_000)]
    assert found <= min(tried) + 1e-9


def test_a_stage_keeps_one_epoch_however_little_time_there_is():
    assert epochs_at(COSTS, scale_for(COSTS, 0.1)) == {"head": 1, "full": 1}


def test_the_product_rounds_epochs_at_the_scale_in_the_same_way():
    scale = scale_for(COSTS, 47)
    typed = ["recipe=strong", f"recipe.scale={scale}", "stage.init_checkpoint=null"]
    for stage, epochs in epochs_at(COSTS, scale).items():
        assert composed(f"stage={stage}", *typed).stage.epochs == epochs
