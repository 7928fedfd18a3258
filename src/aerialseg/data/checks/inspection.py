"""The inspection of data before training: what is wrong with them, and which images overlap."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aerialseg.data.cache.inspection_records import data_fingerprint
from aerialseg.data.checks.finding import Finding, in_order
from aerialseg.data.checks.grouping_advice import GroupingAdvice
from aerialseg.data.checks.in_parallel import Progress
from aerialseg.data.checks.inspected import InspectedImage
from aerialseg.data.checks.label_findings import ignored_findings, side_findings
from aerialseg.data.checks.overlap_search import find_overlaps
from aerialseg.data.checks.place_findings import (
    Pair,
    copy_findings,
    leakage_findings,
    pairs_of_one_place,
)
from aerialseg.data.checks.source_inspection import SourceInspection, inspected_source
from aerialseg.data.notices import about
from aerialseg.data.sources.data_sources import Sources


@dataclass(frozen=True, eq=False)
class Inspection:
    """All that was found.

    Attributes:
        place: Where the data lie, for messages.
        classes: Names of the classes that are trained.
        images: All images, those with a fault too.
        findings: Sorted by severity.
        pairs: Images that show one place.
        tables: By path, the groups that a finding offers as ``data.groups``: image and group.
        fingerprint: Of the data, as training knows them; None if they cannot be trained on.
    """

    place: str
    classes: tuple[str, ...]
    images: tuple[InspectedImage, ...]
    findings: tuple[Finding, ...]
    pairs: tuple[Pair, ...]
    tables: Mapping[Path, Mapping[str, str]]
    fingerprint: str | None


def inspected(
    sources: Sources, *, output_dir: Path, cache_dir: Path, progress: Progress
) -> Inspection:
    """Inspects one data set or several; what was measured before is not read again.

    Args:
        sources: The data sets.
        output_dir: Where tables of groups will be written, for findings that name them.
        cache_dir: Where overlaps are kept; measurements are kept where the sources keep theirs.
        progress: Shows how far it is.

    Raises:
        DataError: If a data set cannot be listed, or a class table cannot be read.
        ConfigError: If a setting is not of its kind.
    """
    parts: dict[str, SourceInspection] = {}
    for name, source in sources.by_name.items():
        with about(name):
            parts[name] = inspected_source(source, name, progress)
    images = tuple(image for part in parts.values() for image in part.images)
    pairs = _pairs(images, cache_dir, progress)
    advisers = {
        name: GroupingAdvice(source.split, name, parts[name].samples, pairs, output_dir)
        for name, source in sources.by_name.items()
    }
    findings = (
        *(finding for part in parts.values() for finding in part.findings),
        *copy_findings(pairs),
        *leakage_findings(pairs, lambda name: advisers[name].text()),
        *side_findings(images, sources.table.names),
        *ignored_findings(images),
    )
    return Inspection(
        place=sources.place,
        classes=sources.table.names,
        images=images,
        findings=in_order(findings),
        pairs=tuple(pairs),
        tables={path: table for each in advisers.values() for path, table in each.tables.items()},
        fingerprint=_fingerprint(images, parts.values(), len(sources.table)),
    )


def _pairs(images: Sequence[InspectedImage], cache_dir: Path, progress: Progress) -> list[Pair]:
    """The images that show one place."""
    rows = [row for row, image in enumerate(images) if image.measured is not None]
    measured = [each for image in images if (each := image.measured) is not None]
    sides = [images[row].sample.split or "" for row in rows]
    overlaps = find_overlaps(measured, sides, cache_dir=cache_dir, progress=progress)
    return pairs_of_one_place([images[row] for row in rows], overlaps)


def _fingerprint(
    images: Sequence[InspectedImage], parts: Iterable[SourceInspection], classes: int
) -> str | None:
    """As training has it; None if it could not be trained on the data."""
    known = [image.measured for image in images if image.measured is not None]
    if len(known) < len(images) or not all(part.is_whole for part in parts):
        return None
    none = np.zeros(classes, dtype=np.int64)
    pixels = np.array([none if each.pixels is None else each.pixels for each in images])
    digests = [each.digest for each in known]
    return data_fingerprint([image.sample for image in images], digests, pixels)
