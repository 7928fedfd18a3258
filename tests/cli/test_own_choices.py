"""Optimizer, scheduler, logger and callbacks of the user's own, from a folder outside."""

import csv
import json

import pytest
import torch
import yaml

from aerialseg.storage.checkpoints import read_checkpoint
from helpers.commands import run_command
from helpers.pages import ROOT, files_in
from helpers.tiny_training import CLASSES, make_data

FILES = files_in(ROOT / "CONTRIBUTING.md")
FILES = {path: text for path, text in FILES.items() if path.startswith("my_conf/")}
CHOICES = ("optimizer=rmsprop", "scheduler=plateau", "logger=csv", "callbacks=patient")
TRAIN = (
    *("data=folders", "data.root=d", "data.image_min_size=24", "data.batch_size=4"),
    *("data.num_workers=0", "model=lraspp_mobilenet_v3_large", "model.weights=none", "stage=full"),
    *("stage.init_checkpoint=null", "augmentation=none", "stage.epochs=5", "trainer=cpu"),
)


@pytest.fixture
def site(tmp_path):
    make_data(tmp_path / "d")
    (tmp_path / "d/classes.yaml").write_text(json.dumps(CLASSES))
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    return tmp_path


def test_the_choices_of_the_page_train_end_to_end(site):
    assert len(FILES) == 4
    more = ["scheduler.patience=0", "scheduler.threshold=9", "stage.learning_rate=1e-3"]
    more += ["optimizer.warmup_steps=0", "optimizer.layer_decay=1"]
    more.append("loss.class_weights={ground: 1, car: 3, tree: 2.5}")
    done = run_command("--config-dir", "my_conf", *TRAIN, *CHOICES, *more, folder=site)
    assert done.returncode == 0, done.stderr
    run = site / "runs/default/full/train"
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["optimizer"]["function"]["_target_"] == "torch.optim.RMSprop"
    assert config["loss"]["class_weights"] == {"ground": 1, "car": 3, "tree": 2.5}
    # Each has a file of that name in conf/, too; the user's is meant.
    assert config["scheduler"]["monitor"] == "val/dice"
    assert config["logger"]["_target_"] == "pytorch_lightning.loggers.CSVLogger"
    with (run / "curves/metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rates = [float(row["lr-RMSprop/weights"]) for row in rows if row.get("lr-RMSprop/weights")]
    dice = [float(row["val/dice"]) for row in rows if row.get("val/dice")]
    make = torch.optim.lr_scheduler.ReduceLROnPlateau
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
    by_hand, wanted = make(optimizer, mode="max", factor=0.33, patience=0, threshold=9), [1e-3]
    for value in dice[:-1]:
        by_hand.step(value)
        wanted += by_hand.get_last_lr()
    assert rates == pytest.approx(wanted)
    assert len(set(rates)) > 2
    (state,) = read_checkpoint(run / "checkpoints/last.ckpt")["lr_schedulers"]
    assert state["last_epoch"] == 5


@pytest.mark.slow
def test_a_mistake_in_an_own_file_is_one_line(site):
    own = ("--config-dir=my_conf", *TRAIN, *CHOICES)
    (site / "my_conf/optimizer/rmsprop.yaml").write_text("lr: 1\nlr: 2\n")
    assert run_command(*own, folder=site).stderr == (
        "config error: my_conf/optimizer/rmsprop.yaml: line 2: has 'lr' twice\n"
    )
    (site / "my_conf/optimizer/rmsprop.yaml").write_text(
        "function: {_target_: torch.optim.RMSprop, lr: 1}\n"
    )
    assert run_command(*own, folder=site).stderr == (
        "config error: optimizer.function._partial_: must be true: what it works on comes later\n"
    )
    (site / "my_conf/optimizer/rmsprop.yaml").write_text("_target_: torch.optim.RMSprop\nlr: 1\n")
    assert run_command(*own, folder=site).stderr == (
        "config error: optimizer: what builds it belongs below function, as in "
        "function: {_target_: ..., lr: ...}\n"
    )
    assert run_command("--config-dir=my_conf", "optimizer=rmsprob", folder=site).stderr == (
        "config error: optimizer: there is no 'rmsprob'; did you mean 'rmsprop'?\n"
    )
    assert not (site / "runs").exists()


def test_the_advised_command_and_a_chain_keep_the_own_folder(site):
    done = run_command("--config-dir=my_conf", *CHOICES, "stage=aspp", "trainer=cpu", folder=site)
    assert f"run `python run.py --config-dir={site / 'my_conf'} stage=decoder" in done.stderr
