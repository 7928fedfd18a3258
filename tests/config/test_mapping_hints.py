"""What to type where a value stands for a mapping, or a part of one that is not there."""

import pytest

from helpers.composing import typed

MAPPING = "is not a mapping"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            ["recipe.epochs=4"],
            f"recipe.epochs: 4 {MAPPING}; one value of it is set as in recipe.epochs.head=4",
        ),
        (
            ["recipe.epochs=4", "stage=full", "stage.init_checkpoint=null"],
            f"recipe.epochs: 4 {MAPPING}; one value of it is set as in recipe.epochs.full=4",
        ),
        (
            ["recipe.learning_rate=0.5", "task=curriculum"],
            f"recipe.learning_rate: 0.5 {MAPPING}; one value of it is set as in "
            "recipe.learning_rate.full=0.5",
        ),
        (
            ["recipe.epochs=null"],
            f"recipe.epochs: null {MAPPING}; one value of it is set as in recipe.epochs.head=VALUE",
        ),
        (
            ["loss.distillation=FILE"],
            f"loss.distillation: 'FILE' {MAPPING} or null; one value of it is set as in "
            "loss.distillation.teacher=FILE",
        ),
        (
            ["data.layout=5"],
            f"data.layout: 5 {MAPPING} with a _target_; one value of it is set as in "
            "data.layout.count=VALUE",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_value_for_a_whole_mapping_comes_with_the_key_of_one(given, line):
    assert typed(*given) == [f"config error: {line}"]


def test_the_key_that_is_advised_is_accepted():
    assert typed("recipe.epochs.head=4") == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            ["callbacks.ema.horizon=0.1"],
            "callbacks.ema: has no _target_, so nothing can be built from it; "
            "callbacks.ema.horizon needs callbacks=ema",
        ),
        (
            ["callbacks.mine.horizon=0.1"],
            "callbacks.mine: has no _target_, so nothing can be built from it",
        ),
        (
            ["callbacks=ema", "callbacks.ema.horizon=0.1", "callbacks.ema.decay=0.9"],
            "callbacks.ema.decay: is typed, and so is horizon, which says it by the length of the "
            "stage; leave one out",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_part_of_an_average_of_weights_comes_with_the_choice_that_has_it(given, line):
    assert typed(*given) == [f"config error: {line}"]


@pytest.mark.parametrize("other", ["callbacks.ema.decay=0.9", "callbacks.ema.horizon=0.1"])
def test_one_length_of_an_average_is_accepted(other):
    assert typed("callbacks=ema", other) == []
