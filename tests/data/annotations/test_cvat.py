from xml.etree import ElementTree

import numpy as np
import pytest

from aerialseg.data.annotations.cvat import read_cvat
from aerialseg.errors import DataError
from helpers.annotations import SIZE, block, cvat, drawn

POLYGON = '<polygon label="roof" points="2.00,3.00;7.00,3.00;7.00,9.00;2.00,9.00"/>'


def read(path):
    return read_cvat(ElementTree.parse(path).getroot(), path)


def pixels(path):
    """The area of its only shape."""
    return drawn(read(path))


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [
        (POLYGON, (3, 9), (2, 7)),
        ('<box label="roof" xtl="2" ytl="3" xbr="7" ybr="9"/>', (3, 9), (2, 7)),
        ('<box label="roof" xtl="2" ytl="3" xbr="12" ybr="5" rotation="90"/>', (0, 9), (6, 8)),
        ('<mask label="roof" rle="0, 30" left="2" top="3" width="5" height="6"/>', (3, 9), (2, 7)),
    ],
)
def test_the_pixels_of_each_kind_of_shape(tmp_path, shape, rows, columns):
    assert (pixels(cvat(tmp_path / "a.xml", shape)) == block(rows, columns)).all()


def test_runs_go_along_the_rows_of_their_part_of_the_image(tmp_path):
    shape = '<mask label="roof" rle="1, 3, 2" left="4" top="5" width="3" height="2"/>'
    rows, columns = np.nonzero(pixels(cvat(tmp_path / "a.xml", shape)))
    assert list(zip(rows, columns, strict=True)) == [(5, 5), (5, 6), (6, 4)]


def test_an_ellipse_has_its_radii(tmp_path):
    mask = pixels(cvat(tmp_path / "a.xml", '<ellipse label="roof" cx="8" cy="6" rx="6" ry="3"/>'))
    rows, columns = np.indices(SIZE) + 0.5
    assert (mask == (((columns - 8) / 6) ** 2 + ((rows - 6) / 3) ** 2 < 1)).all()


def test_labels_have_the_order_and_colours_of_the_task_but_for_those_without_an_area(tmp_path):
    path = cvat(tmp_path / "a.xml", POLYGON)
    text = path.read_text().replace(
        "</labels>", "<label><name>night</name><type>tag</type></label></labels>"
    )
    path.write_text(text)
    assert dict(read(path).labels) == {"roof": (16, 32, 48), "car": (255, 0, 0)}


def test_levels_subsets_and_what_has_no_area(tmp_path):
    path = cvat(
        tmp_path / "a.xml",
        POLYGON.replace("/>", ' z_order="-3"/>'),
        '<tag label="car"/>',
        '<polyline label="car" points="1,2;3,4"/>',
        '<polygon label="car" points="1,2;3,4"/>',
        name="north\\a.png",
        subset="train",
    )
    found = read(path)
    (image,) = found.images
    assert image.name == "train/north/a.png"
    assert image.size == SIZE
    assert [shape.level for shape in image.shapes] == [-3]
    assert list(found.findings.lines()) == [
        "points, lines and other shapes without an area, left out: 1 case "
        "(train/north/a.png polyline 3)",
        "polygons of fewer than 3 points, which have no area, left out: 1 case "
        "(train/north/a.png polygon 4)",
    ]


MASK = '<mask label="roof" rle="{}" left="2" top="3" width="5" height="6"/>'
BROKEN = {
    "label": (POLYGON.replace("roof", "rof"), "not in its list of labels; did you mean 'roof'?"),
    "no label": (POLYGON.replace(' label="roof"', ""), "an element 'polygon' has no label"),
    "points": (POLYGON.replace("2.00,3.00", "2.00"), "points is '2.00;7.00,3.00;"),
    "no number": (POLYGON.replace("2.00,", "nan,"), "points is 'nan,3.00;"),
    "box": ('<box label="roof" xtl="2" ytl="x" xbr="7" ybr="9"/>', "ytl is 'x'; wanted a number"),
    "short runs": (MASK.format("0, 29"), "add up to 29; wanted the 30 pixels of a bitmap of 5x6"),
    "odd runs": (MASK.format("0, -30"), "its run lengths are not whole numbers from 0"),
    "unknown": ('<blob label="roof"/>', "shape is blob; wanted polygon, box, ellipse or mask"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_shapes_are_refused_in_one_line(tmp_path, case):
    shape, wanted = BROKEN[case]
    path = cvat(tmp_path / "a.xml", shape)
    with pytest.raises(DataError) as error:
        read(path)
    (line,) = error.value.problems
    assert line.startswith(f"{path}: ")
    assert wanted in line


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("<image ", '<track id="0" label="roof"/><image ', "is of CVAT for video"),
        ('width="16"', 'width="16.5"', "width and height is 16.5x12; wanted whole numbers from 1"),
        ("<labels>", "<labels><!--", "has no list of labels"),
        ("</annotations>", '<image name="a.png" width="1" height="1"/></annotations>', "(a.png)"),
    ],
)
def test_broken_files_are_refused_in_one_line(tmp_path, old, new, wanted):
    path = cvat(tmp_path / "a.xml", POLYGON)
    text = path.read_text().replace(old, new)
    path.write_text(text.replace("</labels>", "--></labels>") if "<!--" in new else text)
    with pytest.raises(DataError) as error:
        read(path)
    (line,) = error.value.problems
    assert line.startswith(f"{path}: ")
    assert wanted in line
