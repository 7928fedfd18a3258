"""What is typed and changes nothing is said: an error, or a warning where it may be meant."""

import logging

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from aerialseg.config.command import _warn
from aerialseg.config.sweeps import check_jobs
from aerialseg.config.tasks import find_task
from aerialseg.config.typed_overrides import set_command_overrides, typed_keys
from aerialseg.config.validation import validate, validate_chain
from aerialseg.errors import ConfigError
from helpers.composing import CONF, composed, typed

SCALE = "data.crop_scale: has no effect without data.crop_size; leave it out, or add "
SCALE += "data.crop_size=256"
TEMPERATURE = "data.rare_class_temperature: has no effect without data.rare_classes or "
TEMPERATURE += "data.paste_rare; leave it out, or add data.rare_classes=0.5"
DECODER = "recipe.epochs.decoder: has no effect on what is trained here, {}; leave it out"
STARTS = "stage.init_checkpoint=null"


@pytest.fixture
def as_typed():
    """Lets Hydra know the overrides of a command."""

    def know(*arguments):
        HydraConfig.instance().set_config(composed(*arguments, hydra=True))
        return composed(*arguments)

    yield know
    HydraConfig.instance().cfg = None


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["data.crop_scale=[0.5,1.0]"], [SCALE]),
        (["data.crop_scale=[0.5,1.0]", "data.crop_size=64"], []),
        (["data.crop_scale=[0.5,1.0]", "stage=full", STARTS], []),
        (["data.crop_scale=[0.5,1.0]", "task=layers"], []),
        (["data.rare_class_temperature=0.1"], [TEMPERATURE]),
        (["data.rare_class_temperature=0.1", "data.rare_classes=0"], [TEMPERATURE]),
        (["data.rare_class_temperature=0.1", "data.rare_classes=0.5"], []),
        (["data.rare_class_temperature=0.1", "data.paste_rare=0.5", "data.crop_size=64"], []),
        (["recipe=demo", "stage=head"], []),  # has a scale of crops for its other stages
    ],
    ids=" ".join,
)
def test_a_setting_without_what_it_belongs_to_is_refused(given, wanted):
    assert typed(*given) == [f"config error: {line}" for line in wanted]


def chain_problems(know, stages, *arguments):
    """The problems of a chain; its first stage starts from weights."""
    know(*arguments)
    chain = {
        name: composed(*arguments, f"stage={name}", STARTS, "stage.previous=null")
        for name in stages
    }
    try:
        validate_chain(chain)
    except ConfigError as error:
        return list(error.problems)
    return []


def test_a_setting_that_one_stage_of_a_chain_uses_is_accepted(as_typed):
    scale = "data.crop_scale=[0.5,1.0]"
    assert chain_problems(as_typed, ["head", "full"], scale) == []
    assert chain_problems(as_typed, ["head"], scale) == [SCALE]


def test_a_row_for_a_stage_that_a_chain_leaves_out_is_refused(as_typed):
    row = "recipe.epochs.decoder=5"
    assert chain_problems(as_typed, ["head", "full"], row) == [DECODER.format("head, full")]
    assert chain_problems(as_typed, ["head", "decoder"], row) == []


@pytest.mark.parametrize(
    ("swept", "wanted"),
    [
        (["++recipe.epochs.decoder=5", "stage=head,aspp"], [DECODER.format("head, aspp")]),
        (["++recipe.epochs.decoder=5", "stage=head,decoder"], []),
        (["++data.crop_scale=[0.5,1.0]", "stage=head,full"], []),
        (["++data.crop_scale=[0.5,1.0],[0.2,1.0]"], [SCALE]),
    ],
)
def test_the_jobs_of_a_sweep_are_judged_together(tmp_path, swept, wanted):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", ["hydra.mode=MULTIRUN"], return_hydra_config=True)
        free = [f"++paths.runs_dir='{tmp_path}'", "++stage.init_checkpoint=null"]
        cfg.hydra.overrides.task = [*swept, *free]
        HydraConfig.instance().set_config(cfg)
        try:
            check_jobs(cfg)
            problems = []
        except ConfigError as error:
            problems = list(error.problems)
        finally:
            HydraConfig.instance().cfg = None
    assert problems == wanted


def warnings_of(know, caplog, *arguments):
    """What a valid command warns of."""
    caplog.set_level(logging.WARNING)
    cfg = know(*arguments)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        experiment = validate(cfg)
        _warn(experiment, find_task(str(experiment.task["name"])))
    return caplog.messages


def test_a_row_for_another_stage_than_the_one_trained_is_a_warning(as_typed, caplog):
    given = ("recipe.epochs.decoder=5", "recipe.epochs.head=3")
    assert warnings_of(as_typed, caplog, *given) == [DECODER.format("head")]
    caplog.clear()
    assert warnings_of(as_typed, caplog, *given, "task=layers") == []


RATE = (
    "optimizer: stage {} learns at 0.001, which recipe strong chose for AdamW, and not for SGD; "
    "set another rate with {}=NUMBER"
)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["optimizer=sgd"], [RATE.format("head", "stage.learning_rate")]),
        (
            ["optimizer=sgd", "task=curriculum"],
            [RATE.format("full", "recipe.learning_rate.full")],
        ),
        (["optimizer=sgd", "stage.learning_rate=0.01"], []),
        (["optimizer=sgd", "recipe.learning_rate.head=0.01"], []),
        (["optimizer=adamw"], []),
        (["optimizer=sgd", "recipe=seed"], []),
        (["optimizer=sgd", "task=layers"], []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_rate_of_another_optimizer_is_a_warning(as_typed, caplog, given, wanted):
    assert warnings_of(as_typed, caplog, *given) == wanted


def test_what_an_earlier_run_was_given_is_not_typed_now(as_typed):
    as_typed("seed=1")
    set_command_overrides(
        ["++recipe.epochs.head=3", "++seed=1"], inherited=["++recipe.epochs.head=3"]
    )
    assert typed_keys() == ["seed"]
    as_typed("recipe.epochs.head=3")
    assert typed_keys() == ["recipe.epochs.head"]
