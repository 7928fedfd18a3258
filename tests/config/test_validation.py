"""Validation of small configs: order, root causes, and required keys."""

import pytest
from omegaconf import OmegaConf

from aerialseg.config import validate
from aerialseg.config.schema import Experiment
from aerialseg.config.signatures import PARTIAL, SUPPLIED, schema_problems
from aerialseg.config.types import UNRESOLVED
from aerialseg.errors import ConfigError
from helpers.composing import composed, lines


@pytest.fixture
def cfg():
    cfg = composed("trainer=cpu", "paths.runs_dir=nowhere")
    OmegaConf.set_struct(cfg, False)
    return cfg


def problems(cfg):
    with pytest.raises(ConfigError) as error:
        validate(cfg)
    return list(error.value.problems)


def test_a_valid_config_passes_unchanged(cfg):
    before = OmegaConf.to_yaml(cfg)
    validate(cfg)
    assert OmegaConf.to_yaml(cfg) == before


@pytest.mark.parametrize("name", Experiment.__dataclass_fields__)
def test_every_section_is_required(cfg, name):
    del cfg[name]
    found = problems(cfg)
    assert f"{name}: the config needs a value here" in found


@pytest.mark.parametrize(
    "path",
    ["stage.epochs", "paths.cache_dir", "data.batch_size", "data.layout.count", "loss.aux_weight"],
)
def test_every_key_without_a_default_is_required(cfg, path):
    parent, key = path.rsplit(".", 1)
    del OmegaConf.select(cfg, parent)[key]
    assert any(line.startswith(f"{path}: ") and "needs a value" in line for line in problems(cfg))


def test_values_that_depend_on_a_reported_value_are_not_reported(cfg):
    del cfg.stage["epochs"]
    assert problems(cfg) == ["stage.epochs: conf/stage needs a value here"]


def test_rules_still_run_where_their_own_keys_are_valid(cfg):
    cfg.stage.learning_rate = "fast"
    cfg.stage.init_checkpoint = "x"
    assert problems(cfg) == [
        "stage.learning_rate: 'fast' is not a number",
        "stage.init_checkpoint: stage head starts from x, which does not exist; check the path",
    ]


def test_rules_skip_keys_already_reported(cfg):
    cfg.stage.init_checkpoint = 3
    cfg.callbacks = "none"
    assert problems(cfg) == [
        "callbacks: 'none' is not a mapping",
        "stage.init_checkpoint: 3 is not text or null",
    ]


def test_unresolved_values_fit_every_type(cfg):
    plain = OmegaConf.to_container(cfg, resolve=True)
    for path in ("stage.name", "data", "trainer._target_", "task.name", "callbacks.samples"):
        *parents, key = path.split(".")
        section = plain
        for parent in parents:
            section = section[parent]
        section[key] = UNRESOLVED
    assert schema_problems(plain) == []


def test_a_number_from_another_key_is_checked_where_it_is_used(cfg):
    cfg.scheduler.power = "${stage.name}"
    assert problems(cfg) == ["scheduler.power: 'head' is not a number"]


def test_lists_of_names_are_not_walked_letter_by_letter(cfg):
    cfg.trainer.devices = "1"
    validate(cfg)


def test_supplied_arguments_belong_to_existing_nodes(cfg):
    for path in {*SUPPLIED, *PARTIAL}:
        assert "_target_" in OmegaConf.select(cfg, path), path


def test_a_null_default_may_be_written_out():
    # albumentations annotates some arguments without the null that is their default.
    assert lines("augmentation.seed=null", "trainer.max_time=null") == []


@pytest.mark.parametrize("key", ["seed", "data.seed", "data.split_seed", "data.layout.seed"])
def test_a_seed_has_32_bits(key):
    assert lines(f"{key}=4294967295") == []
    (line,) = lines(f"{key}=99999999999999999999")
    assert line == (
        f"config error: {key}: 99999999999999999999 is out of range, wanted 4294967295 or less"
    )


def test_infinity_is_no_learning_rate():
    (line,) = lines("stage.learning_rate=inf")
    assert line == "config error: stage.learning_rate: inf is not a finite number"


def test_a_name_that_reads_as_a_number_stays_text():
    assert lines("run_name=NaN") == []
    assert lines('run_name="NaN"') == []


def test_a_stage_without_a_place_to_start_learning_says_what_to_add():
    given = ("stage.name=mine", "stage.epochs=3", "stage.learning_rate=1e-3")
    (line,) = lines(*given)
    assert line == (
        "config error: stage.fine_tune_start: model.fine_tune_start has no stage 'mine'; add "
        "model.fine_tune_start.mine=GROUP, or fine_tune_start: GROUP to the file of the stage "
        "(task=layers lists the groups)"
    )
    assert lines(*given, "model.fine_tune_start.mine=1") == []


def test_a_stage_that_the_recipe_does_not_name_says_what_to_add():
    found = lines("stage.name=mine", "model.fine_tune_start.mine=1")
    assert found == [
        "config error: stage.epochs: recipe.epochs has no stage 'mine'; add "
        "recipe.epochs.mine=NUMBER, or epochs: NUMBER to the file of the stage",
        "config error: stage.learning_rate: recipe.learning_rate has no stage 'mine'; add "
        "recipe.learning_rate.mine=NUMBER, or learning_rate: NUMBER to the file of the stage",
    ]
