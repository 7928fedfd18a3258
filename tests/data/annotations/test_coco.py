import json

import numpy as np
import pytest
from pycocotools import mask as oracle

from aerialseg.data.annotations.coco import is_coco, read_coco
from aerialseg.data.annotations.rasteriser import draw
from aerialseg.errors import DataError
from helpers.annotations import SQUARE, coco, flat

# Of pycocotools, the oracle.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = (12, 16)


def read(path):
    return read_coco(json.loads(path.read_text()), path)


def random_masks():
    rng = np.random.default_rng(0)
    coarse = [rng.integers(0, 2, (4, 4)).repeat(3, 0).repeat(4, 1) for _ in range(20)]
    return [*coarse, np.zeros(SIZE), np.ones(SIZE), *(rng.integers(0, 2, SIZE) for _ in range(20))]


def test_compressed_runs_are_decoded_as_pycocotools_does(tmp_path):
    masks = [np.asfortranarray(mask, dtype=np.uint8) for mask in random_masks()]
    codes = [oracle.encode(mask) for mask in masks]
    shapes = [(0, 1, {"size": list(SIZE), "counts": c["counts"].decode()}) for c in codes]
    (image,) = read(coco(tmp_path / "c.json", shapes=shapes)).images
    for shape, mask in zip(image.shapes, masks, strict=True):
        assert (draw(shape.outline, SIZE).inside == mask.astype(bool)).all()


def test_long_runs_are_decoded_too(tmp_path):
    mask = np.zeros((3000, 5000), dtype=np.uint8, order="F")
    mask[:, 1234] = 1
    mask[7, 4000:] = 1
    code = oracle.encode(mask)["counts"].decode()
    shapes = [(0, 1, {"size": [3000, 5000], "counts": code})]
    (image,) = read(coco(tmp_path / "c.json", size=mask.shape, shapes=shapes)).images
    assert (draw(image.shapes[0].outline, mask.shape).inside == mask.astype(bool)).all()


def test_runs_as_numbers_are_those_of_the_format(tmp_path):
    # Down the columns: 13 outside, so the second row of the second column is the first inside.
    shapes = [(0, 1, {"size": list(SIZE), "counts": [13, 2, 177]}, {"iscrowd": 1})]
    (image,) = read(coco(tmp_path / "c.json", shapes=shapes)).images
    rows, columns = np.nonzero(draw(image.shapes[0].outline, SIZE).inside)
    assert (rows.tolist(), columns.tolist()) == ([1, 2], [1, 1])


def test_labels_are_the_categories_in_their_order_whatever_their_ids(tmp_path):
    categories = [{"id": 90, "name": "car"}, {"id": 3, "name": "roof "}, {"id": 7, "name": "pool"}]
    path = coco(tmp_path / "c.json", shapes=[(0, 3, [flat(SQUARE)])], labels=())
    content = json.loads(path.read_text()) | {"categories": categories}
    found = read_coco(content, path)
    assert list(found.labels) == ["car", "roof", "pool"]
    assert [shape.label for shape in found.images[0].shapes] == ["roof"]


def test_what_has_no_outline_is_noted(tmp_path):
    shapes = [
        (0, 1, [flat(SQUARE)]),
        (0, 1, [flat(SQUARE), [1, 2, 3, 4]]),  # pycocotools would take the second for a box
        (0, 1, [], {"bbox": [4, 5, 3, 2]}),
        (0, 1, [], {"keypoints": [1, 2, 2]}),
    ]
    found = read(coco(tmp_path / "c.json", shapes=shapes))
    square, parts, box = found.images[0].shapes
    assert [len(each.outline.parts) for each in (square, parts)] == [1, 1]
    assert box.only_a_box
    assert box.outline.parts[0].tolist() == [[4, 5], [7, 5], [7, 7], [4, 7]]
    lines = "\n".join(found.findings.lines())
    assert (
        "only a box is known, whose pixels are ignored where no shape is: 1 case (a.png " in lines
    )
    assert "neither a shape nor a box, left out: 1 case (a.png annotation 4)" in lines
    assert "fewer than 3 points, which have no area, left out: 1 case (a.png annotation 2)" in lines


def test_backslashes_become_slashes(tmp_path):
    (image,) = read(coco(tmp_path / "c.json", names=["north\\a.png"])).images
    assert image.name == "north/a.png"


RLE = {"size": [12, 16], "counts": [13, 2, 177]}
BROKEN = {
    "no categories": ({"categories": None}, "has no categories, so it is not for segmentation"),
    "empty categories": ({"categories": []}, "its list of categories is empty"),
    "category id twice": (
        {"categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]},
        "two categories have the same id",
    ),
    "category without a name": (
        {"categories": [{"id": 1, "name": " "}]},
        "categories[0]: name is ' '; wanted a text",
    ),
    "unknown category": ({"shapes": [(0, 5, [flat(SQUARE)])]}, "no category with the id 5"),
    "unknown image": ({"shapes": [(4, 1, [flat(SQUARE)])]}, "annotations[0]: there is no image"),
    "an image twice": (
        {"names": ["a.png", "a.png"]},
        "more than one image for 1 file_name (a.png)",
    ),
    "boxes only": (
        {"shapes": [(0, 1, [], {"bbox": [1, 2, 3, 4]})]},
        "none of its 1 annotations has a segmentation, they are boxes or keypoints",
    ),
    "panoptic": (
        {"shapes": [(0, 1, [], {"segments_info": []})]},
        "is panoptic; its masks are files",
    ),
    "captions": (
        {"annotations": [{"id": 1, "image_id": 0, "caption": "a roof"}]},
        "annotations[0]: category_id is missing; wanted an id",
    ),
    "one list of numbers": (
        {"shapes": [(0, 1, flat(SQUARE))]},
        "annotations[0]: segmentation is [2, 3, 7, 3, 7, 9, ...]; wanted [[x, y, x, y, ...], ...]",
    ),
    "pairs": ({"shapes": [(0, 1, [SQUARE])]}, "wanted [[x, y, x, y, ...], ...]"),
    "an odd number": ({"shapes": [(0, 1, [[1, 2, 3, 4, 5, 6, 7]])]}, "wanted [[x, y,"),
    "no number": ({"shapes": [(0, 1, [[1, 2, 3, 4, 5, None]])]}, "wanted [[x, y,"),
    "not finite": ({"shapes": [(0, 1, [[1, 2, 3, 4, 5, float("nan")]])]}, "wanted [[x, y,"),
    "too few runs": (
        {"shapes": [(0, 1, RLE | {"counts": [13, 2]})]},
        "its run lengths add up to 15; wanted the 192 pixels of a bitmap of 16x12",
    ),
    "negative runs": (
        {"shapes": [(0, 1, RLE | {"counts": [13, -2, 181]})]},
        "its run lengths are not whole numbers from 0",
    ),
    "cut text": ({"shapes": [(0, 1, RLE | {"counts": "=2"})]}, "its run lengths add up to 15"),
    "half a number": (
        {"shapes": [(0, 1, RLE | {"counts": "=2P"})]},
        "its compressed run lengths are damaged",
    ),
    "strange text": (
        {"shapes": [(0, 1, RLE | {"counts": "=2é"})]},
        "its compressed run lengths are damaged",
    ),
    "no size": ({"shapes": [(0, 1, RLE | {"size": None})]}, "size is None; wanted [height, width]"),
    "size of an image": (
        {"images": [{"id": 0, "file_name": "a.png", "height": 0, "width": 3}]},
        "images[0]: height is 0; wanted a whole number from 1",
    ),
    "no list": ({"annotations": {"1": 2}}, "annotations is {'1': 2}; wanted a list"),
    "no object": ({"annotations": [7]}, "annotations[0]: is 7; wanted an object"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_in_one_line(tmp_path, case):
    changes, wanted = BROKEN[case]
    path = coco(tmp_path / "c.json", **changes)
    with pytest.raises(DataError) as error:
        read(path)
    (line,) = error.value.problems
    assert line.startswith(str(path))
    assert wanted in line


def test_recognised_by_its_parts():
    assert is_coco({"images": [], "annotations": []})
    assert not is_coco({"images": []})
    assert not is_coco([])
