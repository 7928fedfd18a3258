from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerialseg.data.layouts.listing import Sample
from aerialseg.data.splits import choose_groups, split_samples
from aerialseg.errors import ConfigError, DataError

SEQUENCE = r"^(.+)_\d+$"


def _samples(ids, split=None):
    return [Sample(key, Path(f"{key}.jpg"), Path(f"{key}.png"), split) for key in ids]


def _frames(sequences, frames):
    return _samples([f"{s:03}_{f:03}" for s in range(sequences) for f in range(frames)])


def _presence(samples, classes=5, seed=0):
    """Each sequence shows its own few classes, as real ones do."""
    rng = np.random.default_rng(seed)
    shown = {s.id.split("_")[0]: rng.random(classes) < 0.4 for s in samples}
    return np.array([shown[sample.id.split("_")[0]] for sample in samples])


def _split(samples, cache, presence=None, **changes):
    arguments = {"val_fraction": 0.2, "seed": 0, "group_pattern": SEQUENCE, **changes}
    presence = _presence(samples) if presence is None else presence
    return split_samples(samples, presence, cache_dir=cache, **arguments)


def _val(samples):
    return {sample.id for sample in samples if sample.split == "val"}


@pytest.mark.parametrize("seed", range(5))
def test_no_sequence_is_on_both_sides(cache, seed):
    result = _split(_frames(20, 7), cache, seed=seed)
    sides = {}
    for sample in result:
        sides.setdefault(sample.id.split("_")[0], set()).add(sample.split)
    assert all(len(side) == 1 for side in sides.values())
    assert len(_val(result)) == pytest.approx(0.2 * 140, abs=7)


def test_nothing_but_the_split_changes(cache):
    samples = _frames(20, 3)
    assert [replace(sample, split=None) for sample in _split(samples, cache)] == samples


def test_the_split_depends_on_the_seed_and_on_nothing_else(tmp_path):
    samples = _frames(30, 3)
    presence = _presence(samples)
    first = _val(_split(samples, tmp_path / "1", presence))
    order = np.random.default_rng(1).permutation(len(samples))
    shuffled = [samples[i] for i in order]
    assert _val(_split(shuffled, tmp_path / "2", presence[order])) == first
    others = [_val(_split(samples, tmp_path / "3", presence, seed=seed)) for seed in (1, 2, 3)]
    assert any(other != first for other in others)


def test_without_a_pattern_images_are_split_one_by_one(cache):
    samples = _frames(1, 50)
    assert len(_val(_split(samples, cache, group_pattern=None))) == 10


def test_ids_the_pattern_does_not_match_are_groups_of_their_own(cache):
    samples = _samples([f"photo{i}" for i in range(20)])
    presence = np.ones((20, 2), dtype=bool)
    assert len(_val(_split(samples, cache, presence))) == 4


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
    samples = [*_samples(["a"], "train"), *_samples(["b"], "val"), *_samples(["t"], "test")]
    assert _split(samples, cache, np.ones((3, 2), bool)) == tuple(samples)
    assert not cache.exists()


def test_test_samples_take_no_part(cache):
    samples = [*_frames(10, 2), *_samples(["t_1", "t_2"], "test")]
    result = _split(samples, cache)
    assert [s.id for s in result if s.split == "test"] == ["t_1", "t_2"]
    assert len(_val(result)) == 4


def test_the_split_is_kept_as_csv_and_read_back(cache):
    samples = _frames(10, 2)
    first = _split(samples, cache)
    (path,) = (cache / "splits").iterdir()
    rows = path.read_text().splitlines()
    assert rows[0] == "id,split"
    assert len(rows) == 21
    swapped = "\n".join(
        row.replace(",val", ",x").replace(",train", ",val").replace(",x", ",train") for row in rows
    )
    path.write_text(swapped)
    assert _val(_split(samples, cache)) == {s.id for s in first} - _val(first)


@pytest.mark.parametrize("content", ["", "id,split\n000_000,val\n", "id,split\nx,val\ny,train\n"])
def test_a_damaged_split_is_made_again(cache, content, caplog):
    samples = _frames(10, 2)
    first = _split(samples, cache)
    (path,) = (cache / "splits").iterdir()
    whole = path.read_text()
    path.write_text(content)
    assert _split(samples, cache) == first
    assert "is damaged; the split is made again" in caplog.text
    assert path.read_text() == whole


def test_whatever_it_was_made_from_makes_another_file(cache):
    samples = _frames(10, 2)
    presence = _presence(samples)
    _split(samples, cache, presence)
    _split(samples, cache, presence, seed=1)
    _split(samples, cache, presence, val_fraction=0.3)
    _split(samples, cache, presence, group_pattern=None)
    _split(samples, cache, ~presence)
    _split(samples[:-2], cache, presence[:-2])
    assert len(list((cache / "splits").iterdir())) == 6


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 2])
def test_a_fraction_out_of_range_is_refused(cache, fraction):
    with pytest.raises(ConfigError, match=r"data\.val_fraction: is .*, wanted more than 0"):
        _split(_frames(5, 2), cache, val_fraction=fraction)


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
        _split(_frames(5, 2), cache, group_pattern=pattern)


def test_one_group_cannot_be_split(cache):
    with pytest.raises(DataError, match=r"needs two groups of images, found 1 under data\.group"):
        _split(_frames(1, 9), cache)
    with pytest.raises(DataError, match="needs two groups of images, found 1; add images"):
        _split(_samples(["a"]), cache, group_pattern=None)


@pytest.mark.parametrize(("present", "absent"), [("train", "val"), ("val", "train")])
def test_an_empty_split_is_named(cache, present, absent):
    with pytest.raises(DataError, match=f"the {absent} split is empty: none of 2 samples"):
        _split(_samples(["a", "b"], present), cache, np.ones((2, 2), bool))
