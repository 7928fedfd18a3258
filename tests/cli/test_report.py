"""The report of a curriculum of two stages, as real processes."""

import json
import re
import shutil

import pytest

from helpers.commands import run_command

SMALL = (
    *("experiment=demo", "recipe=seed", "stage.fresh=learn", "data.root=scenes"),
    *("data.layout.count=16", "data.layout.test_count=0", "data.layout.size=[64,96]"),
    *("data.image_min_size=48", "data.batch_size=4", "data.num_workers=0", "stage.epochs=2"),
    *("model=lraspp_mobilenet_v3_large", "model.weights=none", "trainer=cpu"),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished curriculum, and what it said."""
    folder = tmp_path_factory.mktemp("reported")
    stages = ("task=curriculum", "task.stages=[head,full]", "task.measure=false")
    done = run_command(*stages, *SMALL, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def page_of(folder):
    return (folder / "runs/demo/report/report.html").read_text(encoding="utf-8")


def test_a_curriculum_ends_with_the_paths_of_its_report_and_its_folder(finished):
    folder, said = finished
    assert said.splitlines()[-2:] == [
        "report of 2 stages: runs/demo/report/report.html",
        "run folder: runs/demo",
    ]
    assert page_of(folder).startswith("<!doctype html>")


def test_the_figures_of_the_page_are_those_of_the_evaluation(finished):
    folder, _ = finished
    evaluated = json.loads((folder / "runs/demo/full/evaluate/metrics.json").read_text())
    figures = re.findall(r"<dt>(\w+)</dt><dd>([\d.]+)", page_of(folder))
    assert dict(figures[:3]) == {
        "Dice": f"{evaluated['dice']:.4f}",
        "mIoU": f"{evaluated['miou']:.4f}",
        "accuracy": f"{evaluated['accuracy']:.4f}",
    }
    gallery = re.search(r'id="data-gallery">(.*?)</script>', page_of(folder))[1]
    images = json.loads(gallery)["images"]
    assert len(images) == evaluated["images"]
    assert all((folder / "runs/demo/report" / image["file"]).is_file() for image in images)


def test_each_stage_has_a_row_and_its_curves(finished):
    page = page_of(finished[0])
    assert re.findall(r'<th scope="row">(head|full)</th>', page) == ["head", "full"]
    charts = json.loads(re.search(r'id="data-charts">(.*?)</script>', page)[1])
    epochs = {
        (row["stage"], row["epoch"])
        for rows in charts["scores"]["datasets"].values()
        for row in rows
        if "epoch" in row
    }
    assert epochs == {("head", 1), ("head", 2), ("full", 3), ("full", 4)}


def test_a_report_needs_no_stage_and_leaves_out_what_cannot_be_compared(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "runs/demo/head/train/checkpoints/best.ckpt").write_bytes(b"PK damaged")
    done = run_command("task=report", "run_name=demo", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "best.ckpt: is cut off after 10 bytes" in done.stdout
    assert "the report leaves stage head out" in done.stdout
    assert "report of 1 stage: " in done.stdout
    assert "is read, but" not in done.stdout
    assert re.findall(r'<th scope="row">(head|full)</th>', page_of(tmp_path)) == ["full"]
    assert "not judged, since head is left out" in page_of(tmp_path)


def test_a_stage_that_is_not_finished_is_named(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "runs/demo/full/train/metrics.json").unlink()
    done = run_command("task=report", "run_name=demo", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "run demo: stage full is not finished; the report leaves it out" in done.stdout
    assert re.findall(r'<th scope="row">(head|full)</th>', page_of(tmp_path)) == ["head"]


def test_a_run_that_is_not_there_is_one_line(finished):
    done = run_command("task=report", "run_name=dmeo", folder=finished[0])
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "config error: runs/dmeo: has no finished stage to report on; did you mean 'demo'?"
    ]
