"""Charts of a data set as specifications: what they hold, not how they look."""

import numpy as np
import pandas as pd

from aerialseg.report.pages.inspection_charts import class_shares, histogram, image_sizes


def rows_of(spec):
    return [row for rows in spec["datasets"].values() for row in rows]


def test_a_histogram_counts_every_value_once_also_beyond_its_ends():
    spec = histogram({"train": [0.5, 1.5, 1.6, 9.0], "val": [-3.0]}, np.arange(4.0), title="x")
    found = {(row["split"], row["low"]): row["images"] for row in rows_of(spec)}
    assert found == {("train", 0): 1, ("train", 1): 2, ("train", 2): 1, ("val", 0): 1}


def test_a_class_that_is_absent_has_a_row_but_no_dot():
    shares = pd.DataFrame(
        [("road", "train", 0.25, 3), ("pool", "train", 0.0, 0)],
        columns=["class", "split", "share", "images"],
    )
    spec = class_shares(shares, ["road", "pool"])
    assert [row["class"] for row in rows_of(spec)] == ["road"]
    assert spec["encoding"]["y"]["scale"]["domain"] == ["road", "pool"]
    assert spec["encoding"]["x"]["scale"]["domain"] == [0.1, 1]
    assert class_shares(shares[1:], ["pool"])["encoding"]["x"]["scale"]["domain"] == [0.1, 1]


def test_few_sizes_are_named_and_many_are_a_histogram():
    few = image_sizes({"train": [(720, 1280)] * 3 + [(360, 640)], "val": [(720, 1280)]})
    found = {(row["split"], row["size"]): row["images"] for row in rows_of(few)}
    assert found == {("train", "1280x720"): 3, ("train", "640x360"): 1, ("val", "1280x720"): 1}
    many = image_sizes({"train": [(1000, 1000 + number) for number in range(40)]})
    assert sum(row["images"] for row in rows_of(many)) == 40
    assert "size" not in rows_of(many)[0]
