from itertools import pairwise

import numpy as np
import pytest

from aerialseg.data.checks.grouping import components, grouping


def group(ids, linked, now=None, val_fraction=0.2):
    return grouping(ids, linked, now or {}, val_fraction)


def test_components_are_those_of_the_graph():
    parts = components(7, {(0, 3), (3, 5), (6, 1)})
    alike = {(a, b) for a in range(7) for b in range(a) if parts[a] == parts[b]}
    assert alike == {(3, 0), (5, 0), (5, 3), (6, 1)}
    assert len(set(components(3, []).tolist())) == 3


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        ("{flight}_{frame:03}", r"^(.+)_\d+$"),
        ("{flight}-{frame:03}", r"^(.+)-\d+$"),
        ("{flight}_{frame:03}_rgb", "^([^_]+)_"),
        ("{flight}/x{frame:03}y", "^(.+)/"),
    ],
)
def test_the_pattern_of_the_names_is_found(names, pattern):
    ids = [names.format(flight=f, frame=n) for f in ("ax", "bx", "cx") for n in range(6)]
    linked = [(ids[0], ids[5]), (ids[7], ids[8]), (ids[12], ids[13])]
    assert group(ids, linked).pattern == pattern


def test_a_pattern_that_takes_a_pair_apart_is_not_offered():
    ids = [f"{flight}_{frame}" for flight in "abcd" for frame in range(4)]
    found = group(ids, [("a_0", "b_3")])
    assert found.pattern is None
    assert found.table["a_0"] == found.table["b_3"]
    assert len(set(found.table.values())) == found.groups == 15


def test_groups_that_there_are_stay_together():
    ids = [f"{flight}_{frame}" for flight in "abcd" for frame in range(4)]
    found = group(ids, [("a_0", "b_3")], {key: key[0] for key in ids})
    together = {}
    for key, name in found.table.items():
        together.setdefault(name, set()).add(key[0])
    assert sorted(map(sorted, together.values())) == [["a", "b"], ["c"], ["d"]]
    assert found.largest == 8


@pytest.mark.parametrize(("outside", "fits"), [(0, False), (1, False), (2, True)])
def test_enough_must_be_left_to_validate_on(outside, fits):
    """Of twenty images a tenth at least, which is half of what is wanted."""
    ids = [f"{n:02}" for n in range(20)]
    chain = list(pairwise(ids[: 20 - outside]))
    assert group(ids, chain).can_be_split is fits


def test_the_pattern_with_the_most_groups_is_offered():
    ids = [f"{flight}_{part}_{n}" for flight in "ab" for part in "xyz" for n in range(3)]
    found = group(ids, [("a_x_0", "a_x_2")])
    assert found.pattern == r"^(.+)_\d+$"
    assert group(ids, [("a_x_0", "a_y_2")]).pattern == "^([^_]+)_"


def test_table_names_are_in_the_order_of_the_images():
    found = group(["b", "a", "c"], [("b", "c")])
    assert found.table == {"b": "place_0001", "a": "place_0002", "c": "place_0001"}
    assert np.unique(list(found.table.values())).size == found.groups
