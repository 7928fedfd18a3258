"""Groups of a split by a table instead of a pattern."""

from pathlib import Path

import numpy as np
import pytest

from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import ConfigError, DataError
from helpers.splits import frames, samples_of, split, val_ids
from helpers.tiny_data import text


def _table(path, rows):
    return text(path, "image,group", *(f"{image},{group}" for image, group in rows))


def test_a_table_keeps_its_groups_together(cache, tmp_path):
    samples = samples_of([f"img{n}" for n in range(20)])
    groups = {f"img{n}": f"place {n % 5}" for n in range(20)}
    table = _table(tmp_path / "groups.csv", groups.items())
    presence = np.ones((20, 1), dtype=bool)
    for seed in range(5):
        result = split(samples, cache, presence, group_pattern=None, groups=table, seed=seed)
        assert {sample.split for sample in result} == {"train", "val"}
        sides = {(groups[sample.id], sample.split) for sample in result}
        assert len(sides) == 5


def test_names_in_a_table_may_have_suffixes_and_it_may_have_images_with_a_split(cache, tmp_path):
    samples = [*samples_of(["a", "b", "c", "d"]), Sample("t", Path("t.jpg"), None, "test")]
    rows = [("a.jpg", 1), ("b.JPG", 1), ("c", 2), ("d", 2), ("t.jpg", 3)]
    table = _table(tmp_path / "groups.csv", rows)
    presence = np.ones((5, 1), dtype=bool)
    result = split(samples, cache, presence, group_pattern=None, groups=table)
    sides = {sample.id: sample.split for sample in result}
    assert sides["a"] == sides["b"] != sides["c"] == sides["d"]


def test_another_table_makes_another_split(cache, tmp_path):
    samples = samples_of(["a", "b", "c", "d"])
    presence = np.ones((4, 1), dtype=bool)
    sides = []
    for name, order in (("one", "abcd"), ("two", "acbd")):
        rows = [(key, number // 2) for number, key in enumerate(order)]
        table = _table(tmp_path / f"{name}.csv", rows)
        sides.append(split(samples, cache, presence, group_pattern=None, groups=table))
    val = [val_ids(each) for each in sides]
    assert val[0] in ({"a", "b"}, {"c", "d"})
    assert val[1] in ({"a", "c"}, {"b", "d"})


def test_ids_that_a_table_does_not_have_are_alone_and_counted(cache, tmp_path, caplog):
    table = _table(tmp_path / "groups.csv", [("a", 1), ("b", 1)])
    presence = np.ones((4, 1), dtype=bool)
    samples = samples_of(["a", "b", "c", "d"])
    result = split(samples, cache, presence, group_pattern=None, groups=table)
    sides = {sample.id: sample.split for sample in result}
    assert sides["a"] == sides["b"]
    assert f"data.groups: {table} does not have 2 ids (c, d) of 4; each of them is a group of " in (
        caplog.text
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", 1), ("x", 2)], r"has 1 id \(x\) that no image of the data set has; its ids are"),
        ([("a", "")], r"has no group for 1 id \(a\); write one, or leave the rows out"),
        ([("a", 1), ("a", 2)], "row 3: id 'a' is in groups.csv row 2 already; drop one"),
    ],
)
def test_a_table_of_other_images_is_one_line(cache, tmp_path, rows, message):
    table = _table(tmp_path / "groups.csv", rows)
    samples, presence = samples_of(["a", "b"]), np.ones((2, 1), dtype=bool)
    with pytest.raises(DataError, match=f"data.groups: .*{message}"):
        split(samples, cache, presence, group_pattern=None, groups=table)


def test_a_table_without_the_columns_is_one_line(cache, tmp_path):
    table = text(tmp_path / "groups.csv", "file,place", "a,1")
    samples, presence = samples_of(["a", "b"]), np.ones((2, 1), dtype=bool)
    with pytest.raises(DataError, match=r"data.groups: .*has no column 'image'"):
        split(samples, cache, presence, group_pattern=None, groups=table)


def test_a_pattern_and_a_table_are_one_line(cache, tmp_path):
    table = _table(tmp_path / "groups.csv", [("000_000", 1)])
    with pytest.raises(ConfigError, match=r"data.groups: is set, and data.group_pattern too"):
        split(frames(5, 2), cache, groups=table)


def test_a_table_is_not_passed_over_in_silence(cache, tmp_path, caplog):
    samples = [
        Sample("a", Path("a.jpg"), None, "train"),
        Sample("b", Path("b.jpg"), None, "val"),
    ]
    table = _table(tmp_path / "groups.csv", [("a", 1), ("b", 1)])
    presence = np.ones((2, 1), dtype=bool)
    split(samples, cache, presence, group_pattern=None, groups=table)
    assert "is not used, as all images have an official split" in caplog.text
