"""A finished run that is trained longer, in real processes."""

import json
import os
import re
import shutil

import pytest
import torch

from aerialseg.models.module import SegmentationModule
from aerialseg.storage.run_folders import RunFolder
from helpers.comparison import same
from helpers.processes import EPOCHS, Curriculum

LONGER = ("stage.epochs=5", "existing=extend")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return tmp_path_factory.mktemp("scenes")


@pytest.fixture(scope="module")
def finished_once(scenes, tmp_path_factory):
    """A run of three epochs."""
    run = Curriculum(tmp_path_factory.mktemp("finished"), scenes, stages=("head",))
    run.finish()
    return run


@pytest.fixture(scope="module")
def extended(finished_once, scenes, tmp_path_factory):
    """A copy of that run, extended without an interruption, and what that said."""
    run = copy_of(finished_once, scenes, tmp_path_factory.mktemp("extended"))
    assert run.execute(*LONGER) == 0, run.said()
    return run, run.said()


@pytest.fixture
def finished(finished_once, scenes, tmp_path):
    """A copy of that run."""
    return copy_of(finished_once, scenes, tmp_path)


def copy_of(run, scenes, folder):
    shutil.copytree(run.folder, folder, dirs_exist_ok=True)
    return Curriculum(folder, scenes, stages=("head",))


def content(run, name):
    return json.loads((run.train_folder("head") / name).read_text(encoding="utf-8"))


def weights(run):
    return torch.load(run.checkpoints() / "last.ckpt", weights_only=True)["state_dict"]


def die_before_the_verdict():
    RunFolder.finish = lambda *_: os._exit(9)


def die_in_the_fifth_epoch():
    go_on = SegmentationModule.on_train_batch_start

    def check(module, *arguments):
        if module.current_epoch == 4:
            os._exit(9)
        go_on(module, *arguments)

    SegmentationModule.on_train_batch_start = check


def test_a_finished_run_is_trained_longer_and_says_what_it_extends(finished_once, extended):
    run, said = extended
    assert f"extends {EPOCHS} epochs, from " in said
    assert content(run, "metrics.json")["epochs"] == 5
    before, after = (content(each, "provenance.json") for each in (finished_once, run))
    assert after["extends"]["epochs"] == EPOCHS
    assert after["extends"]["identity"] == before["identity"]
    assert after["identity"]["stage"]["epochs"] == 5
    # Once more is neither trained nor refused.
    assert run.execute(*LONGER) == 0
    assert "already finished" in run.said()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "existing"),
    [(die_before_the_verdict, "resume"), (die_in_the_fifth_epoch, "extend")],
)
def test_an_interrupted_extension_stays_finished_and_ends_as_one_that_was_not(
    finished, extended, fault, existing
):
    verdict = content(finished, "metrics.json")
    assert finished.execute(*LONGER, fault=fault) == 9
    assert content(finished, "metrics.json") == verdict
    assert finished.execute("stage.epochs=5", f"existing={existing}") == 0, finished.said()
    assert content(finished, "metrics.json")["epochs"] == 5
    assert content(finished, "provenance.json")["extends"]["epochs"] == EPOCHS
    assert same(weights(finished), weights(extended[0]))


@pytest.mark.slow
def test_what_cannot_be_extended_is_one_line(finished, tmp_path):
    for arguments, wanted in {
        (*LONGER, "seed=1", "data.batch_size=2"): "existing=extend: .* holds a finished run that "
        "differs: seed was 0, is 1; .*data.batch_size was 4, is 2; .*",
        ("stage.epochs=2", "existing=extend"): "existing=extend: .* has trained 3 epochs, and "
        "stage.epochs=2 counts them; set more",
        (*LONGER, "run_name=none"): "existing: .*/none/head/train holds no run to extend; leave "
        "existing out to train it",
        (*LONGER, "task=curriculum"): "existing: extend trains one stage longer; use task=train "
        "stage=NAME",
    }.items():
        assert finished.execute(*arguments) == 1
        assert re.fullmatch(f"config error: {wanted}\n", finished.said()), finished.said()
