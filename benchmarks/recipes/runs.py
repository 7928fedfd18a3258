"""One run: the curriculum of a variant in a fold, and its score on the test part."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any

import yaml

from benchmarks.experiment import ROOT
from benchmarks.recipes.budget import StageCost, Timing, epochs_at, scale_for, stage_cost
from benchmarks.recipes.records import StageScore

_SHORTEST = 1e-4
"""A scale at which every stage has one epoch."""
_SHARE = 1 / 3
"""What the longer of two trials may take of the seconds of a run."""


class RunFailedError(Exception):
    """A process that ended with an error; its text is what it printed."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A curriculum that was trained.

    Attributes:
        stages: In the order of training.
        recipe_epochs: The epochs that the recipe gives each stage at scale 1.
        wall_seconds: Time of the process.
    """

    stages: tuple[StageScore, ...]
    recipe_epochs: dict[str, float]
    wall_seconds: float

    @property
    def seconds(self) -> float:
        """Of training, all stages together."""
        return sum(stage.seconds for stage in self.stages)

    def timing(self, stage: str) -> Timing:
        """Of a stage by name."""
        found = next(each for each in self.stages if each.stage == stage)
        return Timing(found.epochs, found.seconds)


@dataclass(frozen=True, slots=True)
class Scored:
    """What ``task=evaluate`` says about the test part."""

    miou: float
    dice: float
    iou: dict[str, float]


class Runs:
    """Trains and scores in processes of their own, several of which may run at a time.

    Args:
        work: Folder of runs and caches.
        threads: Threads of each process.
    """

    def __init__(self, work: Path, *, threads: int) -> None:
        self.work = work
        self._variables = {
            "OMP_NUM_THREADS": str(threads),
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUNBUFFERED": "1",
        }
        self._processes: set[subprocess.Popen[str]] = set()
        self._lock = Lock()
        self._is_stopped = False

    def train(self, name: str, overrides: Sequence[str], *, scale: float | None) -> Trained:
        """Trains all stages into an empty folder of this name.

        Raises:
            RunFailedError: If the process fails.
        """
        folder = self._folder(name)
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        scaled = () if scale is None else (f"recipe.scale={scale}",)
        began = perf_counter()
        self.command(
            name, "task=curriculum", "task.measure=false", "task.report=false", *overrides, *scaled
        )
        return _trained(folder, perf_counter() - began)

    def score(
        self, name: str, overrides: Sequence[str], trained: Trained, *, scale: float | None
    ) -> Scored:
        """Scores the last stage of a run on the test part.

        Raises:
            RunFailedError: If the process fails, or if it has trained on test images.
        """
        last = trained.stages[-1].stage
        scaled = () if scale is None else (f"recipe.scale={scale}",)
        options = (f"stage={last}", "task=evaluate", "task.split=test")
        self.command(name, *options, *overrides, *scaled)
        return _test_score(self._folder(name) / last / "evaluate" / "metrics.json")

    def checkpoint(self, name: str, trained: Trained) -> Path:
        """The best checkpoint of the last stage of a run."""
        return self._folder(name) / trained.stages[-1].stage / "train" / "checkpoints" / "best.ckpt"

    @contextmanager
    def cleared(self, name: str) -> Iterator[None]:
        """Removes checkpoints and features of a run at the end; tables and images stay."""
        try:
            yield
        finally:
            for folder in self._folder(name).glob("*/train/checkpoints"):
                shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(self.work / "cache" / "features" / name, ignore_errors=True)

    def stop(self) -> None:
        """Ends the running processes; no other starts."""
        with self._lock:
            self._is_stopped = True
            for process in self._processes:
                process.kill()

    def _folder(self, name: str) -> Path:
        return self.work / "runs" / name

    def command(self, name: str, *arguments: str) -> None:
        """Runs one command on the run of this name.

        Raises:
            RunFailedError: If it ends with an error.
        """
        command = (
            *(sys.executable, str(ROOT / "run.py"), *arguments, f"run_name={name}"),
            *(f"paths.runs_dir={self.work / 'runs'}", f"paths.cache_dir={self.work / 'cache'}"),
        )
        with self._lock:
            if self._is_stopped:
                raise RunFailedError("stopped")
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | self._variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            self._processes.add(process)
        try:
            output, _ = process.communicate()
        finally:
            process.kill()  # without effect on one that has ended
            with self._lock:
                self._processes.discard(process)
        if process.returncode:
            raise RunFailedError(f"{output}\nexit code {process.returncode}")


def measured_costs(
    runs: Runs, name: str, overrides: Sequence[str], *, seconds: float
) -> tuple[StageCost, ...]:
    """What each stage takes, from a training of one epoch a stage and a longer one.

    Args:
        runs: Where they run.
        name: Of the trial, whose checkpoints are removed.
        overrides: All of them.
        seconds: What training is to take; the longer trial takes up to a third of that.

    Raises:
        RunFailedError: If one fails.
    """
    with runs.cleared(name):
        short = runs.train(name, overrides, scale=_SHORTEST)
    costs = _costs(short, None)
    scale = scale_for(costs, seconds * _SHARE)
    if all(epochs == 1 for epochs in epochs_at(costs, scale).values()):
        return costs
    with runs.cleared(name):
        return _costs(short, runs.train(name, overrides, scale=scale))


def run_name(*parts: object) -> str:
    """A name for a run of small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", "_".join(map(str, parts)).lower()).strip("_")


def _costs(short: Trained, longer: Trained | None) -> tuple[StageCost, ...]:
    if missing := [each.stage for each in short.stages if each.stage not in short.recipe_epochs]:
        raise RunFailedError(
            f"recipe.epochs has no row for stage {missing[0]}, so its length cannot be chosen; add "
            f"recipe.epochs.{missing[0]}, or use --full-length"
        )
    return tuple(
        stage_cost(
            stage.stage,
            short.recipe_epochs[stage.stage],
            short.timing(stage.stage),
            None if longer is None else longer.timing(stage.stage),
        )
        for stage in short.stages
    )


def _trained(folder: Path, wall_seconds: float) -> Trained:
    """What a finished curriculum has written."""
    with (folder / "stages.csv").open(encoding="utf-8", newline="") as table:
        names = [row["stage"] for row in csv.DictReader(table)]
    stages, recipe_epochs = [], {}
    for name in names:
        run = folder / name / "train"
        result: dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
        if name in config["recipe"]["epochs"]:
            recipe_epochs[name] = float(config["recipe"]["epochs"][name])
        stages.append(
            StageScore(
                stage=name,
                planned_epochs=int(config["stage"]["epochs"]),
                epochs=int(result["epochs"]),
                best_epoch=int(result["best_epoch"]),
                seconds=float(result["seconds"]),
                val_miou=float(result["val/miou"]),
                val_dice=float(result["val/dice"]),
            )
        )
    return Trained(tuple(stages), recipe_epochs, wall_seconds)


def _test_score(path: Path) -> Scored:
    """The scores of an evaluation of the test part.

    Raises:
        RunFailedError: If it is of another split, or of images that were trained on.
    """
    scores: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if scores["split"] != "test" or scores["images_trained_on"] != 0:
        raise RunFailedError(
            f"{path}: scores the split {scores['split']}, of which {scores['images_trained_on']} "
            "images were trained on; wanted a test part that was never seen"
        )
    iou = {
        key.removeprefix("iou_"): float(value)
        for key, value in scores.items()
        if key.startswith("iou_")
    }
    return Scored(float(scores["miou"]), float(scores["dice"]), iou)
