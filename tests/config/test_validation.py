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
    cfg.scheduler.total_iters = "${stage.name}"
    assert problems(cfg) == ["scheduler.total_iters: 'head' is not a whole number"]


def test_lists_of_names_are_not_walked_letter_by_letter(cfg):
    cfg.trainer.devices = "1"
    validate(cfg)


def test_supplied_arguments_belong_to_existing_nodes(cfg):
    for path in {*SUPPLIED, *PARTIAL}:
        assert "_target_" in OmegaConf.select(cfg, path), path


def test_a_null_default_may_be_written_out():
    # albumentations annotates some arguments without the null that is their default.
    assert lines("augmentation.seed=null", "trainer.max_time=null") == []
