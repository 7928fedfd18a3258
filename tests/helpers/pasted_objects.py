"""Images with objects to paste, which are recognised by their colours.

Every object has a colour of its own, which no scaling changes: it says image, class and place.
"""

import numpy as np

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from helpers.rasters import write_tiff
from helpers.tiny_data import CLASSES, save

SIZE = (64, 96)
IDS = [f"{place}_{i}" for place in "abcdef" for i in range(2)]
CAR, TREE = 1, 2
GROUND = 9  # the value of all bands of the ground
CODES = [0, 1, 3, 4, 9, 10, 12, 13, 27, 28, 30, 31]
"""One for each image; none is the mean of two others, as the rim of a pasted object is."""
PLACES = [(8, 10, 8, 10, CAR), (40, 60, 12, 8, TREE), (30, 20, 6, 14, CAR)]


def colour(image, number, class_id):
    """Bands that say which object it is."""
    return [50 + 5 * CODES[image], 60 + 60 * number, 100 * class_id, 40 + 60 * number]


def drawn(image, objects=PLACES, size=SIZE):
    labels = np.zeros(size, dtype=np.uint8)
    pixels = np.full((*size, 4), GROUND, dtype=np.uint8)
    for number, (top, left, height, width, class_id) in enumerate(objects):
        part = np.s_[top : top + height, left : left + width]
        labels[part], pixels[part] = class_id, colour(image, number, class_id)
    return pixels, labels


def write(root, *, bands=3, size=SIZE, ids=IDS):
    for image, key in enumerate(ids):
        pixels, labels = drawn(image, size=size)
        if bands == 3:
            save(root / f"images/{key}.png", pixels[..., :3])
        else:
            write_tiff(root / f"images/{key}.tif", pixels[..., :bands])
        save(root / f"masks/{key}.png", labels)
    return root


def module(root, **changes):
    arguments = {"image_min_size": None, "batch_size": 3, "num_workers": 0, "paste_rare": 1}
    arguments["cache_dir"] = root.parent / "cache"
    return AerialSegDataModule(
        root,
        folders,
        classes=CLASSES,
        group_pattern="^(.)_",
        **arguments | changes,
    )


def items(data, epochs=6, **options):
    dataset = data.dataset("train", augment=True, **options)
    keys = [(epoch, index) for epoch in range(epochs) for index in range(len(dataset))]
    return [arrays(dataset[key]) for key in keys]


def arrays(item):
    return item["image"].permute(1, 2, 0).numpy(), item["mask"].numpy()


def same(first, second):
    pairs = zip(first, second, strict=True)
    return all(np.array_equal(x, y) for a, b in pairs for x, y in zip(a, b, strict=True))


def pairs(data, epochs=6):
    """Image and mask with and without what is pasted."""
    dataset = data.dataset("train", augment=True)
    for index in range(len(dataset)):
        plain = arrays(dataset.without_augmentation()[index])
        for epoch in range(epochs):
            yield plain, arrays(dataset[epoch, index])


def train_images(data):
    return {IDS.index(sample.id.partition("@")[0]) for sample in data.samples("train")}


def colours_of(images, bands=3):
    return {
        (*colour(image, number, place[4])[:bands],): place[4]
        for image in images
        for number, place in enumerate(PLACES)
    }
