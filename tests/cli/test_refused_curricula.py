"""A curriculum that cannot be trained to its end is not begun."""

import pytest

from aerialseg.storage.run_folders import RunFolder
from helpers.project import Project


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["stage=aspp"], "config error: stage: a curriculum trains several stages; name them"),
        (
            ["checkpoint=x"],
            "config error: checkpoint: a curriculum evaluates the checkpoint of",
        ),
        (["task.stages=[head,asp]"], "config error: task.stages: there is no stage 'asp'; did you"),
        (["task.stages=[head,head]"], "config error: task.stages: names stage 'head' more than"),
        (["paths.output_dir=x"], "config error: paths.output_dir: a curriculum writes each stage"),
        (["trainer.devices=2"], "config error: trainer.devices: 2 may mean more than one"),
    ],
)
def test_a_chain_that_cannot_be_trained_is_refused_in_one_line(tmp_path, arguments, line):
    done = Project(tmp_path).run("task=curriculum", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(line)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_run_that_another_process_trains_is_not_measured_first(tmp_path):
    project = Project(tmp_path)
    folder = RunFolder.of_stage(tmp_path / "runs", "demo", "decoder")
    with folder.locked():
        done = project.run("task=curriculum")
    assert done.returncode == 1
    assert done.stderr.startswith(f"config error: {folder.path}: another process is training in")
    assert "valid" not in done.stdout


def test_an_error_in_the_last_stage_is_found_before_training(tmp_path):
    project = Project(tmp_path)
    done = project.run(
        *("task=curriculum", "task.stages=[head,full]", "task.measure=false"),
        "model.fine_tune_start.full=nowhere",
    )
    assert done.returncode == 1
    assert "config error: fine_tune_start: no module 'nowhere'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs" / "demo" / "head").exists()
