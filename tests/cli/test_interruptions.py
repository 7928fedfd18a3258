"""Runs that are stopped, damaged and resumed, against an uninterrupted one."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from helpers.comparison import differences
from helpers.event_files import read_scalars
from helpers.systems import needs_posix

pytestmark = [needs_posix, pytest.mark.slow]

REPOSITORY = Path(__file__).parents[2]
EPOCHS = 3


class Run:
    """One run of one stage on scenes shared with the others."""

    def __init__(self, folder: Path, name: str) -> None:
        self.checkpoints = folder / "runs" / name / "full/train/checkpoints"
        self.curves = folder / "runs" / name / "full"
        self.command = [
            sys.executable,
            "run.py",
            "experiment=demo",
            "stage=full",
            "stage.init_checkpoint=null",
            f"stage.epochs={EPOCHS}",
            f"run_name={name}",
            "existing=resume",
            f"data.root={folder / 'scenes'}",
            "data.layout.count=20",
            "data.layout.size=[64,96]",
            "data.image_min_size=48",
            "data.batch_size=4",
            "data.num_workers=2",
            "model.weights=none",
            "callbacks.checkpoint.every_n_epochs=1",
            f"paths.runs_dir={folder / 'runs'}",
            f"paths.cache_dir={folder / 'cache'}",
        ]

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command,
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self) -> str:
        process = self.start()
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said

    def stop_after(self, epoch: int, signum: signal.Signals) -> tuple[int, str]:
        """Sends a signal to all its processes once an epoch has ended."""
        process = self.start()
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith(f"epoch {epoch}/"):
                time.sleep(0.5)  # into the next
                os.killpg(process.pid, signum)
        return process.wait(), said

    def state(self, name: str) -> dict[str, object]:
        content = torch.load(self.checkpoints / name, weights_only=True)
        content["callbacks"].pop("Timer")
        content["aerialseg"].pop("run_name")
        return content

    def points(self) -> dict[str, list[tuple[int, float]]]:
        curves = read_scalars(self.curves)
        for measured in ("system/images_per_second", "system/resident_memory_gb"):
            curves[measured] = [(step, 0.0) for step, _ in curves[measured]]
        return curves


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """An uninterrupted and an interrupted run, and the outputs of the second."""
    folder = tmp_path_factory.mktemp("stopping")
    whole, parts = Run(folder, "whole"), Run(folder, "parts")
    whole.finish()
    parts.said = [parts.stop_after(1, signal.SIGTERM), parts.stop_after(2, signal.SIGINT)]
    last = parts.checkpoints / "last.ckpt"
    content = bytearray(last.read_bytes())
    content[len(content) // 2] ^= 1
    last.write_bytes(content)
    (parts.checkpoints / f".last.aerialseg-{'0' * 32}.ckpt").write_bytes(b"half")
    parts.said.append((0, parts.finish()))
    return whole, parts


@pytest.mark.parametrize(("index", "code", "name"), [(0, 143, "SIGTERM"), (1, 130, "SIGINT")])
def test_a_signal_ends_a_run_with_its_code_and_one_line(runs, index, code, name):
    found, said = runs[1].said[index]
    assert found == code
    line = f"stopped by {name} (after|in) .*epoch [123]; the same command continues from there"
    assert re.fullmatch(line, said.splitlines()[-1])
    assert "Traceback" not in said
    assert "Error" not in said


def test_a_damaged_checkpoint_is_skipped_with_one_line(runs):
    _, parts = runs
    damaged = parts.checkpoints / "last.ckpt"
    (line,) = (line for line in parts.said[2][1].splitlines() if "damaged" in line)
    assert line.startswith(f"{damaged}: is damaged: its sha256 is not that of what was written; ")
    assert line.endswith(("going on from previous.ckpt", "going on from best.ckpt"))


@pytest.mark.parametrize("name", ["best.ckpt", "last.ckpt"])
def test_the_results_are_bit_identical(runs, name):
    whole, parts = (run.state(name) for run in runs)
    assert not list(differences(whole, parts))


def test_the_curves_have_no_gaps_and_no_duplicate_points(runs):
    whole, parts = (run.points() for run in runs)
    assert len(whole["val/dice"]) == EPOCHS
    assert parts == whole


def test_every_checkpoint_has_the_digest_that_sha256sum_finds(runs):
    folder = runs[1].checkpoints
    checkpoints = ["best.ckpt", "last.ckpt"]
    digests = [f"{name}.sha256" for name in checkpoints]
    assert {path.name for path in folder.iterdir()} == {*checkpoints, *digests, "damaged.ckpt"}
    subprocess.run(["sha256sum", "-c", *digests], cwd=folder, check=True, capture_output=True)
