import csv

import numpy as np
from PIL import Image

from benchmarks.label_next import draw, labelled_folder, table


def test_places_are_drawn_once_and_those_of_the_pool_in_several_frames(tmp_path, monkeypatch):
    for name, value in {"SIZE": (32, 48), "START": 2, "VAL": 1, "POOL": 3, "TEST": 2}.items():
        monkeypatch.setattr(f"benchmarks.label_next.{name}", value)
    parts = draw(tmp_path, seed=3)
    frames = np.random.default_rng(3).integers(1, 11, 3)
    assert [len(parts[part]) for part in ("start", "val", "pool", "test")] == [2, 1, sum(frames), 2]
    places = [{key.partition("_")[0] for key in keys} for keys in parts.values()]
    assert sum(map(len, places)) == len(set.union(*places)) == 8
    keys = [key for keys in parts.values() for key in keys]
    assert sorted(path.stem for path in (tmp_path / "images").iterdir()) == sorted(keys)
    assert Image.open(tmp_path / "masks" / f"{keys[0]}.png").size == (48, 32)


def test_a_labelled_folder_holds_what_was_chosen_and_nothing_else(tmp_path):
    for key in "abcd":
        for name in (f"images/{key}.jpg", f"masks/{key}.png"):
            (tmp_path / "scenes" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "scenes" / name).write_text(key)
    folder = tmp_path / "labelled"
    typed = labelled_folder(folder, tmp_path / "scenes", {"train": ["a", "c"], "test": ["b"]})
    assert f"data.root={folder}" in typed
    assert sorted(path.name for path in folder.rglob("*.*")) == sorted(
        ["a.jpg", "b.jpg", "c.jpg", "a.png", "b.png", "c.png", "split.csv"]
    )
    with (folder / "split.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["image"]: row["split"] for row in csv.DictReader(file)}
    assert rows == {"a": "train", "c": "train", "b": "test"}


def test_the_table_has_means_and_paired_gains():
    seeds = {
        0: {"start": 0.1, "random": 0.30, "uncertain": 0.28, "ranked": 0.34},
        1: {"start": 0.2, "random": 0.40, "uncertain": 0.42, "ranked": 0.42},
    }
    lines = [line for line in table(seeds, 30).splitlines() if line.startswith("| ")]
    assert "| seed 0 | seed 1 | mean | against random |" in lines[0]
    ranked = lines[-1].split(" | ")
    # The gains are 0.04 and 0.02: a mean of 0.03, and t(0.975, 1) = 12.706 times 0.01.
    assert ranked[1:] == ["0.340", "0.420", "0.380", "+0.030 ± 0.127 |"]
    assert lines[2].endswith("0.350 |  |")
