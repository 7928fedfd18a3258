"""The evaluation of images in windows against that of the whole images."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aerialseg.training import scored_dataset
from aerialseg.training.scoring import score_checkpoint
from helpers.composing import experiment
from helpers.tiny_data import mask, random_image, save, text
from helpers.tiny_training import describe_run

SIZES = {"a": (70, 100), "b": (64, 64), "c": (20, 30)}


class Pixelwise:
    """Predicts each pixel from its red value alone."""

    checkpoint = Path("pixelwise.ckpt")

    def __init__(self, description):
        self.description = description
        self.seen = []

    def check_classes(self, classes):
        pass

    def predict(self, image):
        self.seen.append(image.shape[:2])
        return image[..., 0] // 86


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "d"
    for seed, (key, size) in enumerate(SIZES.items()):
        save(root / f"images/{key}.png", random_image(size, seed))
        save(root / f"masks/{key}.png", mask(size, seed))
    text(root / "classes.yaml", "ground: [10, 20, 30]", "car: [200, 0, 0]", "tree: [0, 200, 0]")
    return root


@pytest.fixture
def evaluate(root, tmp_path, monkeypatch):
    def run(*arguments, **description):
        predictor = Pixelwise(describe_run(**{"image_min_size": None, **description}))
        monkeypatch.setattr(scored_dataset, "build_predictor", lambda experiment, **_: predictor)
        config = experiment(
            *("task=evaluate", "data=folders", f"data.root={root}", "data.image_min_size=null"),
            *(f"paths.output_dir={tmp_path / 'out'}", f"paths.cache_dir={tmp_path / 'cache'}"),
            *arguments,
        )
        score_checkpoint(config, split="all", sheet_rows=2)
        return predictor

    return run


def table(tmp_path, name):
    with (tmp_path / f"out/{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_pixel_is_scored_once(root, tmp_path, evaluate):
    predictor = evaluate("data.window=[32,48]", window=[32, 48])
    whole = np.zeros((3, 3), np.int64)
    for key in SIZES:
        files = (root / f"{kind}/{key}.png" for kind in ("images", "masks"))
        image, ids = (np.array(Image.open(file)) for file in files)
        np.add.at(whole, (ids, image[..., 0] // 86), 1)
    rows = table(tmp_path, "confusion_matrix")
    found = np.array([[int(row[name]) for name in ("ground", "car", "tree")] for row in rows])
    assert np.array_equal(found, whole)
    assert set(predictor.seen) == {(32, 48), (20, 30)}
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert (metrics["images"], metrics["windows"]) == (3, 9 + 4)
    windowed = table(tmp_path, "images")
    evaluate("data.window=null")
    assert table(tmp_path, "images") == windowed  # a row for each image, not for each window
    assert "windows" not in json.loads((tmp_path / "out/metrics.json").read_text())


def test_windows_of_another_scale_than_that_of_training_are_named(evaluate, caplog):
    evaluate("data.window=32", image_min_size=24, original_min_size=32)
    assert "look at least twice" not in caplog.text
    evaluate("data.window=32", image_min_size=32, original_min_size=1000)
    assert "times larger; evaluate with data.window=null, as it was trained" in caplog.text
    caplog.clear()
    evaluate("data.window=null", window=[16, 16], original_min_size=16)
    assert "look at least twice" not in caplog.text
    assert "16x16 pixels and is given 2 larger images whole: " in caplog.text


def test_images_without_a_labelled_pixel_are_not_the_worst(root, tmp_path, evaluate):
    ids = mask(SIZES["a"])
    ids[:30] = 255
    save(root / "masks/a.png", ids)
    evaluate("data.window=[24,24]", window=[24, 24])
    assert all(row["dice"] for row in table(tmp_path, "images"))
