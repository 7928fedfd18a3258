"""What a run was trained on is remembered, whatever later commands say about the split."""

import csv
import json
import shutil

import pytest

from aerialseg.storage.checkpoints import read_checkpoint, read_description
from helpers.commands import run_command
from helpers.tiny_data import text, write_folders

IDS = [f"fl{flight}_{frame}" for flight in range(5) for frame in range(3)]
PATTERN = r'data.group_pattern="^(.+)_\d+$"'
CLASSES = ("ground: [10, 20, 30]", "car: [200, 0, 0]", "tree: [0, 200, 0]")


def write_data(root, ids):
    write_folders(root, ids, size=(48, 64))
    text(root / "classes.yaml", *CLASSES)
    return root


class Project:
    """Commands in one folder, with the settings of a small run."""

    def __init__(self, folder):
        self.folder = folder
        self.data = write_data(folder / "d", IDS)

    def run(self, *arguments):
        return run_command(
            "data=folders",
            "data.root=d",
            "data.image_min_size=null",
            "data.batch_size=4",
            "data.num_workers=0",
            "model=lraspp_mobilenet_v3_large",
            "model.weights=none",
            "stage.epochs=1",
            "logger=none",
            "trainer=cpu",
            *arguments,
            folder=self.folder,
        )

    def scored(self, *arguments):
        """The ids of the evaluated images, and ``metrics.json``."""
        done = self.run("task=evaluate", *arguments)
        assert done.returncode == 0, done.stderr
        folder = self.folder / "runs/default/head/evaluate"
        with (folder / "images.csv").open(newline="") as file:
            ids = {row["id"] for row in csv.DictReader(file)}
        return ids, json.loads((folder / "metrics.json").read_text()), done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A trained head, which validated on one flight of three frames."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.trained = project.run(PATTERN)
    assert project.trained.returncode == 0, project.trained.stderr
    return project


def test_training_says_what_the_data_hold(project):
    said = project.trained.stdout + project.trained.stderr
    assert "d: 12 images to train in 4 groups, 3 images to validate in 1 group; 64x48" in said
    assert "of 12 images" in said


def test_the_checkpoint_says_how_large_the_images_were(project):
    path = project.folder / "runs/default/head/train/checkpoints/best.ckpt"
    assert read_description(read_checkpoint(path), path).original_min_size == 48


def test_the_flight_that_validated_is_scored_whatever_is_said_now(project):
    expected, facts, said = project.scored(PATTERN)
    assert len(expected) == 3
    assert len({name.partition("_")[0] for name in expected}) == 1
    assert (facts["split"], facts["images"], facts["images_trained_on"]) == ("val", 3, 0)
    assert "task.split=val: 3 images, of which" in said
    other = ("data.group_pattern=null", "seed=3", "data.split_seed=4")
    assert project.scored(*other)[:2] == (expected, facts)


def test_new_images_are_scored_on_demand_and_old_ones_counted(project, tmp_path):
    more = shutil.copytree(project.data, tmp_path / "more")
    write_data(tmp_path / "new", [f"x{i:02}" for i in range(20)])
    for kind in ("images", "masks"):
        for path in (tmp_path / "new" / kind).glob("x1*"):  # x00 to x09 are copies of flights
            shutil.copy(path, more / kind)
    ids, facts, said = project.scored(f"data.root={more}", "task.split=unseen")
    assert ids == {"x15", "x16", "x17", "x18", "x19"}
    assert (facts["images"], facts["images_trained_on"]) == (5, 0)
    _, facts, said = project.scored(f"data.root={more}", "task.split=all")
    assert facts["images_trained_on"] >= 12
    assert "of which runs/default/head/train/checkpoints/best.ckpt was trained on" in said


def test_on_other_data_the_runs_split_is_not_made_up(project, tmp_path):
    held = write_data(tmp_path / "held", [f"x{i:02}" for i in range(18)])
    for kind in ("images", "masks"):
        for path in (held / kind).glob("x[01]*"):
            if path.stem < "x15":
                path.unlink()
    done = project.run("task=evaluate", f"data.root={held}", "paths.output_dir=nowhere")
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"data error: {held}: holds none of the 3 images that runs/default/head")
    assert "task.split=all scores 3 labelled images, task.split=unseen the 3 that" in line
    assert not (project.folder / "nowhere").exists()


def test_the_next_stage_keeps_the_split_under_any_seed_and_refuses_another(project):
    kept = project.run("stage=decoder", "task=check", PATTERN, "seed=1")
    assert kept.returncode == 0, kept.stderr
    for other in (["data.group_pattern=null"], [PATTERN, "data.val_fraction=0.5"]):
        refused = project.run("stage=decoder", *other)
        assert refused.returncode == 1
        (line,) = [text for text in refused.stderr.splitlines() if "error" in text]
        assert line.startswith("config error: stage decoder: ")
        assert "were trained on by runs/default/head/train/checkpoints/best.ckpt" in line
        assert "(see runs/default/head/train/config.yaml)" in line
        assert not (project.folder / "runs/default/decoder").exists()


def test_a_labelled_test_split_is_scored(project, tmp_path):
    ids = ["train/a", "train/b", "val/c", "test/d", "test/e"]
    root = write_data(tmp_path / "official", ids)
    scored, _, said = project.scored(f"data.root={root}", "task.split=test")
    assert scored == {"test/d", "test/e"}
    assert f"{root}: official split by the folders of the images" in said
