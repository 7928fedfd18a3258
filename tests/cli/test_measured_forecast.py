"""The forecast in real processes: measured before training, and logged during it."""

import re
from pathlib import Path

import pytest

from helpers.commands import run_command

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecast")
    overrides = (
        "experiment=demo",
        f"data.root={folder / 'scenes'}",
        "data.layout.count=12",
        "data.layout.test_count=0",
        "data.layout.size=[64,96]",
        "data.image_min_size=48",
        "model.weights=none",
        "stage.epochs=2",
        f"paths.runs_dir={folder / 'runs'}",
        f"paths.cache_dir={folder / 'cache'}",
    )

    def run(*arguments):
        done = run_command(*arguments, *overrides, folder=REPOSITORY)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.runs = folder / "runs"
    run.cache = folder / "cache"
    return run


@pytest.fixture(scope="module")
def measured(run):
    return run("-m", "task=check", "task.measure=true", "task.chain=true", "stage=head,decoder")


@pytest.mark.slow
def test_a_measured_curriculum_is_a_table_with_its_end(run, measured):
    for stage in ("head", "decoder"):
        assert re.search(rf"│ {stage} +│ +[\d.]+ m?s │ +[\d.]+ m?s │.* 2 │ +\d+ m?s │", measured)
    assert re.search(r"about \d+ s: started now, done at [\w ]*\d\d:\d\d\n", measured)
    assert "epoch 1/2" not in measured


@pytest.mark.slow
def test_measuring_leaves_no_files(run, measured):
    files = {path.name for path in run.runs.rglob("*") if path.is_file()}
    assert files == {"multirun.yaml"}  # of Hydra
    assert not list(run.cache.rglob("features"))


@pytest.mark.slow
def test_a_curriculum_logs_the_remaining_time_once_per_stage(run, measured):
    trained = run("task=curriculum", "task.stages=[head,decoder]")
    lines = re.findall("^forecast: .*", trained, re.MULTILINE)
    head, decoder = (re.sub(r"\d+ s|(?<=done at ).*\d\d:\d\d$", "_", line) for line in lines)
    assert head == "forecast: stage head about _; then decoder about _: done at _"
    assert decoder == "forecast: stage decoder about _: done at _"
