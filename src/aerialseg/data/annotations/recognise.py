"""Finds annotation files and tells their format by what they hold."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from aerialseg.data.annotations.coco import is_coco, read_coco
from aerialseg.data.annotations.cvat import is_cvat, read_cvat
from aerialseg.data.annotations.fields import read_json
from aerialseg.data.annotations.findings import Findings
from aerialseg.data.annotations.labelme import is_labelme, read_labelme
from aerialseg.data.annotations.shapes import AnnotatedImage, Annotations
from aerialseg.data.layouts.listing import count
from aerialseg.errors import DataError

_WANTED = "COCO or LabelMe JSON, or CVAT for images XML"
_SUFFIXES = (".json", ".xml")


class _Unknown(Exception):  # noqa: N818 - no error where other files are known
    """A file is no annotation file of a known format; the text says what it is instead."""


def read_annotations(source: Path, *, any_order: bool = False) -> Annotations:
    """Reads an annotation file, or all below a folder, which must be of one format.

    Args:
        source: A file, or a folder that is searched for JSON and XML files.
        any_order: Whether files may list different labels, because their order means nothing.

    Raises:
        DataError: If there are none, if one is damaged, if they are of several formats or list
            different labels, or if two describe the same image.
    """
    if not source.exists():
        raise DataError(f"input: {source}: no such file or folder; give {_WANTED}")
    paths = [source] if source.is_file() else _files(source)
    found: list[tuple[Path, Annotations]] = []
    unknown: list[tuple[Path, str]] = []
    for path in paths:
        try:
            found.append((path, _read(path)))
        except _Unknown as other:
            unknown.append((path, str(other)))
    if not found:
        reasons = [f"{path}: is {reason}; wanted {_WANTED}" for path, reason in unknown[:5]]
        raise DataError(*(reasons or [f"input: {source}: holds no {_WANTED}"]))
    annotations = _merged(found, any_order=any_order)
    for path, reason in unknown:
        annotations.findings.add(f"files that are not used, {reason}", path.name)
    return annotations


def _files(folder: Path) -> list[Path]:
    """JSON and XML files below a folder; hidden ones are left out."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [Path(place, name) for name in sorted(names) if not name.startswith(".")]
        found += [path for path in paths if path.suffix.lower() in _SUFFIXES]
    return found


def _read(path: Path) -> Annotations:
    """One file, by what it begins with."""
    try:
        with path.open("rb") as file:
            start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if start.startswith(b"PK\x03\x04"):
        raise DataError(f"{path}: is a zip archive; unpack it and give its folder: input=FOLDER")
    if start[:1] == b"<" or start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _read_xml(path)
    content = read_json(path)
    readers: tuple[tuple[Callable[[object], bool], Callable[[object, Path], Annotations]], ...] = (
        (is_coco, read_coco),
        (is_labelme, read_labelme),
    )
    fitting = [read for fits, read in readers if fits(content)]
    if len(fitting) > 1:
        raise DataError(f"{path}: has the parts of COCO and of LabelMe; export it again as one")
    if not fitting:
        raise _Unknown(_seems(content))
    return fitting[0](content, path)


def _read_xml(path: Path) -> Annotations:
    """A file of CVAT."""
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{path}: is not valid XML: {error}; export it again") from None
    if not is_cvat(root):
        is_voc = root.tag == "annotation"
        what = "Pascal VOC, which has boxes only" if is_voc else f"XML with the root '{root.tag}'"
        raise _Unknown(what)
    return read_cvat(root, path)


def _seems(content: object) -> str:
    """What JSON of another format is."""
    tool = None
    if isinstance(content, list) and content and isinstance(content[0], dict):
        if {"annotations", "data"} <= content[0].keys():
            tool = "Label Studio"
    elif isinstance(content, dict):
        first = next(iter(content.values()), None)
        if "_via_img_metadata" in content or (isinstance(first, dict) and "regions" in first):
            tool = "VGG Image Annotator"
        elif {"objects", "size"} <= content.keys():
            tool = "Supervisely"
    if tool:
        return f"of {tool}, which can export COCO"
    return "JSON of another kind"


def _merged(found: Sequence[tuple[Path, Annotations]], *, any_order: bool) -> Annotations:
    """The annotations of several files as one."""
    first_path, first = found[0]
    for path, each in found[1:]:
        if each.format != first.format:
            raise DataError(
                f"input: {first_path} is {first.format} and {path} is {each.format}; give one of "
                "them, or a folder with one format"
            )
        if first.has_table and list(each.labels) != list(first.labels) and not any_order:
            raise DataError(
                f"input: {first_path} lists the labels {', '.join(first.labels)}, {path} lists "
                f"{', '.join(each.labels)}; say in which order they are classes with "
                "task.classes=FILE, a classes.yaml, or give one file"
            )
    labels = {label: colour for _, each in reversed(found) for label, colour in each.labels.items()}
    order = labels if first.has_table else sorted(labels)
    if first.has_table:
        order = dict.fromkeys(label for _, each in found for label in each.labels)
    findings = Findings()
    for _, each in found:
        findings.take(each.findings)
    images = tuple(image for _, each in found for image in each.images)
    _check_once(images)
    named = {label: labels[label] for label in order}
    return Annotations(first.format, named, images, first.has_table, findings)


def _check_once(images: Sequence[AnnotatedImage]) -> None:
    """Checks that the files list images at all."""
    if not images:
        raise DataError("input: the annotations list no image; export them again")
    shown = {image.file for image in images}
    empty = [image.name for image in images if not image.name.strip("./")]
    if empty:
        raise DataError(f"{next(iter(shown))}: {count(empty, 'image')} without a file name")
