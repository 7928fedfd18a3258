"""Names and folders of runs: valid on every system, one run's, and to be written to."""

import sys

import pytest
from hydra.core.hydra_config import HydraConfig

from helpers.composing import composed, lines_for_values, swept
from helpers.systems import needs_linux

STORED = "paths.output_dir=runs/a/full/train"
FOLDER = "${paths.runs_dir}/${run_name}/${stage.name}/${task.name}"


@pytest.mark.parametrize("key", ["stage.name", "stage.from_run"])
@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "..", "C:x"])
def test_a_name_that_is_a_path_is_refused(key, name):
    line = f"config error: {key}: {name!r} cannot be the name of a folder"
    assert line in lines_for_values(f"{key}='{name}'", "task=layers")


@pytest.mark.parametrize(
    ("folder", "leaves"),
    [
        ("runs/default/head/data.root=../../../../../x/train", True),
        ("runs/../x", True),
        ("runs/default/head/data.root=../x/train", False),
        ("runs/default/head/data.root=/x/train", False),
        ("../x", False),  # given explicitly, not composed
        ("/x", False),
    ],
)
def test_swept_values_cannot_put_a_job_outside_the_folder_of_runs(folder, leaves):
    line = f"config error: paths.output_dir: {folder} is outside runs; set it to a folder"
    found = lines_for_values(f"paths.output_dir='{folder}'", "task=layers")
    assert found == ([line] if leaves else [])


@pytest.mark.parametrize(
    ("typed", "owner"),
    [
        (["run_name=b", "stage=head"], "run_name=a, but run_name is b"),
        (["run_name=a", "stage=head"], "stage.name=full, but stage.name is head"),
        (["run_name=b", "stage=head", "task=check"], "run_name=a, but run_name is b"),
    ],
)
def test_the_folder_of_another_run_is_refused(typed, owner):
    (line, *others) = lines_for_values(*typed, STORED)
    assert line.startswith(f"config error: paths.output_dir: runs/a/full/train belongs to {owner};")
    assert f"set paths.output_dir='{FOLDER}' and callbacks.checkpoint.folder=" in line
    assert others == []


def test_what_reads_a_checkpoint_does_not_write_where_it_lies(tmp_path):
    (tmp_path / "x.ckpt").touch()
    typed = ["run_name=a", "stage=full", "task=evaluate", f"checkpoint={tmp_path}/x.ckpt"]
    assert lines_for_values(*typed, STORED) == [
        "config error: paths.output_dir: runs/a/full/train is the folder of the training itself; "
        f"set paths.output_dir='{FOLDER}'"
    ]


def test_a_folder_of_choice_is_anyones():
    for folder in ("runs/mine", "elsewhere/a/full/train", "runs/a/trials/third"):
        assert lines_for_values("run_name=b", "stage=head", f"paths.output_dir={folder}") == []
    arguments = ("run_name=b", "stage=head", STORED)
    HydraConfig.instance().set_config(composed(*arguments, hydra=True))
    try:
        assert lines_for_values(*arguments) == [], "typed on purpose"
    finally:
        HydraConfig.instance().cfg = None


def test_the_folders_of_a_sweep_are_its_runs():
    for job in swept("run_name=a,b", "stage=head", "seed=1,2"):
        run = job["writes"].split("/")[1]
        folder = f"paths.output_dir='{job['writes']}'"
        assert lines_for_values(f"run_name={run}", "stage=head", folder) == []


@pytest.mark.parametrize("name", ["mine", "MINE", "mIne"])
def test_runs_differ_in_more_than_the_case_of_letters(tmp_path, name):
    (tmp_path / "Mine").mkdir()
    (tmp_path / "other").mkdir()
    runs = f"paths.runs_dir={tmp_path}"
    assert lines_for_values("stage=head", f"run_name={name}", runs) == [
        f"config error: run_name: {tmp_path} holds the run Mine, which Windows and macOS take for "
        f"the same as {name}; set run_name=Mine, or choose another name"
    ]
    assert lines_for_values("stage=head", "run_name=Mine", runs) == []


@pytest.mark.parametrize("folder", ["my:runs", "a/what?/runs", "nul"])
def test_the_folder_of_runs_could_be_made_on_every_system(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    chosen = ["stage=head", f"paths.runs_dir='{folder}'"]
    assert lines_for_values(*chosen) == [
        f"config error: paths.runs_dir: {folder} has a part that cannot be the name of a folder on "
        "every system; choose another name"
    ]
    if sys.platform != "win32":
        (tmp_path / folder).mkdir(parents=True)
        assert lines_for_values(*chosen) == [], "it is there already"


@needs_linux
def test_a_folder_of_runs_that_cannot_be_written_to_is_found_by_the_check():
    (line,) = lines_for_values("stage=head", "task=check", "paths.runs_dir=/proc/nope")
    assert line.startswith("config error: paths.runs_dir: /proc/nope cannot be written to: ")
    assert line.endswith("; set it to a folder that you may write to")


def test_a_file_is_no_folder_of_runs(tmp_path):
    (tmp_path / "file").touch()
    (line,) = lines_for_values("stage=head", f"paths.runs_dir={tmp_path}/file/runs")
    assert f"cannot be written to: {tmp_path}/file is a file; set it to" in line


def test_the_check_leaves_nothing_behind(tmp_path):
    assert lines_for_values("stage=head", f"paths.runs_dir={tmp_path}/new/runs") == []
    assert list(tmp_path.iterdir()) == []
