"""The data doctor as a command, and training that asks for it."""

import csv
import json

import numpy as np
import pytest

from helpers.commands import run_command
from helpers.surveys import window
from helpers.tiny_data import mask, save, text

DATA = ("data=folders", "data.root=d", "data.val_fraction=0.4")
TRAIN = (
    "model.weights=none",
    "data.num_workers=0",
    "trainer=cpu",
    "model=lraspp_mobilenet_v3_large",
)


@pytest.fixture
def folder(tmp_path):
    """Two flights of five frames that overlap, split frame by frame, and a mask that is broken."""
    for flight in range(2):
        for frame in range(5):
            name = f"flight{flight}_{frame}"
            save(tmp_path / f"d/images/{name}.png", window(flight, left=20 + 80 * frame))
            save(tmp_path / f"d/masks/{name}.png", mask((240, 320), 5 * flight + frame))
    text(tmp_path / "d/classes.yaml", "a: [1, 2, 3]", "b: [200, 0, 0]", "c: [0, 200, 0]")
    return tmp_path


def findings(folder):
    content = json.loads((folder / "runs/default/inspect/findings.json").read_text("utf-8"))
    return content, {finding["code"]: finding for finding in content["findings"]}


def test_from_the_first_inspection_to_training(folder):
    broken = folder / "d/masks/flight1_4.png"
    whole = broken.read_bytes()
    save(broken, np.full((240, 320), 9, np.uint8))

    done = run_command("task=inspect", *DATA, folder=folder)
    assert done.returncode == 1, done.stderr
    content, found = findings(folder)
    assert content["counts"]["error"] == 2
    assert found["ids_out_of_range"]["files"] == ["flight1_4"]
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("data error: d: 2 findings of severity error; do what is said beside")
    assert "ids_out_of_range" in done.stdout
    assert "leakage" in done.stdout
    page = folder / "runs/default/inspect/inspection.html"
    assert f"to look at: {page.relative_to(folder)}" in done.stdout
    assert "epochs of stage=full show them" in page.read_text("utf-8")  # the recipe's last stage
    with (folder / "runs/default/inspect/images.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    assert len(rows) == 10
    assert rows["flight1_4"]["is_sound"] == "false"
    assert (rows["flight0_0"]["width"], rows["flight0_0"]["height"]) == ("320", "240")
    pixels = [int(rows["flight0_0"][f"pixels {name}"]) for name in "abc"]
    assert pixels == np.bincount(mask((240, 320), 0).ravel()).tolist()

    broken.write_bytes(whole)
    done = run_command("task=inspect", *DATA, folder=folder)
    assert done.returncode == 1
    content, found = findings(folder)
    assert list(found) == ["leakage"]
    split = content["splits"]
    assert split["train"]["images"] + split["val"]["images"] == 10

    refused = run_command(*DATA, *TRAIN, "task.require=clean", folder=folder)
    assert refused.returncode == 1
    assert "the inspection of d found 1 error" in refused.stderr

    pattern = 'data.group_pattern="^(.+)_\\d+$"'
    assert f"'{pattern}'" in found["leakage"]["next_step"]
    refused = run_command(*DATA, *TRAIN, pattern, "task.require=no_errors", folder=folder)
    assert refused.returncode == 1
    assert "d was not inspected as it is now, with this split; run python run.py task=inspect" in (
        refused.stderr
    )
    done = run_command("task=inspect", *DATA, pattern, folder=folder)
    assert done.returncode == 0, done.stderr
    assert findings(folder)[1] == {}
    small = ("data.image_min_size=32", "data.crop_size=null", "augmentation=none", "stage.epochs=1")
    trained = run_command(*DATA, *TRAIN, *small, pattern, "task.require=clean", folder=folder)
    assert trained.returncode == 0, trained.stderr


def test_a_table_and_a_pattern_are_refused_before_anything_is_read(folder):
    both = ("data.group_pattern=^(.+)_", "data.groups=g.csv")
    done = run_command("task=inspect", *DATA, *both, folder=folder)
    assert done.returncode == 1
    assert done.stderr.startswith("config error: data.groups: is set, and data.group_pattern too")
