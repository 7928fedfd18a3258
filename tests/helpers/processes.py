"""A short curriculum in real processes of `run.py`, each forked from one that has imported torch.

Importing takes longer than the curriculum and is not what is interrupted here. The fork server of
`multiprocessing` is a process that imports and does nothing else, and each process it forks runs
`run.py` from its first line.
"""

import csv
import json
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from itertools import islice
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch
import yaml

from aerialseg.storage.checkpoints import read_checkpoint
from helpers.comparison import differences

RUN = Path(__file__).parents[2] / "run.py"
EPOCHS = 3
_PRELOADED = [
    "aerialseg.config.command",
    "aerialseg.tasks.curriculum",
    "aerialseg.tasks.hydra_callbacks",
    "aerialseg.tasks.predict",
    "albumentations",
    "hydra.main",
    "pytest",
    "tensorboard.summary.writer.record_writer",
]

Fault = Callable[[], None]
"""What a process does to itself before it runs `run.py`."""


class Curriculum:
    """The stages of a curriculum on a dozen small images, each in three epochs."""

    def __init__(
        self,
        folder: Path,
        scenes: Path,
        *arguments: str,
        stages: Sequence[str] = ("head", "decoder"),
    ) -> None:
        self.folder = folder
        self.stages = stages
        self.log = folder / "log.txt"
        self.cpu_seconds = 0.0
        self.arguments = [
            *(["-m"] if len(stages) > 1 else []),
            f"stage={','.join(stages)}",
            "existing=resume",
            "experiment=demo",
            "recipe=seed",  # all five stages
            *("stage.fresh=learn", "stage.load_from=best", "loss.class_weights=none"),
            *("optimizer=adamw", "scheduler=polynomial"),
            "run_name=default",
            f"data.root={scenes}",
            "data.layout.count=12",
            "data.layout.test_count=0",
            "data.layout.size=[64,96]",
            "data.image_min_size=48",
            "data.batch_size=4",
            "model=lraspp_mobilenet_v3_large",
            "model.weights=none",
            f"stage.epochs={EPOCHS}",
            "stage.learning_rate=1e-2",
            "callbacks.checkpoint.every_n_epochs=1",
            "logger=csv",
            "trainer=cpu",
            f"paths.runs_dir={folder / 'runs'}",
            f"paths.cache_dir={folder / 'cache'}",
            *arguments,
        ]

    def start(self, *arguments: str, fault: Fault | None = None) -> BaseProcess:
        self.folder.mkdir(parents=True, exist_ok=True)
        return fork(_run, [*self.arguments, *arguments], self.folder, self.log, fault)

    def execute(self, *arguments: str, fault: Fault | None = None) -> int:
        """Lets a process come to its end and returns its exit code."""
        process = self.start(*arguments, fault=fault)
        while process.is_alive():
            self.cpu_seconds = cpu_seconds(process) or self.cpu_seconds
            process.join(0.01)
        return process.exitcode

    def finish(self) -> str:
        """Trains to the end; returns what the process said."""
        code = self.execute()
        assert code == 0, self.said()
        return self.said()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def train_folder(self, stage: str) -> Path:
        return self.folder / "runs/default" / stage / "train"

    def checkpoints(self, stage: str = "head") -> Path:
        return self.train_folder(stage) / "checkpoints"


def fork(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """Starts a process that has already imported torch and the tasks, and has one thread."""
    _start_fork_server()
    process = multiprocessing.get_context("forkserver").Process(target=target, args=arguments)
    process.start()
    return process


@cache
def _start_fork_server() -> None:
    """Starts the process that the others are forked from; they inherit its environment.

    A server started without these variables would fork processes of several threads, whose sums
    differ in the last bit from those of one thread.
    """
    if sys.platform != "linux":
        pytest.skip("forks a process that has imported torch, which only Linux allows")
    from multiprocessing.forkserver import ensure_running  # not importable on Windows

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # forked processes must not have threads
        patch.setenv("COLUMNS", "120")
        multiprocessing.get_context("forkserver").set_forkserver_preload(_PRELOADED)
        ensure_running()


def _run(arguments: Sequence[str], folder: Path, log: Path, fault: Fault | None) -> None:
    os.chdir(folder)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.argv = [str(RUN), *arguments]
    if fault is not None:
        fault()
    runpy.run_path(str(RUN), run_name="__main__")


def cpu_seconds(process: BaseProcess) -> float:
    """What it has used of the processor, which a busy machine does not change much; 0 if dead."""
    try:
        text = Path(f"/proc/{process.pid}/stat").read_text()
    except OSError:
        return 0.0
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def send_after(process: BaseProcess, seconds: float, signum: signal.Signals) -> bool:
    """Sends a signal once so much of the processor was used; whether that came before the end."""
    while process.is_alive():
        if cpu_seconds(process) >= seconds:
            os.kill(process.pid, signum)
            process.join()
            return process.exitcode != 0
        process.join(0.002)
    return False


def assert_nothing_is_half(root: Path) -> None:
    """Whatever has its name is whole; ``metrics.json`` is there only if the stage is finished."""
    readers = {
        ".ckpt": read_checkpoint,
        ".csv": _read_table,
        ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
        ".yaml": lambda path: yaml.safe_load(path.read_text(encoding="utf-8"))["seed"],
    }
    read = {}
    for path in sorted((root / "runs").rglob("*")):
        # A dot marks what was being written; multirun.yaml is Hydra's, and nobody reads it.
        if path.suffix in readers and not path.name.startswith(".") and path.stem != "multirun":
            read[path] = readers[path.suffix](path)
    for path in root.glob("runs/*/*/train/metrics.json"):
        last, best = (read[path.parent / f"checkpoints/{name}.ckpt"] for name in ("last", "best"))
        assert last["aerialseg"]["epoch"] == read[path]["epochs"] == EPOCHS
        assert best["aerialseg"]["epoch"] == read[path]["best_epoch"]


def _read_table(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert all(len(row) == len(header) for row in rows)


def assert_same_end(whole: Curriculum, parts: Curriculum) -> None:
    """All that training has come to is the same to the bit.

    The exceptions are clocks: that in a checkpoint, the seconds in ``metrics.json`` and, because
    of that clock, the hash of the parent.
    """
    for stage in parts.stages:
        for name in ("best.ckpt", "last.ckpt"):
            states = [
                _state_of_whole(whole.checkpoints(stage) / name),
                _state(parts.checkpoints(stage) / name),
            ]
            different = list(islice(differences(*states, f"{stage}/{name}"), 9))
            assert not different, different
        metrics = [
            json.loads((run.train_folder(stage) / "metrics.json").read_text())
            for run in (whole, parts)
        ]
        assert metrics[0] | {"seconds": 0} == metrics[1] | {"seconds": 0}
        curves = [run.train_folder(stage) / "csv/metrics.csv" for run in (whole, parts)]
        assert curves[0].read_bytes() == curves[1].read_bytes()
        names = [{path.name for path in run.checkpoints(stage).iterdir()} for run in (whole, parts)]
        assert names[1] - {"damaged.ckpt"} == names[0]
        assert not list(parts.train_folder(stage).rglob(".*")), "what was being written stayed"
        provenance = json.loads((parts.train_folder(stage) / "provenance.json").read_text())
        if stage != parts.stages[0]:
            parent = parts.checkpoints(parts.stages[parts.stages.index(stage) - 1]) / "best.ckpt"
            assert provenance["parent"]["sha256"] == sha256(parent.read_bytes()).hexdigest()


def _state(path: Path) -> dict[str, object]:
    content = torch.load(path, weights_only=True)
    content["callbacks"].pop("Timer")
    content["aerialseg"].pop("parent")
    return content


_state_of_whole = cache(_state)
