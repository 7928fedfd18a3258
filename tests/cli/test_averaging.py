"""Averages of views and of networks by real commands."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from aerialseg.inference.ensemble import AveragedPredictor
from aerialseg.inference.image_views import Views
from aerialseg.inference.predictor import Predictor
from aerialseg.rle import encode
from helpers.commands import run_command
from helpers.tiny_data import random_image, save, text, write_folders
from helpers.untrained_stages import write_parent

IDS = [f"fl{flight}_{frame}" for flight in range(5) for frame in range(3)]
CLASSES = ("ground: [10, 20, 30]", "car: [200, 0, 0]", "tree: [0, 200, 0]")
A, B = (f"runs/{name}/head/train/checkpoints/best.ckpt" for name in "ab")


class Project:
    """Two small runs that trained on the same images, and commands on them."""

    def __init__(self, folder):
        self.folder = folder
        write_folders(folder / "d", IDS, size=(48, 64))
        for seed, name in enumerate("xy", start=100):
            save(folder / f"t/images/{name}.png", random_image((48, 64), seed))
        text(folder / "d/classes.yaml", *CLASSES)
        for seed, name in enumerate("ab"):
            done = self.run(f"run_name={name}", f"seed={seed}", "stage.epochs=1", "logger=none")
            assert done.returncode == 0, done.stderr

    def run(self, *arguments):
        return run_command(
            *("data=folders", "data.root=d", "data.image_min_size=null", "data.num_workers=0"),
            *("data.batch_size=4", r'data.group_pattern="^(.+)_\d+$"', "trainer=cpu"),
            *("model=lraspp_mobilenet_v3_large", "model.weights=none", *arguments),
            folder=self.folder,
        )

    def path(self, name):
        return self.folder / name

    def evaluated(self, *arguments):
        done = self.run("task=evaluate", "paths.output_dir=out", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads((self.folder / "out/metrics.json").read_text()), done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("averaging"))


def test_a_score_says_that_it_is_of_a_single_scale(project):
    facts, said = project.evaluated("run_name=a")
    assert facts["protocol"] == "single scale"
    assert facts["checkpoint"] == A
    assert "averaging" not in facts
    assert "3 images; single scale" in said


def test_evaluate_says_the_score_with_and_without_views(project):
    single, _ = project.evaluated("run_name=a")
    views = ("task.scales=[1.0,1.5]", "task.flips=horizontal")
    facts, said = project.evaluated("run_name=a", *views)
    assert facts["protocol"] == "scales 1, 1.5, horizontal flip"
    (without,) = facts["averaging"]["without"]
    assert without["miou"] == pytest.approx(single["miou"])
    assert without["dice"] == pytest.approx(single["dice"])
    assert without["gain_miou"] == pytest.approx(facts["miou"] - single["miou"])
    assert facts["averaging"]["times_the_seconds"] > 1
    assert "averaged, and without averaging" in said
    assert "3 images; scales 1, 1.5, horizontal flip" in said


def test_evaluate_scores_an_ensemble_and_each_of_it(project):
    alone = [project.evaluated(f"run_name={name}")[0]["miou"] for name in "ab"]
    facts, said = project.evaluated(f"checkpoint=[{A},{B}]")
    assert facts["protocol"] == "2 checkpoints, single scale"
    assert facts["checkpoint"] == [A, B]
    assert facts["images_trained_on"] == 0
    assert [each["checkpoint"] for each in facts["averaging"]["without"]] == [A, B]
    assert [each["miou"] for each in facts["averaging"]["without"]] == pytest.approx(alone)
    assert f"{A}, single scale" in said


def test_predict_writes_the_masks_of_the_average(project):
    views = ("task.scales=[1.0,1.5]", "task.flips=both", "task.rank_for_labelling=true")
    done = project.run("task=predict", f"checkpoint=[{A},{B}]", "input=t/images", *views)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "the ensemble of 2 checkpoints" in said
    assert "2 checkpoints, scales 1, 1.5, horizontal and vertical flips" in said
    members = [Predictor(project.path(name)) for name in (A, B)]
    averaged = AveragedPredictor(members, Views([1.0, 1.5], "both"))
    for name in "xy":
        image = np.array(Image.open(project.path(f"t/images/{name}.png")))
        mask = np.array(Image.open(project.folder / f"predictions/{name}_index.png"))
        assert (mask == averaged.predict(image)).mean() > 0.999
    with (project.folder / "predictions/label_next.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


def test_submit_says_its_protocol_and_writes_the_masks_of_the_average(project):
    arguments = ("data.layout.test_images=../t/images", "task.flips=horizontal", "run_name=a")
    done = project.run("task=submit", "paths.output_dir=sub", *arguments)
    assert done.returncode == 0, done.stderr
    assert "6 rows for 2 images, scale 1, horizontal flip" in done.stdout + done.stderr
    averaged = AveragedPredictor([Predictor(project.path(A))], Views([1.0], "horizontal"))
    with (project.folder / "sub/submission.csv").open(newline="") as file:
        rows = {row["ImageID"]: row["EncodedPixels"] for row in csv.DictReader(file)}
    image = np.array(Image.open(project.path("t/images/x.png")))
    codes = encode(averaged.predict(image), 3, order="row")
    found = [next(code for key, code in rows.items() if key.endswith(f"x_{i}")) for i in range(3)]
    assert found == codes


def test_networks_of_folds_have_no_image_that_none_was_trained_on(project):
    done = project.run("run_name=c", "data.split_seed=3", "stage.epochs=1", "logger=none")
    assert done.returncode == 0, done.stderr
    other = B.replace("/b/", "/c/")
    done = project.run("task=evaluate", f"checkpoint=[{A},{other}]", "paths.output_dir=folds")
    assert done.returncode == 1
    assert "has no image that one of them validated on and none was trained on" in done.stderr
    assert not (project.folder / "folds").exists()
    facts, _ = project.evaluated(f"checkpoint=[{A},{other}]", "task.split=all")
    assert (facts["images"], facts["images_trained_on"]) == (15, 15)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["task.scales=[]"], "task.scales: [] is out of range, wanted 1 to 16 values"),
        (["task.scales=[0.01]"], "task.scales[0]: 0.01 is out of range, wanted 0.1 or more"),
        (["task.scales=[1.0,1]"], "task.scales: 1 is there twice; give each scale once"),
        (["task.flips=vertical"], "task.flips: 'vertical' is not one of none, horizontal, both"),
        ([f"checkpoint=[{A},no.ckpt]"], "checkpoint: no.ckpt does not exist; check the path"),
    ],
)
def test_what_cannot_be_averaged_is_refused_in_one_line(project, arguments, line):
    done = project.run("task=evaluate", "run_name=a", "paths.output_dir=bad", *arguments)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"config error: {line}"
    assert not (project.folder / "bad").exists()


def test_an_ensemble_of_other_classes_is_refused(project):
    root = project.folder / "other"
    write_folders(root, IDS)
    text(root / "classes.yaml", CLASSES[0], CLASSES[2], CLASSES[1])
    write_parent(root, project.folder / "other.ckpt")
    done = project.run("task=evaluate", f"checkpoint=[{A},other.ckpt]", "paths.output_dir=bad")
    assert done.returncode == 1
    assert "the first difference is class 1: 'tree', there 'car'" in done.stderr.splitlines()[-1]
    assert not (project.folder / "bad").exists()
