import numpy as np
import pytest

from aerialseg.data.annotations.findings import Findings
from aerialseg.data.annotations.painting import paint_shapes
from aerialseg.data.annotations.shapes import AnnotatedImage, Polygons, Shape, rectangle

SIZE = (10, 20)
IDS = {"roof": 1, "car": 2, "shadow": 255}
BIG, SMALL = (0, 0, 10, 10), (5, 2, 12, 4)  # they share 5 x 2 pixels


def paint(*shapes, order="auto", format="LabelMe", unlabelled=0):
    findings = Findings()
    made = [
        Shape(label, rectangle(*corners), f"shape {i}", **dict(*more))
        for i, (label, corners, *more) in enumerate(shapes, start=1)
    ]
    image = AnnotatedImage("a.png", "a.json", SIZE, tuple(made))
    painted = paint_shapes(
        image, SIZE, IDS, unlabelled=unlabelled, order=order, format=format, findings=findings
    )
    return painted, list(findings.lines())


def counts(painted):
    values, numbers = np.unique(painted.mask, return_counts=True)
    return dict(zip(values.tolist(), numbers.tolist(), strict=True))


@pytest.mark.parametrize("unlabelled", [0, 255])
def test_pixels_under_no_shape(unlabelled):
    painted, lines = paint(("roof", BIG), unlabelled=unlabelled)
    assert counts(painted) == {1: 100, unlabelled: 100}
    assert (painted.unlabelled, painted.contested, lines) == (100, 0, [])


@pytest.mark.parametrize(
    ("format", "order", "first_is_seen"),
    [
        ("LabelMe", "auto", False),  # the later one
        ("CVAT", "auto", True),  # the higher one
        ("COCO", "auto", True),  # the smaller one
        ("COCO", "file", False),
        ("CVAT", "file", False),
        ("LabelMe", "area", True),
    ],
)
def test_which_of_two_shapes_is_seen(format, order, first_is_seen):
    first, second = ("car", SMALL, {"level": 3}), ("roof", BIG, {"level": 2})
    painted, _ = paint(first, second, format=format, order=order)
    car = 14 if first_is_seen else 4
    assert counts(painted) == {0: 200 - 104, 1: 104 - car, 2: car}
    assert painted.contested == 10
    assert painted.unlabelled == 96


def test_pixels_under_several_shapes_of_one_class_are_not_contested():
    painted, _ = paint(("roof", BIG), ("roof", SMALL), ("car", (19, 9, 20, 10)))
    assert counts(painted) == {0: 95, 1: 104, 2: 1}
    assert painted.contested == 0


def test_a_pixel_under_three_shapes_is_contested_once():
    painted, _ = paint(("roof", BIG), ("car", BIG), ("roof", BIG))
    assert painted.contested == 100


def test_ignored_labels_are_painted_too():
    painted, _ = paint(("roof", BIG), ("shadow", SMALL))
    assert counts(painted) == {0: 96, 1: 90, 255: 14}
    assert (painted.unlabelled, painted.contested) == (96, 10)


@pytest.mark.parametrize("unlabelled", [0, 255])
def test_a_box_is_ignored_where_no_shape_is_whatever_comes_first(unlabelled):
    shapes = ("roof", BIG), ("car", SMALL, {"only_a_box": True})
    for each in (shapes, shapes[::-1]):
        painted, _ = paint(*each, unlabelled=unlabelled, format="COCO")
        assert (painted.mask[2:4, 10:12] == 255).all()
        assert (painted.mask == 1).sum() == 100
        assert (painted.unlabelled, painted.contested) == (96, 0)


def test_odd_shapes_are_noted():
    bow_tie = Polygons((np.array([[0, 0], [9, 9], [9, 0], [0, 9]], dtype=float),))
    nested = Polygons((*rectangle(*BIG).parts, *rectangle(3, 3, 5, 5).parts))
    thin, outside = rectangle(3.6, 0, 3.9, 10), rectangle(30, 2, 40, 8)
    outlines = (bow_tie, nested, thin, outside)
    shapes = [Shape("roof", each, f"shape {i}") for i, each in enumerate(outlines, start=1)]
    findings = Findings()
    paint_shapes(
        AnnotatedImage("a.png", "a.json", SIZE, tuple(shapes)),
        SIZE,
        IDS,
        unlabelled=0,
        order="auto",
        format="COCO",
        findings=findings,
    )
    assert list(findings.lines()) == [
        "polygons that cross themselves, drawn by the even-odd rule, which may leave holes: 1 case "
        "(a.png shape 1)",
        "polygons within others of the same object, filled: COCO has no holes in polygons: 1 case "
        "(a.png shape 2)",
        "shapes that cover no pixel, because they are too thin or outside their image: 2 cases "
        "(a.png shape 3, a.png shape 4)",
    ]
