"""How a data set of another layout is read as folders."""

from pathlib import Path

from aerialseg.data.labels.as_folders import as_folders
from aerialseg.data.layouts.listing import Sample

ROOT = Path("data/a")


def sample(image, mask, split="train"):
    return Sample("x", ROOT / image, None if mask is None else ROOT / mask, split)


def test_images_and_masks_in_folders_of_their_own():
    samples = [
        sample("imgs/imgs/s/1.jpg", "masks/masks/s/1.png"),
        sample("imgs/imgs/2.jpg", "masks/masks/2.png", "val"),
        sample("imgs/imgs/3.jpg", None, "test"),
        sample("imgs/imgs/4.jpg", "masks/masks/4.png", None),
    ]
    data = {"image_min_size": 64, "group_pattern": None, "mask_values": {3: "a", 255: "b"}}
    found = as_folders(ROOT, samples, data)
    assert found.images == "imgs/imgs"
    assert found.splits == (("s/1", "train"), ("2", "val"), ("3", "test"))
    assert found.settings == ("data.image_min_size=64", "data.mask_values={3: a, 255: b}")


def test_masks_among_the_images_or_of_other_names_cannot_be_read_so():
    assert as_folders(ROOT, [sample("i/1.jpg", "i/1.png")], {}) is None
    assert as_folders(ROOT, [sample("i/1.jpg", "m/1_lab.png")], {}) is None
    assert as_folders(ROOT, [sample("1.jpg", "m/1.png")], {}) is None
