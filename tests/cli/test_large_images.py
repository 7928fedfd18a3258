"""A run on images that are cut into windows, from training to the scores of whole images."""

import csv
import json

from aerialseg.inference.predictor import Predictor
from helpers.commands import run_command
from helpers.tiny_data import text, write_folders

SETTINGS = (
    *("data=folders", "data.root=d", "data.window=[48,64]", "data.image_min_size=24"),
    *("data.batch_size=4", "data.num_workers=1", 'data.group_pattern="^(.)_"', "trainer=cpu"),
    *("model=lraspp_mobilenet_v3_large", "model.weights=none", "stage.epochs=2", "logger=none"),
)
# 100 x 150 pixels are 3 x 3 windows.
IDS = ["a_1", "a_2", "b_1"]


def test_windows_are_trained_on_and_images_are_scored(tmp_path):
    write_folders(tmp_path / "d", IDS, size=(100, 150))
    text(tmp_path / "d/classes.yaml", "ground: [1, 2, 3]", "car: [200, 0, 0]", "tree: [0, 200, 0]")
    trained = run_command(*SETTINGS, "augmentation=drone", folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    said = trained.stdout + trained.stderr
    assert "d: 2 images (18 windows) to train in 1 group, 1 image (9 windows) to validate" in said
    assert "2 epochs on 2 images (18 windows), 1 (9 windows) to validate" in said
    assert len(list((tmp_path / "cache/windows").iterdir())) == 3

    scored = run_command("task=evaluate", folder=tmp_path)  # the window is that of the run
    assert scored.returncode == 0, scored.stderr
    folder = tmp_path / "runs/default/head/evaluate"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["images"], metrics["windows"], metrics["images_trained_on"]) == (1, 9, 0)
    with (folder / "images.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["b_1"]
    with (folder / "confusion_matrix.csv").open(newline="") as file:
        rows = [list(row.values())[1:] for row in csv.DictReader(file)]
    assert sum(int(number) for row in rows for number in row) == 100 * 150

    predictor = Predictor(tmp_path / "runs/default/head/train/checkpoints/best.ckpt")
    assert predictor.description.window == [48, 64]
    assert predictor.edge_of((100, 150)) == 50  # at half, as the windows were
