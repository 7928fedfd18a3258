"""A public data set is checked by its name and its folder alone."""

import numpy as np

from helpers.commands import run_command
from helpers.public_sets import stripes, write_copy
from helpers.tiny_data import random_image, save

CHECK = ("task=check", "data=uavid", "data.root=d", "model.weights=none", "data.num_workers=0")


def test_the_table_of_a_set_as_published(tmp_path):
    root = write_copy(tmp_path / "d", "uavid")
    mask = stripes("uavid")[0].repeat(16, axis=0).repeat(10, axis=1)
    for seed, path in enumerate(root.glob("*/*/Images/*.png")):
        save(path, random_image(mask.shape[:2], seed))
    for path in root.glob("*/*/Labels/*.png"):
        save(path, np.ascontiguousarray(mask))
    done = run_command(*CHECK, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    names = ["clutter", "building", "road", "static_car", "tree", "low_vegetation", "human"]
    assert [row for row in rows if len(row) == 5 and "%" in row[1]] == [
        [name, "12.50%", "2", "12.50%", "1"] for name in [*names, "moving_car"]
    ]
    assert "d: official split by folders: train 2, val 1, test 1" in done.stdout
    assert "stage head: valid" in done.stdout
