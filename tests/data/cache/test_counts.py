import logging
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.cache.counts import class_counts
from aerialseg.data.layouts import folders
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from helpers.tiny_data import mask, random_image, save, write_folders


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", ["a", "b", "c"])


def _count(root, classes, cache, mask_format="index"):
    samples = folders(root, cache).samples
    return class_counts(samples, classes, mask_format=mask_format, cache_dir=cache)


def _problem(root, classes, cache, mask_format="index") -> str:
    with pytest.raises(DataError) as error:
        _count(root, classes, cache, mask_format)
    (line,) = error.value.problems
    assert not (cache / "statistics").exists()
    return line


def test_pixels_are_counted_by_class_and_image(root, classes, cache):
    first = mask()
    first[:2] = 255
    save(root / "masks/a.png", first)
    counts = _count(root, classes, cache)
    assert counts.shape == (3, 3)
    assert counts.dtype == np.int64
    assert counts[0].tolist() == [int((first == c).sum()) for c in range(3)]
    assert counts.sum(axis=1).tolist() == [22 * 32, 24 * 32, 24 * 32]


def test_colour_masks_count_the_same(root, classes, cache):
    wanted = _count(root, classes, cache)
    for path in (root / "masks").iterdir():
        save(path, classes.palette[np.asarray(Image.open(path))])
    assert np.array_equal(_count(root, classes, cache, "colour"), wanted)


def test_samples_without_a_mask_count_nothing(root, classes, cache):
    samples = [*folders(root, cache).samples, Sample("t", root / "images/a.jpg", None, "test")]
    counts = class_counts(samples, classes, mask_format="index", cache_dir=cache)
    assert counts[3].tolist() == [0, 0, 0]


def test_the_second_time_no_mask_is_decoded(root, classes, cache, monkeypatch):
    first = _count(root, classes, cache)
    monkeypatch.setattr("aerialseg.data.cache.counts.read_mask", None)
    assert np.array_equal(_count(root, classes, cache), first)


@pytest.mark.parametrize("change", ["touch", "size", "classes", "damage"])
def test_a_stale_or_damaged_count_is_made_again(root, classes, cache, change, monkeypatch):
    first = _count(root, classes, cache)
    (path,) = (cache / "statistics").iterdir()
    if change == "touch":
        os.utime(root / "masks/b.png", ns=(1, 1))
    elif change == "size":
        status = (root / "masks/b.png").stat()
        save(root / "masks/b.png", np.zeros((24, 32), np.uint8))
        os.utime(root / "masks/b.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "classes":
        classes = ClassTable((*classes.names, "new"), (*classes.colours, (1, 1, 1)))
    else:
        (path / "counts.i64").write_bytes((path / "counts.i64").read_bytes()[:40])
    again = _count(root, classes, cache)
    if change == "size":
        assert again[1].tolist() == [24 * 32, 0, 0]
    else:
        assert np.array_equal(again[:, :3], first)
    assert len(list(path.parent.iterdir())) == (1 if change == "damage" else 2)


def test_a_moved_data_set_with_its_times_needs_no_new_count(root, classes, cache, monkeypatch):
    first = _count(root, classes, cache)
    shutil.copytree(root, root.parent / "moved", copy_function=shutil.copy2)
    monkeypatch.setattr("aerialseg.data.cache.counts.read_mask", None)
    assert np.array_equal(_count(root.parent / "moved", classes, cache), first)


def test_ids_outside_the_table_are_named_with_their_pixels(root, classes, cache):
    wrong = np.zeros((24, 32), np.uint8)
    wrong[0, :5], wrong[1, 0] = 7, 3
    path = save(root / "masks/b.png", wrong)
    assert _problem(root, classes, cache) == (
        f"sample 'b': {path}: id 7 (5 pixels), id 3 (1 pixel) are outside the class table, which "
        "has 3 classes (ids 0 to 2, 255 is ignored); correct the table or the mask"
    )


def test_sizes_that_differ_are_named(root, classes, cache):
    save(root / "masks/b.png", mask((24, 31)))
    line = _problem(root, classes, cache)
    assert "b.jpg is 32x24 and " in line
    assert "b.png is 31x24 (width x height); wanted the same" in line
    assert "EXIF" not in line


def test_a_turned_image_says_why_its_size_differs(root, classes, cache):
    exif = Image.Exif()
    exif[274] = 8
    save(root / "images/b.jpg", random_image((32, 24)), exif=exif)
    line = _problem(root, classes, cache)
    assert line.endswith("EXIF orientation (8) is ignored, so store it upright")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("images/b.jpg", b"nothing", "b.jpg: cannot be decoded"),
        ("masks/b.png", b"nothing", "b.png: cannot be decoded"),
        ("masks/b.png", b"", "b.png: cannot be decoded"),
    ],
)
def test_damage_is_found_before_training(root, classes, cache, name, content, message):
    (root / name).write_bytes(content)
    assert message in _problem(root, classes, cache)


@pytest.mark.parametrize("name", ["images/b.jpg", "masks/b.png"])
def test_files_cut_short_are_found_before_training(root, classes, cache, name):
    path = root / name
    path.write_bytes(path.read_bytes()[:-40])
    assert f"{path}: cannot be decoded" in _problem(root, classes, cache)


def test_a_png_cut_short_is_found_before_training(root, classes, cache):
    (root / "images/b.jpg").unlink()
    path = save(root / "images/b.png", random_image())
    assert _count(root, classes, cache / "whole").shape == (3, 3)
    path.write_bytes(path.read_bytes()[:-60])
    assert f"{path}: cannot be decoded" in _problem(root, classes, cache)


def test_masks_of_the_other_format_are_found_before_training(root, classes, cache):
    assert "set data.mask_format=index" in _first_problem(root, classes, cache, "colour")
    for path in (root / "masks").iterdir():
        save(path, classes.palette[np.asarray(Image.open(path))])
    assert "set data.mask_format=colour" in _first_problem(root, classes, cache, "index")


def _first_problem(root, classes, cache, mask_format):
    with pytest.raises(DataError) as error:
        _count(root, classes, cache, mask_format)
    assert len(error.value.problems) == 3
    return error.value.problems[0]


def test_all_problems_come_at_once_but_not_by_the_hundred(tmp_path, classes, cache):
    root = write_folders(tmp_path / "many", [f"{i:02}" for i in range(14)])
    for path in (root / "masks").iterdir():
        path.write_bytes(b"x")
    with pytest.raises(DataError) as error:
        _count(root, classes, cache)
    assert len(error.value.problems) == 11
    assert error.value.problems[-1] == "and 4 more samples"


def test_a_long_first_pass_is_announced(root, classes, cache, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("aerialseg.data.cache.counts._MANY", 3)
    _count(root, classes, cache)
    _count(root, classes, cache)
    assert caplog.messages == ["checking and counting 3 masks, once; the result is kept"]
