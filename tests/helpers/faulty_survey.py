"""A survey with most faults that an inspection knows, and one without any."""

import json
import shutil
from pathlib import Path

import numpy as np

from helpers.surveys import WINDOW, textures, window
from helpers.tiny_data import save, text

CLASSES = ("<b>roof</b>", "road", "grass", "pool")
"""The first would be markup, the last is in no mask."""
FRAMES = 5


def ids(seed):
    """``(240, 320)``: half of the first class, the rest stripes of the two others."""
    mask = np.zeros(WINDOW, np.uint8)
    mask[120:, : 20 * (seed + 1)], mask[120:, 20 * (seed + 1) :] = 1, 2
    return mask


def write_sound(root: Path) -> Path:
    """Seven images of different textures, too few for one to stand out, each with a mask."""
    images = [image for number in (1, 2) for image in textures(number).values()]
    for seed, image in enumerate(images[:7]):
        save(root / f"images/t{seed}.png", image)
        save(root / f"masks/t{seed}.png", ids(seed % 3))
    return _with_classes(root, CLASSES[:3])


def write_faulty(root: Path) -> Path:
    """Two flights of frames that overlap, split frame by frame, and files that are wrong."""
    for flight in range(2):
        for frame in range(FRAMES):
            name = f"flight{flight}_{frame}"
            image = window(flight, left=20 + 80 * frame)
            save(root / f"images/{name}.jpg", image, quality=92)
            save(root / f"masks/{name}.png", ids(frame))
    for name in ("cut", "alien", "small", "dark", "bare", "again"):
        place = 3 + len(name)
        save(root / f"images/{name}.jpg", window(place), quality=92)
        save(root / f"masks/{name}.png", ids(1))
    cut = root / "images/cut.jpg"
    cut.write_bytes(cut.read_bytes()[:900])
    save(root / "masks/alien.png", np.full(WINDOW, 9, np.uint8))
    save(root / "masks/small.png", np.zeros((100, 100), np.uint8))
    save(root / "images/dark.jpg", window(9) // 12)
    ignored = np.full(WINDOW, 255, np.uint8)
    ignored[:5] = 1
    save(root / "masks/bare.png", ignored)
    shutil.copy(root / "images/flight0_0.jpg", root / "images/again.jpg")
    save(root / "images/maskless.jpg", window(5))
    save(root / "masks/imageless.png", ids(0))
    return _with_classes(root, CLASSES)


def _with_classes(root: Path, names) -> Path:
    colours = [[200, 60, 60], [90, 90, 110], [60, 160, 60], [40, 90, 200]]
    lines = [f"{json.dumps(n)}: {c}" for n, c in zip(names, colours, strict=False)]
    text(root / "classes.yaml", *lines)
    return root
