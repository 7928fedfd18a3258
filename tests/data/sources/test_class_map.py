"""What the classes of a data set's own table become; every expected table is written by hand."""

import numpy as np
import pytest

from aerialseg.classes import ClassTable
from aerialseg.data.sources.class_map import class_map
from aerialseg.errors import ConfigError

OWN = ClassTable(
    ("road", "car", "truck", "tree", "sky"),
    ((1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5)),
)


@pytest.mark.parametrize(
    ("mapping", "trained", "ids"),
    [
        # Nothing mapped.
        (None, "road 1 car 2 truck 3 tree 4 sky 5", (0, 1, 2, 3, 4)),
        # A new name takes the place and the colour of the first class that becomes it.
        ({"truck": "vehicle", "car": "vehicle"}, "road 1 vehicle 2 tree 4 sky 5", (0, 1, 1, 2, 3)),
        # A class of the table keeps its place and colour, before or behind what becomes it.
        ({"truck": "road"}, "road 1 car 2 tree 4 sky 5", (0, 1, 0, 2, 3)),
        ({"car": "tree"}, "road 1 truck 3 tree 4 sky 5", (0, 2, 1, 2, 3)),
        # Ignored classes leave the table.
        ({"road": None, "sky": None}, "car 2 truck 3 tree 4", (255, 0, 1, 2, 255)),
        # Two new names, and a class that is said to stay.
        (
            {"car": "vehicle", "truck": "vehicle", "tree": "plant", "sky": "sky"},
            "road 1 vehicle 2 plant 4 sky 5",
            (0, 1, 1, 2, 3),
        ),
    ],
)
def test_the_trained_table_and_the_ids_of_each_class(mapping, trained, ids):
    found = class_map(OWN, mapping)

    table = zip(found.trained.names, found.trained.colours, strict=True)
    assert " ".join(f"{name} {red}" for name, (red, _, _) in table) == trained
    assert found.ids == ids


def test_masks_and_counts_follow():
    found = class_map(OWN, {"car": "vehicle", "truck": "vehicle", "sky": None})
    mask = np.array([[0, 1, 2], [3, 4, 255]], dtype=np.uint8)

    assert found.applied(mask).tolist() == [[0, 1, 1], [2, 255, 255]]
    assert found.counts(np.array([[10, 1, 2, 4, 8], [0, 0, 5, 0, 0]])).tolist() == [
        [10, 3, 4],
        [0, 5, 0],
    ]
    assert found.merged == {"vehicle": ["car", "truck"], "": ["sky"]}


@pytest.mark.parametrize(
    ("mapping", "line"),
    [
        ({"cra": "vehicle"}, "the class table has no class 'cra'; did you mean 'car'?"),
        ({"vehicle": "car"}, "the class table has no class 'vehicle'; did you mean '{car: vehi"),
        (
            {"car": "truck", "truck": "tree"},
            "'car' becomes 'truck', but 'truck' itself becomes 'tree'; say for each class",
        ),
        ({"car": "sky", "sky": None}, "'car' becomes 'sky', but 'sky' itself is ignored; say"),
        (dict.fromkeys(OWN.names, "all"), "leaves one class, 'all', so there is nothing to tell"),
        (dict.fromkeys(OWN.names), "leaves no class, so"),
        ({"car": " "}, "class table: the name ' ' of id 1 cannot be printed"),
    ],
)
def test_what_cannot_be_meant_is_one_line(mapping, line):
    with pytest.raises(ConfigError) as error:
        class_map(OWN, mapping)

    (problem,) = error.value.problems
    assert problem.startswith(f"data.map_classes: {line}")
