import base64
import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from aerialseg.data.annotations.labelme import is_labelme, read_labelme
from aerialseg.errors import DataError
from helpers.annotations import SIZE, SQUARE, block, drawn, labelme


def read(path):
    return read_labelme(json.loads(path.read_text()), path)


def pixels(path):
    """The area of its only shape."""
    return drawn(read(path))


def encoded(mask, kind="PNG"):
    buffer = BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, format=kind)
    return base64.b64encode(buffer.getvalue()).decode()


def of(kind, **more):
    return {"shape_type": kind, **more}


@pytest.mark.parametrize(
    ("points", "kind"),
    [
        (SQUARE, "polygon"),
        (SQUARE, None),  # as old releases write it
        ([[2, 3], [7, 9]], "rectangle"),
        ([[7, 3], [2, 9]], "rectangle"),
        (SQUARE, "rectangle"),
        (SQUARE, "oriented_rectangle"),
    ],
)
def test_a_rectangle_is_the_polygon_of_its_corners(tmp_path, points, kind):
    path = labelme(tmp_path / "a.json", ("roof", points, of(kind)))
    assert (pixels(path) == block((3, 9), (2, 7))).all()


def test_a_circle_is_given_by_its_centre_and_a_point_on_it(tmp_path):
    mask = pixels(labelme(tmp_path / "a.json", ("roof", [[8, 6], [8, 2]], of("circle"))))
    rows, columns = np.indices(SIZE) + 0.5
    assert (mask == ((columns - 8) ** 2 + (rows - 6) ** 2 < 16)).all()


def test_a_mask_fills_its_rectangle_with_the_last_row_and_column(tmp_path):
    inside = np.random.default_rng(0).integers(0, 2, (4, 5)).astype(bool)
    shape = ("roof", [[3, 2], [7, 5]], of("mask", mask=encoded(inside)))
    wanted = np.zeros(SIZE, dtype=bool)
    wanted[2:6, 3:8] = inside
    assert (pixels(labelme(tmp_path / "a.json", shape)) == wanted).all()


def test_points_in_the_last_row_and_column_reach_the_edge(tmp_path):
    # The tool lets nobody click further than 15, 11.
    points = [[0, 0], [15, 0], [15, 11], [0, 11]]
    assert pixels(labelme(tmp_path / "a.json", ("roof", points))).all()
    shape = ("roof", [[0, 0], [15, 11]], of("rectangle"))
    assert pixels(labelme(tmp_path / "b.json", shape)).all()


def test_labels_and_what_has_no_area(tmp_path):
    path = labelme(
        tmp_path / "a.json",
        ("tree ", SQUARE),
        ("pole", [[1, 2]], of("point")),
        ("kerb", [[1, 2], [5, 6]], of("line")),
        ("roof", [[1, 2], [5, 6]]),
        image="..\\images\\a.png",
    )
    found = read(path)
    assert list(found.labels) == ["tree"]
    assert found.images[0].name == "../images/a.png"
    assert found.images[0].size == SIZE
    assert list(found.findings.lines()) == [
        "points, lines and other shapes without an area, left out: 2 cases "
        "(../images/a.png shape 2, ../images/a.png shape 3)",
        "polygons of fewer than 3 points, which have no area, left out: 1 case "
        "(../images/a.png shape 4)",
    ]


PNG = encoded(np.ones((4, 5), dtype=bool))
BROKEN = {
    "unknown type": (("roof", SQUARE, of("spline")), "shape_type is 'spline'; wanted polygon, "),
    "no label": ((" ", SQUARE), "shapes[0]: label is ' '; wanted a text"),
    "points": (("roof", [[1, 2], [3]]), "points are [[1, 2], [3]]; wanted [[x, y], ...]"),
    "no points": (("roof", None), "points are None; wanted"),
    "circle": (("roof", SQUARE, of("circle")), "wanted 2 points for a circle"),
    "rectangle": (("roof", SQUARE[:3], of("rectangle")), "wanted 2 or 4 points for a rectangle"),
    "no mask": (("roof", SQUARE[:2], of("mask")), "mask is missing; wanted a text"),
    "mask of another size": (
        ("roof", [[3, 2], [8, 5]], of("mask", mask=PNG)),
        "wanted a rectangle of 5x4, as its mask",
    ),
    "mask that is no PNG": (
        ("roof", [[3, 2], [7, 5]], of("mask", mask=encoded(np.ones((4, 5)), "BMP"))),
        "wanted a PNG in base64",
    ),
    "mask that is no base64": (("roof", SQUARE[:2], of("mask", mask="%%")), "a PNG in base64"),
    "cut mask": (("roof", [[3, 2], [7, 5]], of("mask", mask=PNG[:60])), "wanted a PNG in base64"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_shapes_are_refused_in_one_line(tmp_path, case):
    shape, wanted = BROKEN[case]
    path = labelme(tmp_path / "a.json", shape)
    with pytest.raises(DataError) as error:
        read(path)
    (line,) = error.value.problems
    assert line.startswith(f"{path}: shapes[0]")
    assert wanted in line


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"imagePath": None}, "imagePath is None; wanted a text"),
        ({"imageHeight": None}, "imageHeight is None; wanted a whole number from 1"),
        ({"imageWidth": 3.5}, "imageWidth is 3.5; wanted a whole number from 1"),
        ({"shapes": {}}, "shapes is {}; wanted a list"),
    ],
)
def test_broken_files_are_refused_in_one_line(tmp_path, changes, wanted):
    path = labelme(tmp_path / "a.json", ("roof", SQUARE), **changes)
    with pytest.raises(DataError) as error:
        read(path)
    assert error.value.problems == (f"{path}: {wanted}",)


def test_old_files_do_not_say_their_size(tmp_path):
    path = labelme(tmp_path / "a.json", ("roof", SQUARE), size=None)
    assert read(path).images[0].size is None


def test_recognised_by_its_parts():
    assert is_labelme({"shapes": [], "imagePath": "a.png"})
    assert not is_labelme({"shapes": []})
    assert not is_labelme(None)
