"""Reviews of the labels of a few simple images, judged by a network that sees one class."""

import csv
import json
import shutil
from hashlib import sha256

import numpy as np
from PIL import Image

from aerialseg.storage.checkpoints import read_checkpoint, write_checkpoint
from helpers.commands import run_command
from helpers.shape_images import CLASSES, shape_images
from helpers.tiny_data import save, text

DATA = ("data=folders", "data.root=d", "data.val_fraction=0.5", "data.image_min_size=64")
TRAIN = (
    *("model=lraspp_mobilenet_v3_large", "model.weights=none", "data.num_workers=0"),
    *("data.crop_size=null", "augmentation=none", "trainer=cpu", "logger=none"),
    *("stage.epochs=1", "data.batch_size=2"),
)
CHECKPOINT = "runs/default/head/train/checkpoints/best.ckpt"
NAMES = list(CLASSES)
IMAGES = shape_images(4, seed=5)


def write_data(folder, kind):
    """The images, with masks of a kind."""
    palette = np.array([*CLASSES.values(), *[(255, 255, 255)] * 252], np.uint8)
    for name, (image, ids) in IMAGES.items():
        save(folder / f"d/images/{name}.png", image)
        path = folder / f"d/masks/{name}.png"
        if kind == "colour":
            save(path, palette[ids])
        elif kind == "values":
            save(path, np.array([9, 0, 70, 200], np.uint8)[ids])
        else:
            save(path, ids)
        if kind == "palette":
            mask = Image.fromarray(ids)
            mask.putpalette(palette.tobytes())
            mask.save(path)
    text(folder / "d/classes.yaml", *(f"{name}: {rgb}" for name, rgb in CLASSES.items()))


OPTIONS = {
    "index": (),
    "palette": (),
    "colour": ("data.mask_format=colour",),
    "values": ("data.mask_values={9: ground, 0: roof, 70: tree, 200: pool}",),
}


def see_one_class(path):
    """Makes a network sure that all is of the second class: so it is on any machine."""
    checkpoint = read_checkpoint(path)
    for name, tensor in checkpoint["state_dict"].items():
        if "low_classifier" in name or "high_classifier" in name:
            tensor.zero_()
        if name.endswith("high_classifier.bias"):
            tensor[1] = 6.0
    write_checkpoint(path, checkpoint)


def reviewed(folder, kind):
    write_data(folder, kind)
    done = run_command(*DATA, *TRAIN, *OPTIONS[kind], folder=folder)
    assert done.returncode == 0, done.stderr
    see_one_class(folder / CHECKPOINT)
    done = run_command(
        *("task=inspect", f"checkpoint={CHECKPOINT}", "task.regions=12"),
        folder=folder,
    )
    assert "labels to review, most doubtful first: " in done.stderr + done.stdout, done.stderr
    return folder


def copied(template, folder):
    """A review of its own in a folder; its record must not lead to the template's data."""
    shutil.copytree(template, folder)
    path = review_of(folder) / "review.json"
    record = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**record, "root": str(folder / "d")}), "utf-8")
    return folder


def review_of(folder):
    return folder / "runs/default/inspect/review"


def rows_of(folder):
    with (review_of(folder) / "index.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def correct(folder, row, source="suggested"):
    target = review_of(folder) / row["corrected_crop"]
    shutil.copyfile(review_of(folder) / row[f"{source}_crop"], target)
    return target


def apply(folder, *more):
    return run_command("task=apply_labels", *more, folder=folder)


def pixels(path):
    return np.asarray(Image.open(path))


def hashes(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
