"""The comparison as a whole: with runs that only pretend, and once with real ones."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.recipes.arguments import parse
from benchmarks.recipes.comparison import Comparison
from benchmarks.recipes.datasets import Fold, Prepared
from benchmarks.recipes.records import read_records
from benchmarks.recipes.runs import RunFailedError, Runs, Scored, Trained, run_name
from helpers.pages import ROOT
from helpers.recipe_records import MACHINE, record

SECONDS = {"recipe=slow": 4.0, "recipe=quick": 1.0}
FOLDS = tuple(Fold(n, Path(f"{n}.csv"), (f"p{n}",), {"train": 3, "test": 1}) for n in range(2))
PREPARED = Prepared(("data=folders", "data.batch_size=4"), 50, FOLDS, "")


class Pretended(Runs):
    """An epoch takes the recipe's seconds; ``fails`` says which runs do not end well."""

    def __init__(self, work, fails=lambda overrides: False):
        super().__init__(work, threads=1)
        self.fails, self.trained, self.names = fails, [], []

    def train(self, name, overrides, *, scale):
        if self.fails(overrides):
            raise RunFailedError("no room")
        self.trained.append((overrides, scale))
        self.names.append(name)
        epochs = max(1, round(10 * (1 if scale is None else scale)))
        (stage,) = record().stages[1:]
        seconds = 2 + epochs * SECONDS[overrides[0]]
        made = replace(stage, planned_epochs=epochs, epochs=epochs, seconds=seconds)
        return Trained((made,), {"full": 10.0}, 1.0)

    def score(self, name, overrides, trained, *, scale):
        return Scored(0.5, 0.6, {"car": 0.1})


def chosen(*more):
    options = ["--data", "scenes", "--folds", "2", "--seeds", "0", "7", "--seconds", "42"]
    return parse([*options, *more, "--", "slow", "quick"])


def compare(tmp_path, runs, *more, machine=MACHINE, changed=None):
    """What failed, and the lines that were said."""
    path, said = tmp_path / "scenes.jsonl", []
    configs = dict.fromkeys(("slow", "quick"), "c0ffee") | (changed or {})
    comparison = Comparison(chosen(*more), configs, PREPARED, machine, runs)
    failures = comparison.run(
        read_records(path), path=path, after_each=lambda: None, say=said.append
    )
    return failures, said


def test_variants_take_the_same_seconds_in_turn(tmp_path):
    runs = Pretended(tmp_path)
    failures, _ = compare(tmp_path, runs)
    assert not failures
    found = read_records(tmp_path / "scenes.jsonl")
    assert [(run.fold, run.seed, run.variant) for run in found] == [
        (fold, seed, name) for fold in (0, 1) for seed in (0, 7) for name in ("slow", "quick")
    ]
    assert {run.seconds for run in found} == {42.0}  # 2 + 10 * 4 and 2 + 40 * 1
    assert {run.planned_seconds for run in found} == {42.0}
    assert len(runs.trained) == 8 + 2 * 2  # two trials of each variant
    assert runs.trained[-1][0] == (
        *("recipe=quick", "data=folders", "data.batch_size=4"),
        *("data.layout.split=1.csv", "seed=7"),
    )


def test_a_variant_whose_files_changed_is_trained_anew(tmp_path):
    compare(tmp_path, Pretended(tmp_path))
    runs = Pretended(tmp_path)
    compare(tmp_path, runs, changed={"quick": "other"})
    assert {overrides[0] for overrides, _ in runs.trained} == {"recipe=quick"}
    assert len(read_records(tmp_path / "scenes.jsonl")) == 8 + 4


def test_recorded_runs_are_not_done_again_and_their_scale_is_kept(tmp_path):
    compare(tmp_path, Pretended(tmp_path))
    path = tmp_path / "scenes.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:3]).replace('"revision":"', '"revision":"older '))
    runs = Pretended(tmp_path)
    compare(tmp_path, runs)
    assert len(runs.trained) == 5  # and no trial
    found = read_records(path)
    assert len({(run.variant, run.fold, run.seed) for run in found}) == len(found) == 8
    assert len({(run.variant, run.scale) for run in found}) == 2
    again = Pretended(tmp_path)
    compare(tmp_path, again)
    assert again.trained == []


def test_another_machine_is_measured_anew(tmp_path):
    compare(tmp_path, Pretended(tmp_path), "--seeds", "0")
    runs = Pretended(tmp_path)
    compare(tmp_path, runs, machine=replace(MACHINE, threads=2))
    assert len(runs.trained) == 4 + 2 * 2


def test_other_seconds_are_other_runs(tmp_path):
    compare(tmp_path, Pretended(tmp_path))
    runs = Pretended(tmp_path)
    compare(tmp_path, runs, "--full-length")
    assert [scale for _, scale in runs.trained] == [None] * 8
    assert {run.scale for run in read_records(tmp_path / "scenes.jsonl")[8:]} == {None}


def test_a_variant_is_taught_by_another_one_of_the_same_fold_and_seed(tmp_path):
    runs = Pretended(tmp_path)
    options = ["--data", "scenes", "--folds", "2", "--seeds", "7", "--full-length", "--"]
    typed = parse([*options, "slow", "taught: recipe=quick teacher={slow}"])
    configs, path = dict.fromkeys(("slow", "taught"), "c0ffee"), tmp_path / "scenes.jsonl"
    comparison = Comparison(typed, configs, PREPARED, MACHINE, runs)
    assert not comparison.run([], path=path, after_each=lambda: None, say=print)
    trained = [overrides for overrides, _ in runs.trained]
    for fold in ("0", "1"):
        of_fold = [each for each in trained if f"data.layout.split={fold}.csv" in each]
        slow, teacher, taught = of_fold  # the teacher is trained anew, and before the other
        assert slow == teacher
        assert taught[0] == "recipe=quick"
        (checkpoint,) = re.findall(r"teacher='(.+)'", taught[1])
        assert Path(checkpoint).parts[-5] in runs.names
    found = {(run.variant, run.fold): run.seconds for run in read_records(path)}
    slow, quick = 2 + 10 * 4.0, 2 + 10 * 1.0
    assert found == {
        ("slow", 0): slow,
        ("slow", 1): slow,
        ("taught", 0): slow + quick,
        ("taught", 1): slow + quick,
    }


def test_a_failed_run_is_reported_and_the_others_go_on(tmp_path):
    runs = Pretended(tmp_path, lambda typed: {"recipe=slow", "seed=7"} <= set(typed))
    failures, said = compare(tmp_path, runs)
    assert failures == ["slow, fold 1, seed 7", "slow, fold 2, seed 7"]
    assert sum("no room\nFAILED: slow, fold" in line for line in said) == 2
    assert len(read_records(tmp_path / "scenes.jsonl")) == 6


def test_several_runs_at_a_time_are_all_recorded(tmp_path):
    failures, _ = compare(tmp_path, Pretended(tmp_path), "--jobs", "3")
    found = read_records(tmp_path / "scenes.jsonl")
    assert not failures
    assert len({(run.variant, run.fold, run.seed) for run in found}) == len(found) == 8


def test_a_variant_that_cannot_be_measured_does_not_stop_the_others(tmp_path):
    failures, _ = compare(tmp_path, Pretended(tmp_path, lambda typed: "recipe=slow" in typed))
    assert failures == ["all of slow"]
    assert {run.variant for run in read_records(tmp_path / "scenes.jsonl")} == {"quick"}


def test_names_of_runs_are_plain():
    assert run_name("scenes", 50, "One stage, ä!", "ab") == "scenes_50_one_stage_ab"


def run_benchmark(folder, *variants):
    command = [sys.executable, "-m", "benchmarks.recipes", "--data", "scenes", "--count", "12"]
    command += ["--size", "64", "96", "--folds", "2", "--seconds", "2"]
    command += ["--common", "model=lraspp_mobilenet_v3_large", "trainer=cpu"]
    command += ["--work", str(folder / "work"), "--results", str(folder / "results")]
    return subprocess.run(
        [*command, "--", *variants], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_real_runs_are_trained_scored_recorded_and_not_repeated(tmp_path):
    two_stages = "two stages: recipe=strong recipe.stages=[head,full]"
    done = run_benchmark(tmp_path, "strong", two_stages)
    assert done.returncode == 0, done.stdout + done.stderr
    path = tmp_path / "results" / "scenes.jsonl"
    runs = read_records(path)
    assert {(run.variant, run.fold) for run in runs} == {
        (name, fold) for name in ("strong", "two stages") for fold in (0, 1)
    }
    for run in runs:
        folders = list((tmp_path / "work" / "runs").glob(f"*_fold{run.fold + 1}_*"))
        written = [
            json.loads((folder / "full" / "evaluate" / "metrics.json").read_text())
            for folder in folders
        ]
        assert all(each["images_trained_on"] == 0 for each in written)
        assert run.miou in [each["miou"] for each in written]
        assert {each["images"] for each in written} == {run.images["test"]}
        assert sum(run.images.values()) == 12
        assert run.seconds == pytest.approx(sum(stage.seconds for stage in run.stages), abs=0.01)
        assert [stage.stage for stage in run.stages] == (
            ["full"] if run.variant == "strong" else ["head", "full"]
        )
    assert not list((tmp_path / "work").rglob("*.ckpt"))
    assert "| two stages | 2 (2 folds, 1 seed) |" in (
        tmp_path / "results" / "RECIPES.md"
    ).read_text(encoding="utf-8")

    before = path.read_bytes()
    again = run_benchmark(tmp_path, "strong", "bad: recipe=strong stage.learning_rate=-1")
    assert again.returncode == 1
    assert "2 runs to do, 2 are recorded" in again.stdout
    assert "stage.learning_rate: -1 is out of range" in again.stdout
    assert "1 failed: scenes, 12 images, all of bad" in again.stderr
    assert path.read_bytes() == before
