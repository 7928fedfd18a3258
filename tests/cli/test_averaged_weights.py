"""A curriculum with a moving average of the weights, from cached features, in real processes."""

import csv
import json
import os

import pytest
import torch

from aerialseg.models.freeze_proof import changed_tensors
from aerialseg.models.module import SegmentationModule
from aerialseg.storage.checkpoints import network_state, read_checkpoint, read_description
from helpers.processes import RUN, Curriculum, assert_same_end

pytestmark = pytest.mark.slow

AVERAGE = ("callbacks=ema", "callbacks.ema.horizon=0.5")
FEATURES = (
    "model=deeplabv3_mobilenet_v3_large",
    f"model.weights={RUN.parent / 'weights/demo_backbone.pth'}",
    "stage.cache_features=on",
    "stage.learning_rate=0.005",
    "seed=2",
    "data.batch_size=2",
)


@pytest.fixture(scope="module")
def begin(tmp_path_factory):
    scenes = tmp_path_factory.mktemp("scenes")
    return lambda folder, *arguments, **options: Curriculum(
        folder, scenes, *FEATURES, *arguments, **options
    )


@pytest.fixture(scope="module")
def whole(begin, tmp_path_factory):
    """An uninterrupted run."""
    run = begin(tmp_path_factory.mktemp("whole"), *AVERAGE)
    run.finish()
    return run


def metrics(run, stage):
    return json.loads((run.train_folder(stage) / "metrics.json").read_text(encoding="utf-8"))


def curves(run, stage):
    """By name, the values of all epochs that were logged."""
    with (run.train_folder(stage) / "csv/metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = ("val/dice", "ema/dice")
    return {name: [float(row[name]) for row in rows if row.get(name)] for name in names}


def test_the_better_weights_are_the_best_and_the_next_stage_starts_from_them(whole):
    for stage in whole.stages:
        found, path = metrics(whole, stage), whole.checkpoints(stage) / "best.ckpt"
        dice, description = curves(whole, stage), read_description(read_checkpoint(path), path)
        assert len(dice["val/dice"]) == len(dice["ema/dice"]) == 3
        averaged = max(dice["ema/dice"]) > max(dice["val/dice"])
        assert found["averaged_weights"] is description.averaged_weights is averaged
        best = max(*dice["ema/dice"], *dice["val/dice"])
        assert found["val/dice"] == description.metrics["val/dice"] == pytest.approx(best)
        words = "averaged weights" if averaged else "its own weights"
        line = f"stage {stage}: best epoch {found['best_epoch']} of 3 with {words}, val dice"
        assert line in whole.said()
        assert found["frozen_unchanged"]
        assert found["frozen_tensors"] > 0
    parent, child = (
        network_state(read_checkpoint(whole.checkpoints(stage) / f"{name}.ckpt"))
        for stage, name in (("head", "best"), ("decoder", "last"))
    )
    changed = {name.split(".")[0] for name in changed_tensors(parent, child)}
    assert changed == {"classifier", "aux_classifier"}


def test_without_it_training_is_the_same_to_the_bit(whole, begin, tmp_path):
    run = begin(tmp_path, stages=("head",))
    run.finish()
    assert "averaged_weights" in metrics(run, "head")
    assert metrics(run, "head")["averaged_weights"] is None
    states = [
        network_state(read_checkpoint(each.checkpoints() / "last.ckpt")) for each in (whole, run)
    ]
    assert not changed_tensors(*states)


def die_within_the_third_epoch():
    go_on = SegmentationModule.on_train_batch_start

    def check(module, batch, index):
        if (module.current_epoch, index) == (2, 2):
            os._exit(9)
        go_on(module, batch, index)

    SegmentationModule.on_train_batch_start = check


def stop_within_the_second_epoch():
    go_on = SegmentationModule.on_train_batch_start

    def check(module, batch, index):
        if (module.current_epoch, index) == (1, 1):
            os.kill(os.getpid(), 15)
        go_on(module, batch, index)

    SegmentationModule.on_train_batch_start = check


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(die_within_the_third_epoch, 9),
        (stop_within_the_second_epoch, 143),
    ],
)
def test_stopped_within_an_epoch_it_ends_with_the_same_bits(whole, begin, tmp_path, fault, code):
    run = begin(tmp_path, *AVERAGE, stages=("head",))
    assert run.execute(fault=fault) == code, run.said()
    without = [argument for argument in run.arguments if argument not in AVERAGE]
    if code == 143:
        run.arguments, arguments = without, run.arguments
        assert run.execute() == 1
        assert "ema" in run.said().splitlines()[-1]
        run.arguments = arguments
    run.finish()
    assert_same_end(whole, run)
    assert torch.load(run.checkpoints() / "last.ckpt", weights_only=True)["ema"]["updates"] > 0
