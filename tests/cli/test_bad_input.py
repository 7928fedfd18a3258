"""Wrong commands as real processes: lines, exit code 1, and nothing written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.commands import run_command

REPOSITORY = Path(__file__).parents[2]


def run(folder, *arguments, script=None, python=()):
    """Runs the command; one of another script or interpreter option imports everything anew."""
    if script is None and not python:
        return run_command(*arguments, folder=folder)
    script = script or REPOSITORY / "run.py"
    return subprocess.run(
        [sys.executable, *python, script, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def held(tmp_path):
    """A folder to work in, where runs/default/head/train already holds a run."""
    folder = tmp_path / "runs" / "default" / "head" / "train"
    folder.mkdir(parents=True)
    (folder / "provenance.json").write_text("{}")
    return tmp_path


def test_every_problem_is_a_line_and_nothing_is_touched(held):
    before = files(held)
    done = run(
        held,
        "stage.learning_rate=fast",
        "stage.epoch=3",
        "stage.init_checkpoint=runs/nowhere.ckpt",
        "trainer.max_epoch=3",
        "trainer.precision=16-mixt",
        "trainer.accelerator=gpux",
        "data.batch_size=0",
        "data.val_fraction=2",
        "augmentation.transforms=[{_target_:albumentations.HorizontalFlip,prob:0.3}]",
        "optimizer.function._target_=aerialseg.storage.run_folders.subprocess.run",
        "callbacks.checkpoint.monitor=val/dise",
        "+model.depth=3",
        "++sed=1",
    )
    assert done.returncode == 1
    precisions = re.escape("64, 32, 16, transformer-engine")
    wanted = [
        r"sed: the config takes no 'sed'; did you mean 'seed'\?",
        r"stage\.learning_rate: 'fast' is not a number",
        r"stage\.epoch: conf/stage takes no 'epoch'; did you mean 'epochs'\?",
        r"stage\.init_checkpoint: stage head starts from runs/nowhere\.ckpt, which does not exist; "
        r"check the path",
        r"trainer\.max_epoch: pytorch_lightning\.Trainer takes no 'max_epoch'; did you mean "
        r"'max_epochs'\?",
        rf"trainer\.precision: '16-mixt' is not one of {precisions}.*; did you mean '16-mixed'\?",
        r"trainer\.accelerator: there is no 'gpux'; did you mean 'gpu'\?",
        r"data\.batch_size: 0 is out of range, wanted 1 or more",
        r"data\.val_fraction: 2 is out of range, wanted less than 1",
        r"augmentation\.transforms\[0\]\.prob: albumentations\.HorizontalFlip takes no 'prob'; "
        r"did you mean 'p'\?",
        r"optimizer\.function\._target_: 'aerialseg\.storage\.run_folders\.subprocess\.run' is "
        r"subprocess\.run, "
        r"which is not in .*",
        r"callbacks\.checkpoint\.monitor: 'val/dise' is never logged; did you mean 'val/dice'\?",
        r"model\.depth: conf/model takes no 'depth'; known: .*",
        r"existing: runs/default/head/train already holds an unfinished run; choose .*",
    ]
    lines = done.stderr.splitlines()
    for pattern in wanted:
        assert any(re.fullmatch(f"config error: {pattern}", line) for line in lines), pattern
    assert len(lines) == len(wanted)
    assert done.stdout == ""
    assert files(held) == before


def test_the_first_job_that_fails_stops_a_multirun(tmp_path):
    done = run(tmp_path, "-m", "task=check", "stage=aspp,head", "seed=0,1", "trainer=cpu")
    assert done.returncode == 1
    assert done.stderr == (
        "config error: stage.init_checkpoint: stage aspp starts from runs/default/decoder/train/"
        "checkpoints/best.ckpt, which does not exist; run `python run.py stage=decoder "
        "run_name=default seed=0 trainer=cpu` first\n"
    )
    assert files(tmp_path) == {}


def test_a_mistake_in_the_last_job_of_a_sweep_stops_it_before_the_first(tmp_path):
    done = run(tmp_path, "-m", "task=check", "seed=0,1,-1", "data.val_fraction=0.2,2")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "config error: data.val_fraction: 2 is out of range, wanted less than 1",
        "config error: seed: -1 is out of range, wanted 0 or more",
    ]
    assert done.stdout == ""
    assert files(tmp_path) == {}


QUICK = {
    "stage=asp loss=dise": [
        "config error: stage: there is no 'asp'; did you mean 'aspp'?",
        "config error: loss: there is no 'dise'; did you mean 'dice'?",
    ],
    "stage=": ["config error: stage: there is no ''; known: .*"],
    "stage=null": ["config error: stage: there is no null; known: .*"],
    "-m stage=head,asp": ["config error: stage: there is no 'asp'; did you mean 'aspp'?"],
    "-m run_name=???": ["config error: run_name: must be set"],
    "stage head": ["config error: stage: is not KEY=VALUE; did you mean stage=head?"],
    "--stage=head": ["config error: --stage: is not a flag; did you mean stage=head?"],
    "seed=[1": ["config error: seed: '[1' cannot be read: '[' is not closed; quote all of it, .*"],
    "seed=1,2": ["config error: seed: 1,2 means several values; add -m for a job with each, .*"],
    "stage=aspp stage.previous=decodr": [
        "config error: stage.previous: there is no stage 'decodr'; did you mean 'decoder'?"
    ],
    "model.weights=nofile.pth": [
        "config error: model.weights: nofile.pth does not exist; check the path, or start at .*"
    ],
    "~callbacks.foo": ["config error: callbacks.foo: is not there, so it cannot be left out; .*"],
    "+experiment=demo": ["config error: experiment: is there already; write experiment=demo"],
}


@pytest.mark.parametrize(("command", "wanted"), QUICK.items())
def test_a_command_that_cannot_be_composed(tmp_path, command, wanted):
    done = run(tmp_path, *command.split())
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    lines = done.stderr.splitlines()
    for line, start in zip(lines, wanted, strict=False):
        assert line.startswith(start.removesuffix(".*"))
    assert len(lines) == len(wanted) or not wanted[0].startswith("config error")
    assert files(tmp_path) == {}


def test_a_broken_file_is_named(tmp_path):
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    script = shutil.copy(REPOSITORY / "run.py", tmp_path)
    (tmp_path / "conf" / "loss" / "mine.yaml").write_text("function:\n  a: 1\n   b: 2\n")
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text("seed: 1\n")
    done = run(tmp_path, "loss=mine", script=script)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "config error: conf/experiment/mine.yaml: an experiment needs the line "
        "'# @package _global_' to reach the other groups",
        "config error: conf/loss/mine.yaml: line 3: is not YAML: mapping values are not allowed "
        "here",
    ]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("--help", "stage: aspp, decoder, full, half_backbone, head"),
        ("stage=aspp seed=3 --cfg job", "fine_tune_start: ${model.fine_tune_start.${stage.name}}"),
        ("stage=aspp --info", "stage: aspp"),
    ],
)
def test_help_and_cfg_do_not_import_torch(tmp_path, command, shown):
    done = run(tmp_path, *command.split(), python=("-X", "importtime"))
    assert done.returncode == 0
    assert shown in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "hydra" in imported
    heavy = {"torch", "torchvision", "pytorch_lightning", "albumentations", "cv2", "numpy"}
    assert not imported & heavy
    assert files(tmp_path) == {}
