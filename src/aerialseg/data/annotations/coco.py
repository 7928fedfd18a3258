"""COCO JSON: polygons and run lengths, described at cocodataset.org under "data format"."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aerialseg.data.annotations.fields import Entry, counts_of, is_number
from aerialseg.data.annotations.findings import Findings, check_once
from aerialseg.data.annotations.run_lengths import uncompress
from aerialseg.data.annotations.shapes import (
    AnnotatedImage,
    Annotations,
    Points,
    Runs,
    Shape,
    image_name,
    rectangle,
    with_area,
)
from aerialseg.errors import DataError

_ONLY_BOXES = "objects of which only a box is known, whose pixels are ignored where no shape is"
_ONLY_POINTS = "objects with neither a shape nor a box, left out"


def is_coco(content: object) -> bool:
    """Whether the content of a JSON file has the parts of COCO."""
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def read_coco(content: object, path: Path) -> Annotations:
    """Reads the content of a COCO file.

    Labels are the categories in the order in which the file lists them. ``iscrowd`` makes no
    difference: a crowd is an area of its class.

    Raises:
        DataError: If it is damaged, names an image or category twice or one that is not there, or
            holds no shapes but boxes, keypoints, captions or panoptic segments.
    """
    root = Entry(content, str(path))
    findings = Findings()
    names = _categories(root)
    images = {entry.key("id"): entry for entry in _images(root)}
    shapes: dict[int | str, list[Shape]] = {key: [] for key in images}
    annotations = root.entries("annotations")
    for entry in annotations:
        image = entry.key("image_id")
        category = entry.key("category_id")
        if image not in images:
            raise DataError(f"{entry.where}: there is no image with the id {image!r}")
        if category not in names:
            raise DataError(f"{entry.where}: there is no category with the id {category!r}")
        place = f"annotation {entry.get('id')}"
        where = f"{images[image].text('file_name')} {place}"
        shapes[image] += _shapes(entry, names[category], place, where, findings)
    if annotations and all(shape.only_a_box for each in shapes.values() for shape in each):
        raise DataError(
            f"{path}: none of its {len(annotations)} annotations has a segmentation, they are "
            "boxes or keypoints; export polygons or masks"
        )
    found = [
        AnnotatedImage(
            image_name(entry.text("file_name")),
            path,
            entry.size("height", "width"),
            tuple(shapes[key]),
        )
        for key, entry in images.items()
    ]
    return Annotations("COCO", dict.fromkeys(names.values()), tuple(found), findings=findings)


def _categories(root: Entry) -> dict[int | str, str]:
    """The label of each category id."""
    if root.get("categories") is None:
        raise DataError(
            f"{root.where}: has no categories, so it is not for segmentation; give the file with "
            "the instances"
        )
    entries = root.entries("categories")
    names = {entry.key("id"): entry.text("name").strip() for entry in entries}
    if not names:
        raise DataError(f"{root.where}: its list of categories is empty; export it with classes")
    if len(names) < len(entries):
        raise DataError(f"{root.where}: two categories have the same id; correct one")
    return names


def _images(root: Entry) -> list[Entry]:
    """The entries of the images, each of which is there once."""
    entries = root.entries("images")
    for key in ("id", "file_name"):
        check_once((entry.key(key) for entry in entries), key, root.where)
    return entries


def _shapes(
    entry: Entry, label: str, place: str, where: str, findings: Findings
) -> Iterator[Shape]:
    """The area of an annotation, if it has one."""
    if entry.get("segments_info") is not None:
        raise DataError(
            f"{entry.where}: is panoptic; its masks are files already, see data.mask_format"
        )
    given = entry.get("segmentation")
    if isinstance(given, dict):
        yield Shape(label, _runs(Entry(given, f"{entry.where}.segmentation")), place)
        return
    if given is not None and not isinstance(given, list):
        raise entry.error("segmentation", "a list of polygons, or run lengths")
    if given:
        outline = with_area([_polygon(each, entry) for each in given], where, findings)
        if outline is not None:
            yield Shape(label, outline, place)
        return
    box = entry.get("bbox")
    if isinstance(box, list) and len(box) == 4 and all(map(is_number, box)) and min(box[2:]) > 0:
        left, top, width, height = box
        findings.add(_ONLY_BOXES, where)
        edges = rectangle(left, top, left + width, top + height)
        yield Shape(label, edges, place, only_a_box=True)
    else:
        findings.add(_ONLY_POINTS, where)


def _polygon(values: object, entry: Entry) -> Points:
    """Corners from ``[x, y, x, y, ...]``."""
    if isinstance(values, list) and len(values) % 2 == 0 and all(map(is_number, values)):
        return np.array(values, dtype=np.float64).reshape(-1, 2)
    raise entry.error("segmentation", "[[x, y, x, y, ...], ...], a list for each polygon")


def _runs(entry: Entry) -> Runs:
    """Run lengths, as numbers or compressed to a text."""
    size, counts = entry.get("size"), entry.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(type(v) is int for v in size)):
        raise entry.error("size", "[height, width]")
    if isinstance(counts, str):
        counts = uncompress(counts.encode(), entry.where).tolist()
    if not isinstance(counts, list):
        raise entry.error("counts", "run lengths")
    height, width = size
    checked = counts_of(counts, height, width, entry.where)
    return Runs(checked, height, width, by_columns=True, is_whole=True)
