import shutil
from functools import partial

import numpy as np
import pytest

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.joint import joint
from aerialseg.data.layouts import folders
from aerialseg.report.data_table import show_data
from helpers.grouped_data import data_module
from helpers.tiny_data import CLASSES, random_image, save, write_folders

IDS = ["train/a_1", "train/a_2", "train/b_1", "val/c_1", "test/t"]


@pytest.fixture
def root(tmp_path):
    """Masks of 8x10 pixels, ground but for what a test paints."""
    root = write_folders(tmp_path / "d", IDS, size=(8, 10))
    for key in IDS:
        paint(root, key, {})
    return root


def paint(root, key, pixels, size=(8, 10)):
    mask = np.zeros(size, np.uint8)
    for value, number in pixels.items():
        mask.flat[np.flatnonzero(mask == 0)[:number]] = value
    save(root / f"masks/{key}.png", mask)


def shown(root, capsys, **changes):
    data = AerialSegDataModule(
        root,
        folders,
        cache_dir=root.parent / "cache",
        image_min_size=None,
        batch_size=2,
        num_workers=0,
        **{"classes": CLASSES, **changes},
    )
    show_data(data)
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    return data, {line[0]: line[1:] for line in lines if line[0] in CLASSES}, " ".join(lines[-1])


def test_pixels_and_images_of_each_class_on_each_side(root, capsys, caplog):
    paint(root, "train/a_1", {1: 24, 255: 8})
    paint(root, "val/c_1", {1: 20, 2: 40})
    paint(root, "test/t", {2: 80})
    _, rows, facts = shown(root, capsys)
    # Of 3 x 80 pixels to train on 8 are ignored, 24 are car.
    assert rows == {
        "ground": ["89.66%", "3", "25.00%", "1"],
        "car": ["10.34%", "1", "25.00%", "1"],
        "tree": ["0.00%", "0", "50.00%", "1"],
    }
    assert facts == (
        f"{root}: 3 images to train, 1 image to validate, 1 image to test; 10x8 pixels; "
        "2.00% of the pixels of masks ignored"
    )
    assert caplog.messages == [f"{root}: class tree is in no mask to train on"]


def test_what_no_mask_shows_is_said_once(root, capsys, caplog):
    paint(root, "train/a_1", {1: 24})
    shown(root, capsys)
    assert len([line for line in caplog.messages if "tree" in line]) == 1
    assert caplog.messages[-1] == f"{root}: class car is in no mask to validate on"


def test_groups_sizes_and_missing_labels(tmp_path, capsys):
    ids = [f"{flight}_{frame}" for flight in "abcd" for frame in range(3)]
    root = write_folders(tmp_path / "d", ids, size=(8, 10))
    paint(root, "a_0", {1: 3}, size=(6, 12))
    save(root / "images/a_0.jpg", random_image((6, 12)))
    save(root / "more/x.jpg", random_image((8, 10)))
    data = data_module(root, partial(folders, test_images="more"), image_min_size=None)
    show_data(data)
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{root}: 9 images to train in 3 groups, 3 images to validate in 1 group, 1 image to test "
        "(1 without masks); 2 sizes, 10 to 12 wide and 6 to 8 high; "
        "0.00% of the pixels of masks ignored"
    )


def test_a_copy_of_an_image_on_the_other_side_is_named(root, capsys, caplog):
    shutil.copy(root / "images/train/b_1.jpg", root / "images/val/c_1.jpg")
    shown(root, capsys)
    assert (
        f"{root}: 1 image (val/c_1) to validate on also lies among those to train on, as a copy "
        "under another name; remove one of each"
    ) in caplog.messages


def test_the_stages_of_a_chain_show_it_once(root, capsys):
    assert shown(root, capsys)[1]
    with pytest.raises(IndexError):
        shown(root, capsys)


def test_classes_that_differ_in_case_alone_may_be_one(root, capsys, caplog):
    shown(root, capsys, classes={"car": [0, 0, 0], "Car": [1, 1, 1], "tree": [2, 2, 2]})
    line = f"{root}: classes car and Car differ only in the case of letters; one class?"
    assert line in caplog.messages


def test_what_classes_become_is_one_line_below_the_trained_classes(root, capsys):
    for key in IDS:
        paint(root, key, {1: 20, 2: 20})
    mapped = {"map_classes": {"car": "thing", "ground": None}}
    data, rows, facts = shown(root, capsys, **mapped)
    assert data.classes.names == ("thing", "tree")
    assert rows == {"tree": ["50.00%", "3", "50.00%", "1"]}
    assert facts == "data.map_classes: thing = car; ignored: ground"


def test_windows_are_counted_beside_their_images(root, capsys):
    for key in ("train/b_1", "val/c_1"):
        save(root / f"images/{key}.jpg", random_image((30, 40)))
        paint(root, key, {1: 300}, size=(30, 40))
    _, rows, facts = shown(root, capsys, window=[16, 20])
    assert rows["car"] == ["22.06%", "1", "25.00%", "1"]  # 300 of 2 x 80 + 1200 pixels, no twice
    assert facts == (
        f"{root}: 3 images (4 windows and 2 whole) to train, 1 image (4 windows) to validate, "
        "1 image to test; 2 sizes, 10 to 40 wide and 8 to 30 high; 0.00% of the pixels of masks "
        "ignored; cut into windows of 20x16 pixels"
    )


@pytest.fixture
def two_sets(root, capsys):
    """Shows the data set together with a second one that lies in the folder ``e``."""
    write_folders(root.parent / "e", IDS, size=(8, 12))

    def show(**changes):
        settings = {"cache_dir": root.parent / "cache", "image_min_size": None}
        settings |= {"batch_size": 2, "num_workers": 0}
        parts = {
            name: AerialSegDataModule(root.parent / name, folders, classes=CLASSES, **settings)
            for name in ("d", "e")
        }
        show_data(joint(parts, **settings, **changes))
        return capsys.readouterr().out.splitlines()

    return show


def test_an_image_of_two_sets_on_two_sides_is_named(root, two_sets, caplog):
    shutil.copy(root / "images/train/b_1.jpg", root.parent / "e/images/val/c_1.jpg")
    shutil.copy(root / "masks/train/b_1.png", root.parent / "e/masks/val/c_1.png")
    two_sets()
    assert (
        "the data sets together: 1 image (e/val/c_1) to validate on also lies among those to train "
        "on, as a copy under another name; remove one of each"
    ) in caplog.messages
    assert not [line for line in caplog.messages if "more than one data set" in line]


def test_an_image_of_two_sets_on_one_side_is_named(root, two_sets, caplog):
    shutil.copy(root / "images/train/b_1.jpg", root.parent / "e/images/train/a_2.jpg")
    shutil.copy(root / "masks/train/b_1.png", root.parent / "e/masks/train/a_2.png")
    two_sets()
    assert (
        "the data sets together: 1 image (d/train/b_1 = e/train/a_2) in more than one data set, "
        "each time with the labels of that set, is shown and counted for each of them; remove one "
        "of each"
    ) in caplog.messages


def test_weights_of_data_sets_are_one_line_and_decide_the_shares(root, two_sets):
    for key in IDS:
        paint(root.parent / "e", key, {1: 96}, size=(8, 12))
    lines = two_sets(weights={"d": 1, "e": 2})
    # An epoch shows 2 masks of 80 pixels of ground and 4 of 96 of car.
    assert next(line.split() for line in lines if line.split()[:1] == ["car"])[1] == "70.59%"
    assert lines[-1] == (
        "data.weights: of 6 images that an epoch shows, 2 of d, each 0.667 times; 4 of e, each "
        "1.33 times"
    )
