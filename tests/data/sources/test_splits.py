from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerialseg.data.sources.split_groups import groups_of
from aerialseg.data.sources.splits import SplitSettings, choose_groups
from aerialseg.errors import ConfigError, DataError
from helpers.splits import SEQUENCE, frames, presence_of, samples_of, split, val_ids


@pytest.mark.parametrize("seed", range(5))
def test_no_sequence_is_on_both_sides(cache, seed):
    result = split(frames(20, 7), cache, seed=seed)
    sides = {}
    for sample in result:
        sides.setdefault(sample.id.split("_")[0], set()).add(sample.split)
    assert all(len(side) == 1 for side in sides.values())
    assert len(val_ids(result)) == pytest.approx(0.2 * 140, abs=7)


def test_nothing_but_the_split_changes(cache):
    samples = frames(20, 3)
    assert [replace(sample, split=None) for sample in split(samples, cache)] == samples


def test_the_split_depends_on_the_seed_and_on_nothing_else(tmp_path):
    samples = frames(30, 3)
    presence = presence_of(samples)
    first = val_ids(split(samples, tmp_path / "1", presence))
    order = np.random.default_rng(1).permutation(len(samples))
    shuffled = [samples[i] for i in order]
    assert val_ids(split(shuffled, tmp_path / "2", presence[order])) == first
    others = [val_ids(split(samples, tmp_path / "3", presence, seed=seed)) for seed in (1, 2, 3)]
    assert any(other != first for other in others)


def test_without_a_pattern_images_are_split_one_by_one(cache):
    samples = frames(1, 50)
    assert len(val_ids(split(samples, cache, group_pattern=None))) == 10


def test_ids_the_pattern_does_not_match_are_groups_of_their_own_and_named(cache, caplog):
    samples = [*frames(4, 5), *samples_of([f"photo{i}" for i in range(20)])]
    result = split(samples, cache, np.ones((40, 2), dtype=bool))
    assert len(val_ids(result)) == 8
    assert caplog.messages == [
        rf"data.group_pattern: '{SEQUENCE}' does not match 20 ids (photo0, photo1, photo2, ...) of "
        "40; each of them is a group of its own, which may put neighbouring frames on both sides"
    ]
    assert {"group 000", "id photo0"} <= set(groups_of([s.id for s in samples], SEQUENCE).values())


def test_a_pattern_that_matches_no_id_is_refused_with_an_example(cache):
    samples = samples_of([f"north/{i:03}" for i in range(12)])
    with pytest.raises(ConfigError) as error:
        split(samples, cache, np.ones((12, 2), dtype=bool))
    assert error.value.problems == (
        rf"data.group_pattern: '{SEQUENCE}' matches none of 12 ids, such as 'north/000'; write one "
        r"that finds in each id what neighbouring frames share, as '^(.+)_\d+$' finds flight in "
        "flight_001 and '^(.+)/' in flight/001, or set it to null",
    )
    assert not cache.exists()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 30), st.integers(1, 6), st.floats(0.05, 0.95), st.integers(0, 9))
def test_neither_side_is_ever_empty(groups, classes, fraction, seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(1, 20, (groups, 1))
    table = np.hstack([images, rng.integers(0, images + 1, (groups, classes))])
    in_val = choose_groups(table[:, table.any(axis=0)], fraction, seed)
    assert 0 < in_val.sum() < groups


def test_classes_are_balanced_better_than_by_chance():
    rng = np.random.default_rng(0)
    images = rng.integers(5, 40, (60, 1))
    table = np.hstack([images, rng.integers(0, images + 1) * (rng.random((60, 11)) < 0.3)])

    def worst(in_val):
        return np.abs(table[in_val].sum(axis=0) / table.sum(axis=0) - 0.2).max()

    chance = [worst(rng.random(60) < 0.2) for _ in range(200)]
    assert worst(choose_groups(table, 0.2, 0)) < min(chance)


def test_a_class_in_two_groups_is_on_both_sides_and_in_one_group_is_learnt():
    table = np.full((20, 3), 10)
    table[:, 1:] = 0
    table[[3, 11], 1] = 2  # in two groups of twenty
    table[7, 2] = 2  # in one
    for seed in range(5):
        in_val = choose_groups(table, 0.2, seed)
        assert in_val[3] != in_val[11]
        assert not in_val[7]


def test_official_splits_are_kept(cache):
    samples = [*samples_of(["a"], "train"), *samples_of(["b"], "val"), *samples_of(["t"], "test")]
    assert split(samples, cache, np.ones((3, 2), bool)) == tuple(samples)
    assert not cache.exists()


def test_a_pattern_beside_official_splits_divides_nothing_but_still_groups():
    official = samples_of(["a_1", "a_2", "b_1", "other"], "train")
    rule = SplitSettings(0.2, SEQUENCE, 0)
    assert rule.groups_among(official) == {}
    groups = rule.groups_of_ids([sample.id for sample in official])
    assert groups == {"a_1": "group a", "a_2": "group a", "b_1": "group b", "other": "id other"}


def test_test_samples_take_no_part(cache):
    samples = [*frames(10, 2), *samples_of(["t_1", "t_2"], "test")]
    result = split(samples, cache)
    assert [s.id for s in result if s.split == "test"] == ["t_1", "t_2"]
    assert len(val_ids(result)) == 4


def test_the_split_is_kept_as_csv_and_read_back(cache):
    samples = frames(10, 2)
    first = split(samples, cache)
    (path,) = (cache / "splits").iterdir()
    rows = path.read_text().splitlines()
    assert rows[0] == "id,split"
    assert len(rows) == 21
    swapped = "\n".join(
        row.replace(",val", ",x").replace(",train", ",val").replace(",x", ",train") for row in rows
    )
    path.write_text(swapped)
    assert val_ids(split(samples, cache)) == {s.id for s in first} - val_ids(first)


@pytest.mark.parametrize("content", ["", "id,split\n000_000,val\n", "id,split\nx,val\ny,train\n"])
def test_a_damaged_split_is_made_again(cache, content, caplog):
    samples = frames(10, 2)
    first = split(samples, cache)
    (path,) = (cache / "splits").iterdir()
    whole = path.read_text()
    path.write_text(content)
    assert split(samples, cache) == first
    assert "is damaged; the split is made again" in caplog.text
    assert path.read_text() == whole


def test_whatever_it_was_made_from_makes_another_file(cache):
    samples = frames(10, 2)
    presence = presence_of(samples)
    split(samples, cache, presence)
    split(samples, cache, presence, seed=1)
    split(samples, cache, presence, val_fraction=0.3)
    split(samples, cache, presence, group_pattern=None)
    split(samples, cache, ~presence)
    split(samples[:-2], cache, presence[:-2])
    assert len(list((cache / "splits").iterdir())) == 6


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 2])
def test_a_fraction_out_of_range_is_refused(cache, fraction):
    with pytest.raises(ConfigError, match=r"data\.val_fraction: is .*, wanted more than 0"):
        split(frames(5, 2), cache, val_fraction=fraction)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "is no regular expression"),
        ("^tile", "has 0 groups in round brackets, wanted one"),
        ("(a)(b)", "has 2 groups"),
    ],
)
def test_a_bad_pattern_is_refused(cache, pattern, message):
    with pytest.raises(ConfigError, match=f"data.group_pattern: .*{message}"):
        split(frames(5, 2), cache, group_pattern=pattern)


def test_one_group_cannot_be_split(cache):
    with pytest.raises(DataError, match=r"needs two groups of images, found 1 under data\.group"):
        split(frames(1, 9), cache)
    with pytest.raises(DataError, match="needs two groups of images, found 1; add images"):
        split(samples_of(["a"]), cache, group_pattern=None)


@pytest.mark.parametrize(("present", "absent"), [("train", "val"), ("val", "train")])
def test_an_empty_split_is_named(cache, present, absent):
    with pytest.raises(DataError, match=f"the {absent} split is empty: none of 2 samples"):
        split(samples_of(["a", "b"], present), cache, np.ones((2, 2), bool))


def test_a_split_that_cannot_be_kept_is_the_same_split(tmp_path, caplog):
    samples = frames(20, 3)
    (tmp_path / "file").touch()
    for _ in range(2):
        assert split(samples, tmp_path / "file") == split(samples, tmp_path / "cache")
    (line,) = caplog.messages
    assert line.startswith(f"paths.cache_dir: {tmp_path / 'file'} cannot be written to: ")
    assert line.endswith("; point paths.cache_dir to a folder with room that you may write to")


def test_a_split_that_cannot_be_read_is_made_again(tmp_path):
    samples = frames(20, 3)
    first = split(samples, tmp_path)
    (path,) = (tmp_path / "splits").glob("*.csv")
    path.write_bytes(b"\xff\xfe,train\n")
    assert split(samples, tmp_path) == first
    assert "train" in path.read_text()
