"""The mask of a map or of another image of any size, in bounded memory."""

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.images.georeference import Georeference, georeference_of
from aerialseg.data.images.map_polygons import write_polygons
from aerialseg.data.images.map_writing import write_map
from aerialseg.data.images.raster_rows import opened_rows
from aerialseg.data.images.reading_settings import Reading
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.finished_strips import FinishedStrips
from aerialseg.inference.tiles.layout import TileLayout
from aerialseg.inference.tiles.prediction import predict_strips
from aerialseg.inference.tiles.tiling import Tiling
from aerialseg.report.progress_bars import with_progress
from aerialseg.storage.atomic_files import csv_text, hash_file, write_text

logger = logging.getLogger(__name__)


def segment_map(
    path: Path,
    stem: Path,
    predictor: Predictor,
    reading: Reading,
    tiling: Tiling,
    *,
    polygons: float | None,
) -> None:
    """Writes ``STEM_index.tif``, and in ``STEM_areas.csv`` how much of each class there is.

    What is finished lies in ``STEM.partial/`` until all is, so that a run that was stopped goes on
    there, unless the checkpoint, the image or a setting has changed meanwhile.

    Args:
        path: The image: a TIFF, PNG or JPEG.
        stem: Path of the results without their endings.
        predictor: Predicts its tiles.
        reading: How it is read.
        tiling: How large tiles are.
        polygons: Square metres of the smallest area in ``STEM_polygons.geojson``; ``None`` for no
            such file. A map that does not say where it lies has none.

    Raises:
        DataError: If the image cannot be read.
        AerialsegError: If a result cannot be written.
    """
    georeference = georeference_of(path)
    with opened_rows(path, reading) as rows:
        layout = tiling.layout(rows.size)
        finished = FinishedStrips(
            stem.with_name(f"{stem.name}.partial"), _identity(path, predictor, reading, layout)
        )
        if len(finished):
            parts = f"{len(finished)} of {len(layout.strips)} parts are there already"
            logger.info("%s: goes on where it was stopped; %s", path, parts)
        strips = predict_strips(rows, layout, predictor.batch_logits, done=len(finished))
        for _ in with_progress(layout.strips[len(finished) :], f"predict {path.name}"):
            finished.add(next(strips).mask)
    _write(finished, stem, layout.size, predictor.classes, georeference, polygons)
    finished.remove()


def _write(
    strips: FinishedStrips,
    stem: Path,
    size: tuple[int, int],
    classes: ClassTable,
    georeference: Georeference | None,
    polygons: float | None,
) -> None:
    """Writes the map and what follows from it."""
    target = stem.with_name(f"{stem.name}_index.tif")
    write_map(target, strips, size, classes, georeference)
    row_areas = None if georeference is None else georeference.row_areas(size[0])
    write_text(stem.with_name(f"{stem.name}_areas.csv"), _areas(strips, classes, row_areas))
    if polygons is None:
        return
    outlines = stem.with_name(f"{stem.name}_polygons.geojson")
    if georeference is None or row_areas is None:
        logger.warning(
            "%s: does not say how large its pixels are on the ground: no polygons", target
        )
        return
    write_polygons(outlines, target, classes.names, georeference, least_area=polygons)


def _identity(
    path: Path, predictor: Predictor, reading: Reading, layout: TileLayout
) -> dict[str, object]:
    """All that decides the strips of an image."""
    file = path.stat()
    return {
        "checkpoint": hash_file(predictor.checkpoint),
        "precision": str(predictor.precision),
        "image": [str(path.resolve()), file.st_size, file.st_mtime_ns],
        "reading": reading.chosen,
        "tiles": [layout.size, layout.block, layout.tile, layout.overlap],
    }


def _areas(
    strips: FinishedStrips, classes: ClassTable, row_areas: npt.NDArray[np.float64] | None
) -> str:
    """A row for each class: its pixels, their share of those with data, and square metres."""
    pixels, metres, first = np.zeros(256, np.int64), np.zeros(256), 0
    for mask in strips:
        counts = np.stack([np.bincount(row, minlength=256) for row in mask])
        pixels += counts.sum(axis=0)
        if row_areas is not None:
            metres += row_areas[first : first + len(mask)] @ counts
        first += len(mask)
    known = max(1, int(pixels[:IGNORE_INDEX].sum()))
    rows = [
        (
            name,
            pixels[index],
            f"{pixels[index] / known:.6f}",
            "" if row_areas is None else f"{metres[index]:.2f}",
        )
        for index, name in enumerate(classes.names)
    ]
    return csv_text(("class", "pixels", "share", "square_metres"), rows)
