"""LabelMe JSON: one file an image, as github.com/wkentaro/labelme writes it.

How it draws shapes itself is in its ``labelme/utils/shape.py``.
"""

import base64
import binascii
from io import BytesIO
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image

from aerialseg.data.annotations.fields import Entry, points_of
from aerialseg.data.annotations.findings import NO_AREA, Findings
from aerialseg.data.annotations.shapes import (
    AnnotatedImage,
    Annotations,
    Points,
    Polygons,
    Runs,
    Shape,
    ellipse,
    image_name,
    rectangle,
    with_area,
)

_NO_AREA = ("point", "points", "line", "linestrip")
_POLYGONS = ("polygon", "oriented_rectangle", "rotation")


def is_labelme(content: object) -> bool:
    """Whether the content of a JSON file has the parts of LabelMe."""
    return isinstance(content, dict) and {"shapes", "imagePath"} <= content.keys()


def read_labelme(content: object, path: Path) -> Annotations:
    """Reads the content of a LabelMe file; ``imageData`` and ``group_id`` make no difference.

    Raises:
        DataError: If it is damaged or has a shape of an unknown type.
    """
    root = Entry(content, str(path))
    findings = Findings()
    name = image_name(root.text("imagePath"))
    size = root.size("imageHeight", "imageWidth")
    entries = root.entries("shapes")
    found = [
        _shape(entry, f"shape {index}", f"{name} shape {index}", size, findings)
        for index, entry in enumerate(entries, start=1)
    ]
    shapes = tuple(shape for shape in found if shape is not None)
    labels = dict.fromkeys(shape.label for shape in shapes)
    image = AnnotatedImage(name, path, size, shapes)
    return Annotations("LabelMe", labels, (image,), has_table=False, findings=findings)


def _shape(
    entry: Entry, place: str, where: str, size: tuple[int, int] | None, findings: Findings
) -> Shape | None:
    """A shape by its type; None if it has no area."""
    kind = entry.get("shape_type") or "polygon"  # old files have polygons only
    if kind in _NO_AREA:
        findings.add(NO_AREA, where)
        return None
    points = points_of(entry.get("points"), entry.where)
    outline: Polygons | Runs | None
    if kind == "mask":
        outline = _bitmap(entry, points)
    elif kind == "circle":
        _require(points, (2,), entry)
        (x, y), edge = points.tolist()
        radius = float(np.hypot(edge[0] - x, edge[1] - y))
        outline = ellipse(x, y, radius, radius)
    elif kind == "rectangle" and len(points) != 4:
        _require(points, (2, 4), entry)
        low, high = points.min(axis=0), points.max(axis=0)
        corners = _to_the_edge(np.stack([low, high]), size).ravel().tolist()
        outline = rectangle(*corners)
    elif kind in (*_POLYGONS, "rectangle"):
        outline = with_area([_to_the_edge(points, size)], where, findings)
    else:
        raise entry.error("shape_type", "polygon, rectangle, circle or mask")
    return None if outline is None else Shape(entry.text("label").strip(), outline, place)


def _to_the_edge(points: Points, size: tuple[int, int] | None) -> Points:
    """Points in the last column or row, moved to the edge of the image.

    Most releases let nobody click beyond the last column's left side, so that a shape along the
    edge would leave a line of pixels without a label.
    """
    if size is None:
        return points
    ends = np.array(size[::-1], dtype=np.float64)
    return np.where((points >= ends - 1) & (points < ends), ends, points)


def _bitmap(entry: Entry, points: Points) -> Runs:
    """A bitmap: a PNG as text, which fills the rectangle of the points, the last row included."""
    _require(points, (2,), entry)
    try:
        data = base64.b64decode(entry.text("mask"), validate=True)
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            height, width = image.height, image.width
            inside = _inside(image, entry, points)
    except (binascii.Error, OSError, SyntaxError, ValueError):
        raise entry.error("mask", "a PNG in base64") from None
    runs = [(bool(value), len(list(group))) for value, group in groupby(inside.ravel().tolist())]
    counts = [length for _, length in runs]
    first = [0] if runs and runs[0][0] else []
    left, top = points.min(axis=0).astype(int).tolist()
    lengths = np.array([*first, *counts], dtype=np.int64)
    return Runs(lengths, height, width, by_columns=False, top=top, left=left)


def _inside(
    image: Image.Image, entry: Entry, points: Points
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The pixels of a bitmap, whose size must be that of its rectangle."""
    low, high = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
    width, height = (high - low + 1).tolist()
    if (image.width, image.height) != (width, height):
        raise entry.error("points", f"a rectangle of {image.width}x{image.height}, as its mask")
    return np.asarray(image.convert("L")) > 0


def _require(points: Points, numbers: tuple[int, ...], entry: Entry) -> None:
    if len(points) not in numbers:
        wanted = " or ".join(map(str, numbers))
        raise entry.error("points", f"{wanted} points for a {entry.get('shape_type')}")
