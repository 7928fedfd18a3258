"""Generated scenes whose validation part holds copies of training images, as people make them."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import yaml

from aerialseg.scenes.render import render_frame, sequence_world
from helpers.tiny_data import save

SIZE = (240, 320)
_CLASSES = Path(__file__).parents[2] / "conf/data/classes/aeroscapes.yaml"


def scene(number):
    """Image and mask of a world of its own."""
    return render_frame(sequence_world(3, SIZE, number), 3, number, 0)


def copies(image, ids):
    """By name: image, mask and quality of JPEG of views that show what the image shows."""
    small = (round(0.7 * SIZE[1]), round(0.7 * SIZE[0]))
    half = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    half_ids = cv2.resize(ids, small, interpolation=cv2.INTER_NEAREST)
    return {
        "shifted": (image[30:, 60:], ids[30:, 60:], 95),
        "encoded": (image, ids, 40),
        "scaled": (half, half_ids, 95),
    }


def write_scenes(root, train=8, val=5, leaking=3):
    """An official split; of the first training images copies of each kind are validation images.

    Returns:
        The id of the training image by the id of its copy.
    """
    planted = {}
    for number in range(train + val):
        image, ids = scene(number)
        name = f"{'train' if number < train else 'val'}/w{number:02}"
        write_sample(root, name, image, ids)
        if number < leaking:
            for kind, (view, labels, quality) in copies(image, ids).items():
                copy = f"val/copy{number:02}_{kind}"
                write_sample(root, copy, view, labels, quality)
                planted[copy] = name
    table = yaml.safe_load(_CLASSES.read_text(encoding="utf-8"))
    (root / "classes.yaml").write_text(yaml.safe_dump(table, sort_keys=False), encoding="utf-8")
    return planted


def write_sample(root, name, image, ids, quality=95):
    save(root / f"images/{name}.jpg", np.ascontiguousarray(image), quality=quality)
    save(root / f"masks/{name}.png", np.ascontiguousarray(ids))


def without(root, planted, target):
    """The same data without the copies."""
    shutil.copytree(root, target)
    for name in planted:
        (target / f"images/{name}.jpg").unlink()
        (target / f"masks/{name}.png").unlink()
    return target
