"""Data sets without some of their images."""

from dataclasses import replace

import numpy as np
import pytest

from aerialseg.errors import DataError
from helpers.grouped_data import data_module, flips
from helpers.joint_sets import make_parts, together
from helpers.tiny_data import write_folders

IDS = [f"{flight}_{number}" for flight in "abcd" for number in range(3)]


def test_some_images_keep_their_splits_and_are_read_as_before(tmp_path):
    root = write_folders(tmp_path / "d", IDS)
    whole = data_module(root, augmentation=flips())
    train, val = whole.contents.of("train"), whole.contents.of("val")
    part = whole.of_samples([*train[:2], *val[:1]])
    assert part.samples("train") == train[:2]
    assert part.samples("val") == val[:1]
    one, other = (data.dataset("train", augment=True) for data in (whole, part))
    for index in range(2):
        assert np.array_equal(one[3, index]["image"], other[3, index]["image"])


def test_a_split_that_was_chosen_otherwise_is_kept(tmp_path):
    whole = data_module(write_folders(tmp_path / "d", IDS))
    turned = {"train": "val", "val": "train"}
    samples = [replace(s, split=turned[s.split]) for s in whole.contents.samples]
    part = whole.of_samples(samples)
    assert {s.id for s in part.samples("val")} == {s.id for s in whole.samples("train")}


def test_of_several_data_sets_each_has_its_own_images_and_classes(tmp_path):
    whole = together(make_parts(tmp_path)())
    north = [s for s in whole.contents.samples if s.data_set == "north"]
    south = [s for s in whole.contents.samples if s.data_set == "south"]
    part = whole.of_samples([*north[:3], *south])
    ids = {sample.id for sample in part.contents.samples}
    assert ids == {sample.id for sample in [*north[:3], *south]}
    assert part.classes == whole.classes
    alone = whole.of_samples(north)
    assert {sample.id for sample in alone.contents.samples} == {sample.id for sample in north}
    assert alone.classes == whole.classes


def test_images_of_one_side_cannot_be_trained_on(tmp_path):
    whole = data_module(write_folders(tmp_path / "d", IDS))
    with pytest.raises(DataError, match="val"):
        whole.of_samples(whole.contents.of("train")).prepare()
