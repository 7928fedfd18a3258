"""Thirty planted label errors: found out of sample, corrected with the truth, and trained on."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from helpers.commands import run_command
from helpers.planted_errors import plant_into, recall
from helpers.shape_images import CLASSES, shape_images
from helpers.tiny_data import save, text

ERRORS = 30
DATA = ("data=folders", "data.root=d", "data.image_min_size=64", "data.num_workers=0")
TRAIN = (
    *("stage=full", "stage.init_checkpoint=null", "stage.learning_rate=3e-3"),
    *("model=lraspp_mobilenet_v3_large", "model.weights=${shipped:weights/demo_backbone.pth}"),
    *("data.batch_size=6", "data.crop_size=null", "augmentation=none"),
    *("trainer=cpu", "logger=none"),
)


def write_data(folder, images, planted):
    """All images, the spoilt masks, and two folds that validate on what the other trains on."""
    for name, (image, truth) in images.items():
        save(folder / f"d/images/{name}.png", image)
        save(folder / f"d/masks/{name}.png", planted[name].mask if name in planted else truth)
    text(folder / "d/classes.yaml", *(f"{name}: {rgb}" for name, rgb in CLASSES.items()))
    for fold in range(2):
        sides = [("val", "train")[(number + fold) % 2] for number in range(len(images))]
        lines = [f"{name},{side}" for name, side in zip(sorted(images), sides, strict=True)]
        text(folder / f"d/fold{fold}.csv", "image,split", *lines)


def box_of(row, prefix=""):
    return tuple(int(row[f"{prefix}{key}"]) for key in ("left", "top", "width", "height"))


@pytest.mark.slow
def test_planted_errors_are_found_out_of_sample_and_corrected(tmp_path):
    images = shape_images(60)
    truths = {name: truth for name, (_, truth) in images.items()}
    planted = plant_into(truths, 1, errors=ERRORS, classes=range(4), pixels=(60, 500), stays=(0,))
    write_data(tmp_path, images, planted)
    checkpoints = []
    for fold in range(2):
        more = (f"data.layout.split=fold{fold}.csv", f"run_name=fold{fold}", "stage.epochs=25")
        done = run_command(*DATA, *TRAIN, *more, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        checkpoints.append(f"runs/fold{fold}/full/train/checkpoints/best.ckpt")
    judged = f"checkpoint=[{','.join(checkpoints)}]"
    done = run_command("task=inspect", judged, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    review = tmp_path / "runs/default/inspect/review"
    with (review / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["trained_on"] for row in rows} == {"no"}
    sides = {name: checkpoints[number % 2] for number, name in enumerate(sorted(images))}
    assert all(row["judged_by"] == sides[row["image"]] for row in rows)
    first = [(row["image"], box_of(row)) for row in rows[:ERRORS]]
    assert recall(planted, first) >= 0.8

    before = {path.name: path.read_bytes() for path in (tmp_path / "d/masks").iterdir()}
    shown = np.zeros((len(images), *next(iter(truths.values())).shape), bool)
    for row in rows:
        left, top, width, height = box_of(row, "crop_")
        part = np.s_[top : top + height, left : left + width]
        if row["image"] in planted and planted[row["image"]].changed[part].any():
            shown[sorted(images).index(row["image"])][part] = True
            save(review / row["corrected_crop"], truths[row["image"]][part])
    done = run_command("task=apply_labels", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "d/masks").iterdir()}
    mended = 0
    for number, name in enumerate(sorted(images)):
        new = np.asarray(Image.open(tmp_path / f"d/masks_corrected/{name}.png"))
        old = np.asarray(Image.open(tmp_path / f"d/masks/{name}.png"))
        assert np.array_equal(new, np.where(shown[number], truths[name], old))
        mended += name in planted and np.array_equal(new, truths[name])
    assert mended >= 0.8 * ERRORS

    more = ("data.layout.masks=masks_corrected", "data.layout.split=fold0.csv", "run_name=mended")
    shutil.rmtree(tmp_path / "cache")
    done = run_command(*DATA, *TRAIN, *more, "stage.epochs=1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
