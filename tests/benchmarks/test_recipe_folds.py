import csv
from pathlib import Path

import numpy as np
import pytest

from aerialseg.data.layouts.listing import Sample
from aerialseg.data.sources.splits import SplitSettings
from benchmarks.recipes.datasets import dubai, prepare_dubai, prepare_scenes, scenes
from benchmarks.recipes.folds import held_out, split_of_fold
from helpers.composing import experiment
from helpers.tiny_data import save

PLACES = {f"{place}_{number}": place for place in "abcdefg" for number in range(2 + ord(place) % 3)}


@pytest.mark.parametrize("count", [2, 3, 7])
def test_each_place_is_held_out_once(count):
    folds = held_out(PLACES, count)
    assert len(folds) == count
    assert sorted(place for fold in folds for place in fold) == sorted(set(PLACES.values()))
    sizes = [sum(place in fold for place in PLACES.values()) for fold in folds]
    assert max(sizes) - min(sizes) <= 4  # the images of the largest place


def test_folds_do_not_depend_on_the_order_of_files():
    assert held_out(dict(reversed(PLACES.items())), 3) == held_out(PLACES, 3)


def test_more_folds_than_places_are_refused():
    with pytest.raises(ValueError, match="--folds 8: there are 7 places to hold out"):
        held_out(PLACES, 8)


def test_the_rest_is_split_by_place(tmp_path):
    samples = [Sample(key, Path(key), Path(key), None) for key in PLACES]
    presence = np.ones((len(samples), 2), dtype=bool)
    settings = SplitSettings(0.3, r"^(.+)_\d+$", 0)
    for test in held_out(PLACES, 3):
        split = split_of_fold(samples, presence, PLACES, test, settings, cache_dir=tmp_path)
        assert split.keys() == PLACES.keys()
        parts = {
            part: {PLACES[key] for key in split if split[key] == part}
            for part in ("train", "val", "test")
        }
        assert parts["test"] == test
        assert parts["train"]
        assert parts["val"]
        assert sum(map(len, parts.values())) == 7  # no place is in two of them


def test_scenes_are_held_out_by_sequence(tmp_path):
    prepared = prepare_scenes(tmp_path, count=12, size=(64, 96), weights=None, folds=2)
    tables = []
    for fold in prepared.folds:
        with fold.table.open(newline="") as file:
            tables.append({row["image"]: row["split"] for row in csv.DictReader(file)})
    images = {path.stem for path in tmp_path.rglob("*.jpg")}
    assert [table.keys() for table in tables] == [images, images]
    tested = [{key for key, split in table.items() if split == "test"} for table in tables]
    assert tested[0] | tested[1] == images
    sequences = [{key.partition("_")[0] for key in part} for part in tested]
    assert not sequences[0] & sequences[1]
    assert [set(fold.places) for fold in prepared.folds] == sequences


def test_tiles_of_dubai_are_held_out(tmp_path):
    drawn = np.zeros((16, 16), dtype=np.uint8)
    for tile in (1, 2, 3, 10):
        for part in (1, 2):
            save(tmp_path / "imgs" / f"tile{tile}_part00{part}.png", np.stack([drawn] * 3, -1))
            save(tmp_path / "masks" / f"tile{tile}_part00{part}.png", drawn)
    weights = tmp_path / "w.pth"
    weights.write_bytes(b"abc")
    work = tmp_path / "work"
    prepared = prepare_dubai(work, root=tmp_path, weights=weights, folds=3)
    # Tiles 1 and 3 overlap, so they are one place.
    assert {fold.places for fold in prepared.folds} == {("tile",), ("tile2",), ("tile10",)}
    assert [fold.images["test"] for fold in prepared.folds] == [4, 2, 2]
    with prepared.folds[0].table.open(encoding="utf-8") as table:
        sides = dict(line.strip().split(",") for line in table)
    assert {key for key, side in sides.items() if side == "test"} == {
        f"tile{tile}_part00{part}" for tile in (1, 3) for part in (1, 2)
    }
    assert prepared.weights == "w.pth (ba7816bf8f01)"  # sha256 of abc, from FIPS 180
    assert f"model.weights={weights}" in prepared.overrides


def test_data_are_read_as_their_experiments_do():
    for name, kind in (("demo", scenes((192, 256))), ("dubai", dubai())):
        wanted = experiment(f"experiment={name}", "recipe=strong").data
        found = experiment("recipe=strong", *kind.overrides).data
        for key in wanted.keys() - {"root", "layout"}:
            assert found[key] == wanted[key], key
        assert kind.val_fraction == wanted["val_fraction"]
    assert wanted["layout"]["images"] == dubai().images
    assert wanted["layout"]["masks"] == dubai().masks
