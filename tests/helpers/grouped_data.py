"""A data module over a folder of small images, in groups of neighbouring frames."""

import albumentations

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from helpers.tiny_data import CLASSES

IDS = [f"{sequence}_{frame}" for sequence in "abcdef" for frame in range(3)]


def data_module(root, layout=folders, **changes):
    """The data below ``root``; ``changes`` are arguments of the data module."""
    arguments = {
        "classes": CLASSES,
        "cache_dir": root.parent / "cache",
        "image_min_size": 24,
        "batch_size": 4,
        "num_workers": 0,
        "group_pattern": r"^(.+)_\d$",
        **changes,
    }
    return AerialSegDataModule(root, layout, **arguments)


def flips():
    return albumentations.Compose(
        [albumentations.HorizontalFlip(p=0.5), albumentations.ColorJitter(p=0.5)]
    )
