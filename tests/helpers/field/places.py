"""Where the files of a data set lie, and what is typed for it."""

import csv
from collections.abc import Callable
from io import StringIO
from typing import NamedTuple

SPLITS = ("train", "train", "train", "val", "val", "test")
"""The split of each image, in layouts that have one."""
FOLDERS = ("data=folders",)


class Place(NamedTuple):
    """A layout.

    Attributes:
        image: The name of image ``n``, which is in a split, made into its path below the root.
        mask: Likewise of its mask; None if it has none.
        typed: What is typed besides the root.
        lists: Names in the order of :data:`SPLITS` made into files, by their paths.
        unlabelled: Splits whose images have no masks.
        only_jpg_and_png: Whether images must end in ``.jpg`` and masks in ``.png``.
        has_lists: Whether ids are written in files.
        is_zip: Whether the whole is packed.
        is_mixed: Whether images and masks lie in one folder.
    """

    image: Callable
    mask: Callable
    typed: tuple = FOLDERS
    lists: Callable = lambda names: {}
    unlabelled: tuple = ()
    only_jpg_and_png: bool = False
    has_lists: bool = False
    is_zip: bool = False
    is_mixed: bool = False


def _folder(name):
    return lambda stem, n: f"{name}/{stem}"


def _by_flight(name):
    return lambda stem, n: f"{name}/{'north' if n < 4 else 'south'}/{stem}"


def _in_sequence(name):
    return lambda stem, n: f"seq{n // 3}/{name}/{stem}"


def _split_inside(name, val="val"):
    return lambda stem, n: f"{name}/{SPLITS[n].replace('val', val)}/{stem}"


def _split_around(name, val="val"):
    return lambda stem, n: f"{SPLITS[n].replace('val', val)}/{name}/{stem}"


def _unseen(stem, n):
    return f"{'unseen' if SPLITS[n] == 'test' else 'images'}/{stem}"


def _of(names, *splits):
    return [name for name, split in zip(names, SPLITS, strict=True) if split in splits]


def _lines(names):
    return "".join(f"{name}\n" for name in names)


def _table(header, rows):
    buffer = StringIO()
    csv.writer(buffer).writerows([header, *rows])
    return buffer.getvalue()


def _column(names):
    return _table(["ImageID"], [[name] for name in names])


def _train_and_test(names):
    return {
        "train.csv": _column(_of(names, "train", "val")),
        "test.csv": _column(_of(names, "test")),
    }


_NO_GROUPS = "data.group_pattern=null"
_KAGGLE = Place(
    _folder("imgs/imgs"),
    _folder("masks/masks"),
    ("data=kaggle", _NO_GROUPS),
    _train_and_test,
    unlabelled=("test",),
    only_jpg_and_png=True,
    has_lists=True,
)

PLACES = {
    "flat": Place(_folder("images"), _folder("masks")),
    "other-folders": Place(
        _folder("imgs"),
        _folder("my labels"),
        (*FOLDERS, "data.layout.images=imgs", "data.layout.masks=my labels"),
    ),
    "one-folder": Place(
        _folder("all"),
        _folder("all"),
        (*FOLDERS, "data.layout.images=all", "data.layout.masks=all"),
        is_mixed=True,
    ),
    "sequences": Place(
        _in_sequence("Images"),
        _in_sequence("Labels"),
        (
            *(*FOLDERS, "data.layout.images=.", "data.layout.masks=."),
            "data.layout.image_name={parent}/Images/{stem}",
            "data.layout.mask_name={parent}/Labels/{stem}",
        ),
    ),
    "flights": Place(
        _by_flight("images"), _by_flight("masks"), (*FOLDERS, 'data.group_pattern="^(.+)/"')
    ),
    "split-inside": Place(_split_inside("images"), _split_inside("masks")),
    "split-around": Place(_split_around("images"), _split_around("masks"), unlabelled=("test",)),
    "validation": Place(
        _split_inside("images", "validation"), _split_inside("masks", "validation")
    ),
    "split-ignored": Place(
        _split_inside("images"), _split_inside("masks"), (*FOLDERS, "data.layout.split=random")
    ),
    "lists": Place(
        _folder("images"),
        _folder("masks"),
        (*FOLDERS, "data.layout.split={train: train.txt, val: val.txt, test: test.txt}"),
        lambda names: {f"{split}.txt": _lines(_of(names, split)) for split in set(SPLITS)},
        has_lists=True,
    ),
    "lists-of-windows": Place(
        _folder("images"),
        _folder("masks"),
        (*FOLDERS, "data.layout.split={train: train.txt, val: val.txt, test: test.txt}"),
        lambda names: {
            f"{split}.txt": "\ufeff" + _lines(_of(names, split)).replace("\n", "\r\n")
            for split in set(SPLITS)
        },
        has_lists=True,
    ),
    "table-of-excel": Place(
        _folder("images"),
        _folder("masks"),
        (*FOLDERS, "data.layout.split=split.csv"),
        lambda names: {
            "split.csv": "\ufeff" + _table(["image", "split"], zip(names, SPLITS, strict=True))
        },
        has_lists=True,
    ),
    "table-of-semicolons": Place(
        _folder("images"),
        _folder("masks"),
        (*FOLDERS, "data.layout.split=split.csv"),
        lambda names: {"split.csv": _lines(["image;split", *[f"{name};train" for name in names]])},
        has_lists=True,
    ),
    "table": Place(
        _folder("images"),
        _folder("masks"),
        (*FOLDERS, "data.layout.split=split.csv"),
        lambda names: {"split.csv": _table(["image", "split"], zip(names, SPLITS, strict=True))},
        has_lists=True,
    ),
    "test-images": Place(
        _unseen,
        _folder("masks"),
        (*FOLDERS, "data.layout.test_images=unseen"),
        unlabelled=("test",),
    ),
    "kaggle": _KAGGLE,
    "kaggle-zip": _KAGGLE._replace(is_zip=True),
    "aeroscapes": Place(
        _folder("JPEGImages"),
        _folder("SegmentationClass"),
        ("data=aeroscapes",),
        lambda names: {
            "ImageSets/trn.txt": _lines(_of(names, "train", "test")),
            "ImageSets/val.txt": _lines(_of(names, "val")),
        },
        only_jpg_and_png=True,
        has_lists=True,
    ),
}
