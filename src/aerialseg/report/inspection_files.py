"""The files of an inspection: findings for programs, measurements for tables, groups for splits."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aerialseg.data.checks.finding import SEVERITIES
from aerialseg.data.checks.inspected import InspectedImage
from aerialseg.data.checks.inspection import Inspection
from aerialseg.storage.atomic_files import csv_text, remove_file, write_json, write_text

FINDINGS, IMAGES, PAGE = "findings.json", "images.csv", "inspection.html"

_SPLITS = ("train", "val", "test", "")
_COLUMNS = (
    *("image", "split", "is_sound", "format", "channels", "width", "height", "orientation"),
    *("camera", "latitude", "longitude", "height_above_takeoff", "brightness", "sharpness"),
    *("ignored_share", "nodata_share", "digest"),
)
_FACTS = len(_COLUMNS) - 6  # of the image itself, between is_sound and ignored_share


def write_inspection(inspection: Inspection, folder: Path) -> None:
    """Writes tables of groups that findings name, ``images.csv`` and, last, ``findings.json``.

    The page of an earlier inspection is removed first: it would contradict these files.

    Args:
        inspection: All that was found.
        folder: Where to.
    """
    remove_file(folder / PAGE)
    for path, groups in inspection.tables.items():
        write_text(path, csv_text(("image", "group"), groups.items()))
    header = (*_COLUMNS, *(f"pixels {name}" for name in inspection.classes))
    rows = (_row(image, len(inspection.classes)) for image in inspection.images)
    write_text(folder / IMAGES, csv_text(header, rows))
    write_json(folder / FINDINGS, _content(inspection))


def severities(inspection: Inspection) -> dict[str, int]:
    """How many findings of each severity there are."""
    found = Counter(finding.severity for finding in inspection.findings)
    return {severity: found[severity] for severity in SEVERITIES}


def _content(inspection: Inspection) -> dict[str, Any]:
    """All findings, the statistics of each split, and the pairs of images of one place."""
    return {
        "data": inspection.place,
        "data_fingerprint": inspection.fingerprint,
        "images": len(inspection.images),
        "counts": severities(inspection),
        "findings": [asdict(finding) for finding in inspection.findings],
        "splits": {
            name or "none": statistics(images, inspection.classes)
            for name, images in images_by_split(inspection)
        },
        "overlaps": [
            {
                "first": pair.one.sample.id,
                "second": pair.other.sample.id,
                "share": round(pair.share, 4),
                "is_copy": pair.is_copy,
                "splits": [each.sample.split for each in (pair.one, pair.other)],
            }
            for pair in inspection.pairs
        ],
    }


def images_by_split(inspection: Inspection) -> Iterator[tuple[str, list[InspectedImage]]]:
    """The sound images of each split that has some; images without a split have an empty name."""
    for name in _SPLITS:
        split = name or None
        chosen = [each for each in inspection.images if each.sample.split == split]
        chosen = [each for each in chosen if each.is_sound]
        if chosen:
            yield name, chosen


def statistics(images: Sequence[InspectedImage], classes: Sequence[str]) -> dict[str, Any]:
    """Of the images of one split: how many, and the pixels and images of each class."""
    pixels = [each.pixels for each in images if each.pixels is not None]
    return {
        "images": len(images),
        "without_mask": sum(each.sample.mask is None for each in images),
        "ignored_pixels": sum(each.ignored for each in images),
        "nodata_pixels": sum(each.nodata for each in images),
        "class_pixels": {
            name: int(sum(row[index] for row in pixels)) for index, name in enumerate(classes)
        },
        "images_with_class": {
            name: int(sum(row[index] > 0 for row in pixels)) for index, name in enumerate(classes)
        },
    }


def _row(image: InspectedImage, classes: int) -> list[object]:
    """One line of ``images.csv``."""
    sample, measured = image.sample, image.measured
    facts: list[object] = [None] * _FACTS
    if measured is not None:
        position = measured.camera.position
        place = (
            (position.latitude, position.longitude, position.height) if position else (None,) * 3
        )
        facts = [measured.format, measured.channels, *reversed(measured.size)]
        facts += [measured.orientation, measured.camera.camera, *place]
        facts += [round(measured.brightness, 3), round(measured.sharpness, 3)]
    labels: list[object] = [None] * (2 + classes)
    if image.pixels is not None:
        total = max(1, int(image.pixels.sum()) + image.ignored)
        labels = [round(image.ignored / total, 6), round(image.nodata / total, 6)]
        labels += image.pixels.tolist()
    digest = None if measured is None else measured.digest
    return [
        *(sample.id, sample.split, json.dumps(image.is_sound)),
        *(*facts, *labels[:2], digest, *labels[2:]),
    ]
