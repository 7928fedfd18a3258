"""Which of the predicted images to label next."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.measurements import image_measurements
from aerialseg.data.checks.image_measurements import ImageMeasurements
from aerialseg.data.checks.in_parallel import in_parallel
from aerialseg.data.checks.overlap_search import find_overlaps
from aerialseg.data.images.reading_settings import Reading
from aerialseg.durations import counted
from aerialseg.metrics.labelling_gain import RankedImage, labelling_order
from aerialseg.report.path_links import PathLink
from aerialseg.report.progress_bars import with_progress
from aerialseg.storage.atomic_files import csv_text, write_text
from aerialseg.storage.seen_images import SeenImages

logger = logging.getLogger(__name__)

LABEL_NEXT = "label_next.csv"
_COLUMNS = ("rank", "image", "prediction", "uncertainty", "mostly_shown_by", "share")
_SHOWN = 5  # images that are named at once


def write_label_next(
    images: Mapping[Path, str],
    uncertainty: npt.NDArray[np.float64],
    reading: Reading,
    seen: SeenImages | None,
    *,
    cache_dir: Path,
    output_dir: Path,
) -> Path:
    """Writes ``label_next.csv``: the images in the order in which labels are worth most.

    Images that the network was trained or validated on have labels: they are left out, and what
    shows their place comes late.

    Args:
        images: The paths, each with the name of its masks.
        uncertainty: ``(N, C)`` of each image about each class, as of
            :func:`~aerialseg.inference.class_uncertainty.class_uncertainty`.
        reading: How images are read.
        seen: What the network has seen; None if its checkpoint does not say.
        cache_dir: Measurements and overlaps are kept below it.
        output_dir: Where masks were written.

    Returns:
        The path of the table.

    Raises:
        DataError: If an image cannot be read any more.
    """
    paths = list(images)
    order = _ranked(paths, uncertainty, reading, seen, cache_dir)

    def row(rank: int, ranked: RankedImage) -> Sequence[object]:
        path, by = paths[ranked.index], ranked.shown_by
        shown = (None, None) if by is None else (paths[by].as_posix(), f"{ranked.share:.2f}")
        doubt = f"{uncertainty[ranked.index].sum():.4f}"
        return rank, path.as_posix(), f"{images[path]}_colour.png", doubt, *shown

    table = output_dir / LABEL_NEXT
    rows = [row(rank, ranked) for rank, ranked in enumerate(order, start=1)]
    write_text(table, csv_text(_COLUMNS, rows))
    if order:
        logger.info("label next: %s, in %s", _summary(order, paths), PathLink(table))
    else:
        logger.warning("label next: no image is left, so %s is empty", table)
    return table


def _ranked(
    paths: Sequence[Path],
    uncertainty: npt.NDArray[np.float64],
    reading: Reading,
    seen: SeenImages | None,
    cache_dir: Path,
) -> list[RankedImage]:
    """The order of the images that have no label yet; says how many have."""

    def measure(path: Path) -> ImageMeasurements:
        return image_measurements(path, reading, cache_dir=cache_dir)

    measured = in_parallel(measure, paths, with_progress, "find places")
    overlaps = find_overlaps(
        measured, [""] * len(paths), cache_dir=cache_dir, progress=with_progress
    )
    if seen is None:
        logger.info("label next: the checkpoint does not say which images it has seen")
    known = set() if seen is None else {*seen.trained, *seen.validated}
    labelled = [index for index, each in enumerate(measured) if each.digest in known]
    if labelled:
        left_out = counted(len(labelled), "image")
        line = "label next: %s left out, which the network was trained or validated on"
        logger.info(line, left_out)
    pairs = [(o.first, o.second, o.share) for o in overlaps]
    return labelling_order(uncertainty, pairs, labelled=labelled)


def _summary(order: Sequence[RankedImage], paths: Sequence[Path]) -> str:
    """The first images by name, and how many there are."""
    first = ", ".join(paths[each.index].name for each in order[:_SHOWN])
    more = ", ..." if len(order) > _SHOWN else ""
    late = sum(each.shown_by is not None for each in order)
    again = f", {late} of them showing mostly what another shows" if late else ""
    return f"{first}{more}: {counted(len(order), 'image')}{again}"
