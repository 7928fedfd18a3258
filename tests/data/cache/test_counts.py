import logging
import os

import numpy as np
import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.cache.counts import count_labels
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts import folders
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from helpers.tiny_data import mask, random_image, save, write_folders


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", ["a", "b", "c"])


def _count(root, classes, cache, mask_format="index"):
    samples = folders(root, cache).samples
    return count_labels(
        samples, Reading(MaskEncoding(classes, mask_format)), cache_dir=cache
    ).classes


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
    counts = count_labels(samples, Reading(MaskEncoding(classes)), cache_dir=cache)
    assert counts.classes[3].tolist() == [0, 0, 0]
    assert counts.ignored.tolist() == [0, 0, 0, 0]


def test_the_second_time_no_mask_is_decoded(root, classes, cache, monkeypatch):
    first = _count(root, classes, cache)
    monkeypatch.setattr("aerialseg.data.checks.sample_checks.read_mask", None)
    assert np.array_equal(_count(root, classes, cache), first)


@pytest.mark.parametrize(
    "meaning",
    [
        {"mask_values": {0: "car", 1: "ground", 2: "tree"}},
        {"mask_values": {0: "ground", 1: "ground", 2: "tree"}},
        {"mask_values": {0: "ground", 2: "tree"}, "ignore_values": [1]},
    ],
)
def test_what_values_mean_is_never_taken_from_a_count_of_another_meaning(
    root, classes, cache, meaning
):
    samples = folders(root, cache).samples
    first, second, third = (int((mask() == value).sum()) for value in range(3))
    wanted = {
        "car": [second, first, third, 0],
        "ground": [first + second, 0, third, 0],
        "tree": [first, 0, third, second],
    }[meaning["mask_values"].get(0) if 1 in meaning["mask_values"] else "tree"]
    assert _count(root, classes, cache)[0].tolist() == [first, second, third]
    for _ in range(2):
        counts = count_labels(samples, Reading(MaskEncoding(classes, **meaning)), cache_dir=cache)
        assert [*counts.classes[0], counts.ignored[0]] == wanted
    assert _count(root, classes, cache)[0].tolist() == [first, second, third]


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


def test_another_mask_of_one_size_and_time_is_counted_again(root, classes, cache):
    path = root / "masks/b.tif"
    (root / "masks/b.png").unlink()
    save(path, np.zeros((24, 32), np.uint8))  # not compressed, so all have one size
    before, status = _count(root, classes, cache), path.stat()
    save(path, np.ones((24, 32), np.uint8))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    after = _count(root, classes, cache)
    assert before[1].tolist() == [24 * 32, 0, 0]
    assert after[1].tolist() == [0, 24 * 32, 0]


def test_a_moved_data_set_with_its_times_needs_no_new_count(root, classes, cache, monkeypatch):
    first = _count(root, classes, cache)
    root.rename(root.parent / "moved")
    monkeypatch.setattr("aerialseg.data.checks.sample_checks.read_mask", None)
    assert np.array_equal(_count(root.parent / "moved", classes, cache), first)


def test_ids_outside_the_table_are_named_with_their_pixels(root, classes, cache):
    wrong = np.zeros((24, 32), np.uint8)
    wrong[0, :5], wrong[1, 0] = 7, 3
    path = save(root / "masks/b.png", wrong)
    assert _problem(root, classes, cache) == (
        f"sample 'b': {path}: id 7 (5 pixels, 0.651%), id 3 (1 pixel, 0.13%) are outside the class "
        "table, which has 3 classes (ids 0 to 2, 255 is ignored); correct the table or the mask, "
        "or say which value is which class with data.mask_values"
    )


def test_sizes_that_differ_are_named(root, classes, cache):
    save(root / "masks/b.png", mask((24, 31)))
    line = _problem(root, classes, cache)
    assert "b.jpg is 32x24 and " in line
    assert "b.png is 31x24 (width x height); wanted the same" in line
    assert "EXIF" not in line


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
