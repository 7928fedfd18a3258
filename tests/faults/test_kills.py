"""Stopped at any moment and started again, a curriculum ends with the same bits."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from pkgutil import resolve_name

import pytest

from aerialseg.models.module import SegmentationModule
from helpers.disk import TEMPORARY, At, die_beyond, kill, record_flushes
from helpers.processes import RUN, assert_nothing_is_half, assert_same_end, send_after
from helpers.stages import STAGES

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="moments are read from /proc, which Linux has"
)

slow = pytest.mark.slow
KILLS = 5  # in a chain
CHAINS = [
    *(("augmented", chain) for chain in range(4)),
    *(("with a worker", chain) for chain in range(4, 7)),
    *(("from features", chain) for chain in range(7, 10)),
]


def stop(run, whole, moment, signum):
    """Stops a process at a moment between its start, 0, and the end of an uninterrupted run, 1."""
    while True:
        process = run.start()
        if send_after(process, moment * whole.cpu_seconds, signum):
            return process.exitcode
        moment /= 2  # a resumed run is shorter


@slow
@pytest.mark.parametrize(("way", "chain"), CHAINS)
def test_fifty_kills_at_random_moments(tmp_path, begin, whole, way, chain):
    run, moments = begin(tmp_path, way), random.Random(chain)
    for _ in range(KILLS):
        assert stop(run, whole(way), moments.random(), signal.SIGKILL) == -signal.SIGKILL
        assert_nothing_is_half(tmp_path)
    run.finish()
    assert_same_end(whole(way), run)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=slow) for seed in range(1, 10))])
def test_sigterm_at_a_random_moment(tmp_path, begin, whole, seed):
    run, moment = begin(tmp_path), random.Random(seed).uniform(0.1, 1)
    assert stop(run, whole(), moment, signal.SIGTERM) == 143, run.said()
    assert run.said().splitlines()[-1].startswith("stopped by SIGTERM")
    assert "Traceback" not in run.said()
    assert_nothing_is_half(tmp_path)
    run.finish()
    assert_same_end(whole(), run)


@dataclass(frozen=True)
class TermAtStep:
    """Sends SIGTERM to its own process within a training step, counted from 1."""

    number: int

    def __call__(self) -> None:
        step, steps = SegmentationModule.training_step, count(1)

        def interrupted(*arguments):
            if next(steps) == self.number:
                os.kill(os.getpid(), signal.SIGTERM)
            return step(*arguments)

        SegmentationModule.training_step = interrupted


@dataclass(frozen=True)
class TermWhereCleaningUpFails:
    """Sends SIGTERM to its own process in code whose clean-up then fails, as OmegaConf's may."""

    name: str

    def __call__(self) -> None:
        def interrupted(*arguments, **keywords):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(60)
            finally:
                None.no_attribute  # noqa: B018

        module, name = self.name.rsplit(".", 1)
        setattr(resolve_name(module), name, interrupted)


@pytest.mark.parametrize(
    "name",
    [
        "aerialseg.training.stage_run.build_data",
        "aerialseg.config.command.validate",
        "hydra._internal.config_loader_impl.ConfigLoaderImpl.load_configuration",
    ],
)
def test_sigterm_where_cleaning_up_fails(tmp_path, begin, name):
    run = begin(tmp_path, stages=["head"])
    assert run.execute(fault=TermWhereCleaningUpFails(name)) == 143, run.said()
    assert run.said().splitlines()[-1].startswith("stopped by SIGTERM")
    # Hydra reports what ends its composition, before us.
    assert "no_attribute" not in run.said() or name.startswith("hydra.")


@slow
def test_sigterm_within_an_epoch(tmp_path, begin, whole):
    run = begin(tmp_path, stages=["head"])
    for number, moment in ((1, "batch 1 of 2 of epoch 1"), (2, "batch 1 of 2 of epoch 2")):
        assert run.execute(fault=TermAtStep(number)) == 143
        assert f"stopped by SIGTERM after {moment}; the same command" in run.said()
    assert "epoch 1/3" not in run.finish()
    assert_same_end(whole(), run)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(At(kill, "open", "last.ckpt"), id="with a best but no last", marks=slow),
        pytest.param(
            At(kill, "open", "last.ckpt.sha256", 2), id="before the digest is told", marks=slow
        ),
        pytest.param(
            At(partial(die_beyond, 5_000_000), "link", "previous.ckpt"),
            id="halfway through a checkpoint",
        ),
        pytest.param(At(kill, "rename", "metrics.json"), id="about to be finished", marks=slow),
    ],
)
def test_killed_while_writing(tmp_path, begin, whole, moment):
    run = begin(tmp_path, stages=["head"])
    assert run.execute(fault=moment) < 0
    assert_nothing_is_half(tmp_path)
    assert not (run.train_folder("head") / "metrics.json").exists()
    run.finish()
    assert_same_end(whole(), run)


@slow
def test_the_check_of_a_curriculum_leaves_it_the_stage_that_was_killed(tmp_path, begin):
    run = begin(tmp_path)
    assert run.execute(fault=At(kill, "rename", "metrics.json")) < 0
    assert run.execute("task=check", "task.chain=true") == 0, run.said()
    assert run.execute("task=check") == 1
    assert "whose run is not finished; finish it with" in run.said()


@slow
def test_killed_before_every_change_of_the_disk(tmp_path, begin, whole):
    for number in count(1):
        run = begin(tmp_path / str(number), stages=["head"])
        if run.execute(fault=At(kill, number=number)) == 0:
            break
        assert_nothing_is_half(run.folder)
        run.finish()
        assert_same_end(whole(), run)
        shutil.rmtree(run.folder)
    assert number > 60


def test_what_a_power_cut_could_take_is_flushed(tmp_path, begin):
    """A file before it takes its name, and its folder before anything else is written."""
    record = tmp_path / "record"
    assert begin(tmp_path, stages=["head"]).execute(fault=partial(record_flushes, record)) == 0
    lines = [line.split() for line in record.read_text().splitlines()]
    renamed = 0
    for index, (change, *paths) in enumerate(lines):
        if change == "rename":
            renamed += 1
            # A folder's files are flushed together.
            flushed = ["sync"] if Path(paths[1]).is_dir() else ["flush", paths[0]]
            assert lines[index - 1] == flushed
            assert lines[index + 1] == ["flush", str(Path(paths[1]).parent)]
        elif change == "open" and not paths[0].endswith(("multirun.yaml", ".train.lock")):
            parts = Path(paths[0]).parts
            assert any(map(TEMPORARY.fullmatch, parts)), "written in its place"
    assert renamed > 20


def command(run):
    return [sys.executable, str(RUN), *run.arguments]


def environment():
    folder = Path(sys.executable).parent
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "120"}


def start_and_kill(arguments, folder, *, at, after=0.0):
    """Kills a command and all its processes some seconds after a file is there."""
    process = subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not at.exists():
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.005)
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def finish(arguments, folder):
    done = subprocess.run(
        arguments, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@slow
def test_the_command_line_is_no_other_than_its_forks(tmp_path, begin, whole):
    run = begin(tmp_path)
    start_and_kill(command(run), tmp_path, at=run.checkpoints("decoder") / "last.ckpt")
    assert_nothing_is_half(tmp_path)
    finish(command(run), tmp_path)
    assert_same_end(whole(), run)


@pytest.fixture(scope="module")
def five_stages(begin, tmp_path_factory):
    run = begin(tmp_path_factory.mktemp("five"), stages=STAGES)
    run.finish()
    return run


@slow
@pytest.mark.parametrize(
    ("file", "after"),
    [
        ("head/train/provenance.json", 0.3),
        ("aspp/train/checkpoints/best.ckpt", 0.0),
        ("full/train/checkpoints/previous.ckpt", 0.2),
        ("full/train/metrics.json", 0.0),
    ],
)
def test_the_script_killed_anywhere_ends_the_same(tmp_path, begin, five_stages, file, after):
    run = begin(tmp_path, stages=STAGES)
    own = {"-m", f"stage={','.join(STAGES)}", "existing=resume"}
    overrides = [word for word in run.arguments if word not in own]
    script = [str(RUN.with_name("multirun_stages.sh")), "task.measure=false", *overrides]
    start_and_kill(script, tmp_path, at=tmp_path / "runs/default" / file, after=after)
    assert_nothing_is_half(tmp_path)
    finish(script, tmp_path)
    assert_same_end(five_stages, run)
    report = json.loads((tmp_path / "runs/default/full/evaluate/metrics.json").read_text())
    assert report["dice"] >= 0
