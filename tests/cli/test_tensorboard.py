"""What TensorBoard shows of a run is what CSV and ``metrics.json`` have."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from aerialseg.callbacks.tensorboard_tags import tag_of
from aerialseg.storage.checkpoints import read_checkpoint
from helpers.commands import run_command
from helpers.event_files import read_images, read_scalars
from helpers.tiny_training import CLASSES, make_data

TRAIN = (
    *("data=folders", "data.root=d", "data.image_min_size=24", "data.batch_size=2"),
    *("data.num_workers=0", "model=lraspp_mobilenet_v3_large", "model.weights=none", "stage=full"),
    *("stage.init_checkpoint=null", "augmentation=none", "stage.epochs=3", "trainer=cpu"),
    *("paths.cache_dir=cache", "callbacks.samples.every_n_epochs=1", "optimizer.layer_decay=0.5"),
)


def train(site, logger, *overrides):
    """Trains as a run of the logger's name; returns the folder of its stage."""
    name = f"run_name={logger}"
    done = run_command(*TRAIN, f"logger={logger}", name, *overrides, folder=site)
    assert done.returncode == 0, done.stderr
    return site / "runs" / logger / "full"


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """The folders of the same stage by logger."""
    site = tmp_path_factory.mktemp("site")
    make_data(site / "d")
    (site / "d/classes.yaml").write_text(json.dumps(CLASSES))
    return {logger: train(site, logger) for logger in ("tensorboard", "csv", "none")}


def rows_of(stage):
    with (stage / "train/csv/metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_value_of_csv_is_there_under_its_tag(stages):
    found, rows = read_scalars(stages["tensorboard"]), rows_of(stages["csv"])
    names = rows[0].keys() - {"epoch", "step"}
    assert {"val/dice", "val/iou_car", "train/loss"} < names
    wanted = {
        tag_of(name): [
            (int(row["step"]), float(np.float32(row[name]))) for row in rows if row[name]
        ]
        for name in names
    }
    statistics = {"train/gradient_norm", "train/gradient_norm_max", "train/epoch"}
    more = {tag for tag in found if tag in statistics or tag.startswith("system/")}
    assert statistics < more
    assert {tag: found[tag] for tag in found.keys() - more} == wanted


def test_the_best_epoch_has_the_scores_of_metrics_json(stages):
    result = json.loads((stages["tensorboard"] / "train/metrics.json").read_text())
    found = read_scalars(stages["tensorboard"])
    scores = {name: value for name, value in result.items() if name.startswith(("val/", "train/"))}
    assert "val/iou_tree" in scores
    for name, value in scores.items():
        shown = dict(enumerate((value for _, value in found[tag_of(name)]), start=1))
        assert shown[result["best_epoch"]] == pytest.approx(value, rel=1e-6), name


def test_rates_by_layer_have_the_names_of_their_layers(stages):
    rates = {
        tag.partition("/")[2]: points[0][1]
        for tag, points in read_scalars(stages["tensorboard"]).items()
        if tag.startswith("learning_rate/")
    }
    last = max(rates.values())
    assert rates["backbone.0/weights"] < rates["backbone.4/weights"] < last
    assert all(name.endswith(("/weights", "/biases_and_norms")) for name in rates)
    assert any(name.startswith("classifier") and rate == last for name, rate in rates.items())


def test_images_are_there_for_each_epoch(stages):
    images = read_images(stages["tensorboard"])
    assert {tag: len(points) for tag, points in images.items()} == {
        "val_images/confusion_matrix": 3,
        "val_images/predictions": 3,
    }


def test_the_weights_do_not_depend_on_the_logger(stages):
    states = [
        read_checkpoint(stage / "train/checkpoints/last.ckpt")["state_dict"]
        for stage in stages.values()
    ]
    for state in states[1:]:
        for name, tensor in states[0].items():
            assert tensor.equal(state[name]), name


def test_a_run_of_another_logger_leaves_no_curves_of_the_one_it_replaces(stages):
    stage = stages["tensorboard"]
    site = Path(*stage.parts[:-3])
    assert list(stage.glob("events*"))
    done = run_command(
        *TRAIN,
        *("logger=none", "run_name=tensorboard", "existing=overwrite", "stage.epochs=1"),
        folder=site,
    )
    assert done.returncode == 0, done.stderr
    assert not list(stage.rglob("events*"))
