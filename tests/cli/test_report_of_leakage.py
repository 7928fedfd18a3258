"""A curriculum on data that leak: its evaluation and its report say the score twice."""

import csv
import json
import re

import pytest

from helpers.commands import run_command
from helpers.leaking_scenes import write_scenes

DATA = ("data=folders", "data.root=d", "data.image_min_size=48")
SMALL = (
    *("recipe=seed", "stage.fresh=learn", "data.batch_size=4", "data.num_workers=0"),
    *("stage.epochs=1", "model=lraspp_mobilenet_v3_large", "model.weights=none", "trainer=cpu"),
    *("augmentation=none", "data.crop_size=null"),
)
LEFT = 5  # images that do not leak


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a curriculum on inspected data, what it said, and the copies."""
    folder = tmp_path_factory.mktemp("leaking")
    planted = write_scenes(folder / "d", train=4, val=LEFT, leaking=2)
    inspection = run_command("task=inspect", *DATA, folder=folder)
    assert "leakage" in inspection.stdout, inspection.stderr
    stages = ("task=curriculum", "task.stages=[head,full]", "task.measure=false")
    done = run_command(*stages, *DATA, *SMALL, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout, planted


def figures(folder):
    """By name, the first and the second score of the page's head."""
    page = (folder / "runs/default/report/report.html").read_text(encoding="utf-8")
    found = re.findall(
        r'<dt>([\w ]+)</dt><dd>([\d.]+)<small>[^<]*</small></dd><dd class="left">([\d.]+)', page
    )
    return page, {name: (first, second) for name, first, second in found}


def test_metrics_table_and_page_hold_the_same_two_scores(finished):
    folder, said, planted = finished
    metrics = json.loads((folder / "runs/default/full/evaluate/metrics.json").read_text())
    left = metrics["without_leakage"]
    assert (left["images"], left["images_left_out"]) == (LEFT, len(planted))
    page, found = figures(folder)
    for name, key in (("Dice", "dice"), ("mIoU", "miou"), ("accuracy", "accuracy")):
        assert found[name] == (f"{metrics[key]:.4f}", f"{left[key]:.4f}")
    assert f"val: 11 images, {LEFT} without leakage" in said
    (row,) = [line for line in said.splitlines() if "mean of present classes" in line]
    assert re.findall(r"\d\.\d{4}", row) == [
        f"{score:.4f}" for s in (metrics, left) for score in (s["dice"], s["miou"])
    ]
    sentence = f"{len(planted)} of 11 validation images show places that training images show too"
    assert sentence in page
    assert f"the score without leakage is that of the {LEFT} that do not leak" in page


def test_the_gallery_says_what_training_has_seen_of_each_image_that_leaks(finished):
    folder, _, planted = finished
    page = (folder / "runs/default/report/report.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data-gallery">(.+?)</script>', page)[1])
    seen = {image["id"]: image["seen_in"] for image in data["images"]}
    with (folder / "runs/default/full/evaluate/images.csv").open(newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert seen.keys() == rows.keys()
    assert sum(map(bool, seen.values())) == len(planted)
    for name, words in seen.items():
        row = rows[name]
        wanted = f"{row['seen_in']}, overlap {float(row['overlap']):.0%}" if row["seen_in"] else ""
        assert words == wanted


def test_the_last_stage_is_predicted_once(finished):
    said = finished[1]
    assert len(re.findall("scored images show places", said)) == 1
    assert "evaluate val" in said
    assert "report: head" in said
    assert "report: full" not in said


def test_reported_again_the_page_says_the_same(finished):
    folder = finished[0]
    before = figures(folder)[1]
    done = run_command("task=report", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "report: full" in done.stdout
    assert figures(folder)[1] == before
    assert before


def test_a_command_of_the_run_advises_the_inspection_of_its_data(finished):
    folder = finished[0]
    done = run_command("task=evaluate", "paths.cache_dir=new", "stage=full", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [each for each in done.stdout.splitlines() if "was not inspected" in each]
    advice = re.search(r"run python run\.py (.+) and score again", line)[1]
    assert "task=inspect" in advice
    assert "data.root=d" in advice
    inspection = run_command(*advice.split(), folder=folder)
    assert "leakage" in inspection.stdout, inspection.stderr
    done = run_command("task=evaluate", "paths.cache_dir=new", "stage=full", folder=folder)
    assert f"val: 11 images, {LEFT} without leakage" in done.stdout
