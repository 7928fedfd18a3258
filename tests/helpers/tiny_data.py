"""Tiny data sets on disk."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

CLASSES = {"ground": [10, 20, 30], "car": [200, 0, 0], "tree": [0, 200, 0]}


def random_image(size=(24, 32), seed=0):
    """A smooth image, which survives JPEG."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_LINEAR)


def mask(size=(24, 32), seed=0):
    """Ids 0, 1 and 2 at random."""
    return np.random.default_rng(seed).integers(0, 3, size, dtype=np.uint8)


def save(path: Path, array, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def image_file(path: Path, size=(20, 30), seed=0) -> Path:
    """Writes an image of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return save(path, pixels)


def save_with_thumbnail(path: Path) -> Path:
    """Writes a JPEG whose EXIF data contain a complete small JPEG, end marker included."""
    thumbnail = save(path.with_name("thumbnail.jpg"), random_image((8, 8))).read_bytes()
    exif = Image.Exif()
    exif[0x010E] = "x"  # a description, so that the EXIF data are not empty
    payload = exif.tobytes() + thumbnail
    data = save(path, random_image((64, 64))).read_bytes()
    segment = b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload
    path.write_bytes(data[:2] + segment + data[2:])
    return path


def text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _pairs(images: Path, masks: Path, ids: Sequence[str], size=(24, 32)) -> None:
    for seed, key in enumerate(ids):
        save(images / f"{key}.jpg", random_image(size, seed))
        save(masks / f"{key}.png", mask(size, seed))


def write_folders(root: Path, ids: Sequence[str], size=(24, 32)) -> Path:
    _pairs(root / "images", root / "masks", ids, size)
    return root


def write_kaggle(root: Path, train: Sequence[str], test: Sequence[str] = ()) -> Path:
    _pairs(root / "imgs/imgs", root / "masks/masks", train)
    for seed, key in enumerate(test):
        save(root / "imgs/imgs" / f"{key}.jpg", random_image(seed=100 + seed))
    text(root / "train.csv", "ImageID", *train)
    text(root / "test.csv", "ImageID", *test)
    return root


def write_aeroscapes(root: Path, train: Sequence[str], val: Sequence[str]) -> Path:
    _pairs(root / "JPEGImages", root / "SegmentationClass", [*train, *val])
    text(root / "ImageSets/trn.txt", *train)
    text(root / "ImageSets/val.txt", *val)
    return root
