"""The checkpoint that a task reads is the one that was meant, or a line says so."""

import logging
from types import SimpleNamespace

import pytest

from aerialseg.errors import ConfigError
from aerialseg.training import chosen_checkpoint
from aerialseg.training.chosen_checkpoint import check_chosen_checkpoint
from helpers.composing import experiment
from helpers.finished_runs import finish_stage

MOBILENET = "aerialseg.models.networks.deeplabv3_mobilenet_v3_large"
DESCRIPTION = SimpleNamespace(network={"_target_": MOBILENET, "num_classes": 4, "aux_head": False})


@pytest.fixture
def notices(tmp_path, monkeypatch, caplog):
    """What is said about a command on the runs below ``tmp_path``."""

    def of(*typed):
        caplog.clear()
        monkeypatch.setattr(chosen_checkpoint, "command_overrides", lambda: list(typed))
        with caplog.at_level(logging.WARNING, logger=chosen_checkpoint.__name__):
            check_chosen_checkpoint(experiment(*typed, f"paths.runs_dir={tmp_path}"), DESCRIPTION)
        return caplog.messages

    return of


@pytest.fixture
def chain(tmp_path):
    """The run ``field`` of three stages; the names are not in the order of the alphabet."""
    for stage, parent in (("head", None), ("decoder", "head"), ("aspp", "decoder")):
        finish_stage(tmp_path / "field", stage, 0.5, parent=parent)


@pytest.mark.parametrize("task", ["evaluate", "predict", "submit"])
def test_a_stage_that_nobody_typed_is_named_if_others_went_on_from_it(notices, chain, task):
    assert notices(f"task={task}", "run_name=field") == [
        "run field: stage head is read, but decoder, aspp went on from it; for the last one add "
        "stage=aspp, for this one stage=head"
    ]


def test_a_report_of_all_stages_is_not_of_the_one_that_nobody_typed(notices, chain):
    assert notices("task=report", "run_name=field") == []


def test_a_stage_that_was_typed_is_meant(notices, chain, tmp_path):
    assert notices("task=evaluate", "run_name=field", "stage=head") == []
    assert notices("task=evaluate", "run_name=field", "stage=decoder") == []


def test_the_only_stage_of_a_run_is_meant(notices, tmp_path):
    finish_stage(tmp_path / "field", "head", 0.5)
    finish_stage(tmp_path / "other", "decoder", 0.5, parent="head", parent_run=tmp_path / "field")
    assert notices("task=evaluate", "run_name=field") == []


def test_another_network_than_that_of_the_checkpoint_is_refused(notices):
    with pytest.raises(ConfigError, match="model: is deeplabv3_resnet50, but the"):
        notices("task=evaluate", "model=deeplabv3_resnet50")
    assert notices("task=evaluate", "model=deeplabv3_mobilenet_v3_large", "stage=head") == []
    assert notices("task=evaluate", "model.weights=none", "stage=head") == []


def test_results_that_are_put_among_those_of_another_run_are_named(notices, chain, tmp_path):
    foreign = finish_stage(tmp_path / "elsewhere" / "a", "full", 0.5)
    typed = ("task=evaluate", "run_name=field", "stage=head", f"checkpoint={foreign}")
    (line,) = notices(*typed)
    assert line.startswith(f"results go to {tmp_path}/field/head/evaluate, which is not beside ")
    assert line.endswith(f"such as paths.output_dir={tmp_path}/elsewhere/a/full/evaluate")
    assert notices(*typed, f"paths.output_dir={tmp_path}/mine") == []
    own = tmp_path / "field/head/train/checkpoints/best.ckpt"
    assert notices("task=evaluate", "run_name=field", "stage=head", f"checkpoint={own}") == []


def test_predictions_lie_in_no_run(notices, chain, tmp_path):
    foreign = finish_stage(tmp_path / "elsewhere" / "a", "full", 0.5)
    assert notices("task=predict", "run_name=field", f"checkpoint={foreign}") == []
