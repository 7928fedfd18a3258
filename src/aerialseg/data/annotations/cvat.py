"""CVAT for images 1.1 (XML), described at docs.cvat.ai under "XML annotation format".

Masks and ellipses are read as CVAT's ``dataset_manager`` writes them; how it turns boxes is in the
same place.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from aerialseg.data.annotations.fields import counts_of
from aerialseg.data.annotations.findings import NO_AREA, Findings, check_once
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
from aerialseg.errors import DataError, did_you_mean
from aerialseg.storage.names import quoted

_NO_AREA = ("points", "polyline", "cuboid", "skeleton", "tag")
_COLOUR = re.compile("#[0-9a-fA-F]{6}")


def is_cvat(root: Element) -> bool:
    """Whether an XML document has the root of CVAT."""
    return root.tag == "annotations"


def read_cvat(root: Element, path: Path) -> Annotations:
    """Reads a document of CVAT for images.

    Labels are those of the task, with their colours, except types that have no area.

    Raises:
        DataError: If it is damaged, of CVAT for video, or uses a label that is not in its list.
    """
    if root.find("track") is not None:
        raise DataError(
            f"{path}: is of CVAT for video, whose shapes belong to frames and not to files; export "
            "it as CVAT for images 1.1"
        )
    findings = Findings()
    labels = _labels(root, path)
    images = []
    for element in root.iter("image"):
        reader = _Image(element, path, findings)
        images.append(reader.image())
        for shape in images[-1].shapes:
            if shape.label not in labels:
                raise DataError(
                    f"{path}: {images[-1].where(shape)} has the label {quoted(shape.label)}, "
                    f"which is not in its list of labels{did_you_mean(shape.label, labels)}"
                )
    check_once((image.name for image in images), "name", str(path))
    return Annotations("CVAT", labels, tuple(images), findings=findings)


def _labels(root: Element, path: Path) -> dict[str, tuple[int, int, int] | None]:
    """Names and colours in the order of the task."""
    found: dict[str, tuple[int, int, int] | None] = {}
    meta = root.find("meta")
    for element in () if meta is None else meta.iter("label"):
        name = (element.findtext("name") or "").strip()
        if not name or element.findtext("type") in _NO_AREA or element.find("parent") is not None:
            continue
        colour = (element.findtext("color") or "").strip()
        rgb = None
        if _COLOUR.fullmatch(colour):
            red, green, blue = bytes.fromhex(colour[1:])
            rgb = (red, green, blue)
        found.setdefault(name, rgb)
    if not found:
        raise DataError(f"{path}: has no list of labels (meta, labels); export it again")
    return found


class _Image:
    """Reads one image of a document.

    Args:
        element: Its element.
        path: The file.
        findings: Where to note what is left out.
    """

    def __init__(self, element: Element, path: Path, findings: Findings) -> None:
        self._element = element
        self._path = path
        self._findings = findings
        name = image_name(self._text(element, "name"))
        subset = element.get("subset")
        self._name = name if subset in (None, "", "default") else f"{subset}/{name}"
        self._number = 0

    def image(self) -> AnnotatedImage:
        """The image with its shapes in the order of the file."""
        width, height = (self._number_of(self._element, key) for key in ("width", "height"))
        if width < 1 or height < 1 or width % 1 or height % 1:
            raise self._error("width and height", f"{width:g}x{height:g}", "whole numbers from 1")
        shapes = tuple(self._shapes())
        return AnnotatedImage(self._name, self._path, (int(height), int(width)), shapes)

    def _shapes(self) -> Iterator[Shape]:
        """The shapes that have an area; notes the others."""
        for element in self._element:
            self._number += 1
            place = f"{element.tag} {self._number}"
            if element.tag in _NO_AREA:
                if element.tag != "tag":
                    self._findings.add(NO_AREA, f"{self._name} {place}")
                continue
            outline = self._outline(element, f"{self._name} {place}")
            if outline is not None:
                level = int(self._number_of(element, "z_order", 0))
                yield Shape(self._text(element, "label").strip(), outline, place, level)

    def _outline(self, element: Element, where: str) -> Polygons | Runs | None:
        """The area of a shape, if it has one."""
        turn = self._number_of(element, "rotation", 0)
        if element.tag == "polygon":
            return with_area([self._points(element)], where, self._findings)
        if element.tag == "box":
            keys = ("xtl", "ytl", "xbr", "ybr")
            left, top, right, bottom = (self._number_of(element, key) for key in keys)
            return rectangle(left, top, right, bottom, turn)
        if element.tag == "ellipse":
            x, y, across, down = (self._number_of(element, k) for k in ("cx", "cy", "rx", "ry"))
            return ellipse(x, y, across, down, turn)
        if element.tag == "mask":
            return self._runs(element)
        raise self._error("shape", element.tag, "polygon, box, ellipse or mask")

    def _points(self, element: Element) -> Points:
        """Corners from ``x,y;x,y;...``."""
        text = self._text(element, "points")
        try:
            pairs = [[float(value) for value in pair.split(",")] for pair in text.split(";")]
            points = np.array(pairs, dtype=np.float64).reshape(len(pairs), 2)
        except ValueError:
            points = np.array([[np.nan, np.nan]])
        if not np.isfinite(points).all():
            raise self._error("points", quoted(text), "x,y;x,y;...")
        return points

    def _runs(self, element: Element) -> Runs:
        """Run lengths along the rows of a part of the image."""
        keys = ("left", "top", "width", "height")
        left, top, width, height = (int(self._number_of(element, key)) for key in keys)
        text = self._text(element, "rle")
        words = [word.strip() for word in text.split(",")]
        values: list[object] = [int(word) if word.isdecimal() else word for word in words]
        where = f"{self._path}: {self._name} {element.tag} {self._number}"
        counts = counts_of(values, height, width, where)
        return Runs(counts, height, width, by_columns=False, top=top, left=left)

    def _text(self, element: Element, key: str) -> str:
        """An attribute that must be there."""
        value = element.get(key)
        if value is None or not value.strip():
            raise DataError(
                f"{self._path}: an element '{element.tag}' has no {key}; export it again"
            )
        return value

    def _number_of(self, element: Element, key: str, default: float | None = None) -> float:
        """An attribute that is a finite number."""
        if default is not None and element.get(key) is None:
            return default
        text = self._text(element, key)
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise self._error(key, quoted(text), "a number")
        return value

    def _error(self, what: str, found: str, wanted: str) -> DataError:
        place = f" item {self._number}" if self._number else ""
        return DataError(f"{self._path}: {self._name}{place}: {what} is {found}; wanted {wanted}")
