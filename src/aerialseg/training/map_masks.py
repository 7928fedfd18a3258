"""The mask of a map or of another image of any size, in bounded memory."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.images.georeference import georeference_of
from aerialseg.data.images.map_polygons import write_polygons
from aerialseg.data.images.map_writing import MapPlace, write_map, write_shares
from aerialseg.data.images.raster_rows import opened_rows
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.rows import RowSource
from aerialseg.errors import AerialsegError
from aerialseg.inference.ensemble import members_of, protocol_of
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.finished_strips import FinishedStrips
from aerialseg.inference.tiles.layout import TileLayout
from aerialseg.inference.tiles.prediction import predict_strips
from aerialseg.inference.tiles.tiling import Tiling
from aerialseg.report.progress_bars import with_progress
from aerialseg.storage.atomic_files import (
    csv_text,
    hash_file,
    remove_file,
    remove_folder,
    write_text,
)
from aerialseg.storage.claims import exclusive

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MapOptions:
    """What is made of a map, and how.

    Attributes:
        tiling: How large tiles are.
        confidence: Whether ``STEM_confidence.tif`` is written: by how much the likeliest class of a
            pixel is likelier than the second.
        disagreement: Whether ``STEM_disagreement.tif`` is written: where the class is another one
            if tiles are shifted by half a step. Takes twice the time.
        polygons: Square metres of the smallest area in ``STEM_polygons.geojson``; ``None`` for no
            such file. A map that does not say where it lies has none.
    """

    tiling: Tiling
    confidence: bool = False
    disagreement: bool = False
    polygons: float | None = None


@dataclass(frozen=True)
class _Job:
    """A map that is predicted, ``path``, and where its results go."""

    path: Path
    stem: Path
    predictor: Predictor
    reading: Reading
    options: MapOptions

    @property
    def parts(self) -> Path:
        """The folder of what is finished."""
        return self.named(".partial")

    def named(self, ending: str) -> Path:
        """The path of a result."""
        return self.stem.with_name(f"{self.stem.name}{ending}")


def segment_map(
    path: Path, stem: Path, predictor: Predictor, reading: Reading, options: MapOptions
) -> None:
    """Writes ``STEM_index.tif``, and in ``STEM_areas.csv`` how much of each class there is.

    What is finished lies in ``STEM.partial/`` until all is, so that a run that was stopped goes on
    there, unless the checkpoint, the image or a setting has changed meanwhile.

    Args:
        path: The image: a TIFF, PNG or JPEG.
        stem: Path of the results without their endings.
        predictor: Predicts its tiles.
        reading: How it is read.
        options: What else is written.

    Raises:
        DataError: If the image cannot be read.
        AerialsegError: If a result cannot be written.
    """
    job = _Job(path, stem, predictor, reading, options)
    with exclusive(stem.with_name(f".{stem.name}.partial.lock")) as is_free:
        if not is_free:
            raise AerialsegError(
                f"{job.parts}: another process predicts this map into the same folder; wait for "
                "it, or choose another task.output_dir"
            )
        _segment(job)


def _segment(job: _Job) -> None:
    """Predicts a map and writes all results; those of earlier runs do not stay beside them."""
    georeference, options = georeference_of(job.path), job.options
    if options.polygons is not None and (georeference is None or georeference.row_areas(1) is None):
        line = "%s: does not say how large its pixels are on the ground, so there are no polygons"
        logger.warning(line, job.path)
    with opened_rows(job.path, job.reading) as rows:
        layout = options.tiling.layout(rows.size)
        masks, margins = _predicted(job, rows, layout, "mask", margins=options.confidence)
        if options.disagreement:
            others, _ = _predicted(job, rows, layout.shifted, "shifted", margins=False)
    for name in ("confidence.tif", "disagreement.tif", "polygons.geojson"):
        remove_file(job.named(f"_{name}"))
    place = MapPlace(layout.size, georeference, job.parts)
    _write(job, masks, place)
    if margins is not None:
        about = "probability of the likeliest class less that of the second"
        write_shares(job.named("_confidence.tif"), margins, place, about=about)
    if options.disagreement:
        about, differ = "another class if tiles are shifted", _differences(masks, others)
        write_shares(job.named("_disagreement.tif"), differ, place, about=about)
    remove_folder(job.parts)


def _predicted(
    job: _Job, rows: RowSource, layout: TileLayout, name: str, *, margins: bool
) -> tuple[FinishedStrips, FinishedStrips | None]:
    """All strips of the mask, and of the margins where they are wanted, from where they ended."""
    identity = _identity(job, layout)
    masks = FinishedStrips(job.parts / name, identity)
    leads = FinishedStrips(job.parts / f"{name}_margin", identity) if margins else None
    if leads is not None:
        masks.keep(len(leads))
        leads.keep(len(masks))
    done, number = len(masks), len(layout.strips)
    what = "of the shifted tiles are" if layout.is_shifted else "are"
    if done:
        line = "%s: goes on where it was stopped; %d of %d parts %s there already"
        logger.info(line, job.path, done, number, what)
    network = job.predictor.batch_logits
    strips = predict_strips(rows, layout, network, done=done, margins=margins)
    try:
        for _ in with_progress(layout.strips[done:], f"predict {job.path.name}"):
            strip = next(strips)
            if leads is not None and strip.margin is not None:
                leads.add(strip.margin)
            masks.add(strip.mask)
    finally:
        if done < len(masks) < number:
            line = "%s: %d of %d parts %s kept in %s; the same command goes on"
            logger.warning(line, job.path, len(masks), number, what, job.parts)
    return masks, leads


def _write(job: _Job, strips: FinishedStrips, place: MapPlace) -> None:
    """Writes the map and what follows from it."""
    target, classes = job.named("_index.tif"), job.predictor.classes
    georeference = place.georeference
    write_map(target, strips, place, classes)
    row_areas = None if georeference is None else georeference.row_areas(place.size[0])
    write_text(job.named("_areas.csv"), _areas(strips, classes, row_areas))
    least = job.options.polygons
    if least is not None and georeference is not None and row_areas is not None:
        outlines = job.named("_polygons.geojson")
        write_polygons(outlines, target, classes.names, georeference, least_area=least)


def _differences(one: FinishedStrips, other: FinishedStrips) -> Iterator[npt.NDArray[np.uint8]]:
    """254 where two masks differ, 0 where they agree, 255 where there is no data."""
    others, rest = iter(other), None
    for mask in one:
        while rest is None or len(rest) < len(mask):
            more = next(others)
            rest = more if rest is None else np.concatenate([rest, more])
        differs = np.where(mask != rest[: len(mask)], 254, 0).astype(np.uint8)
        rest = rest[len(mask) :]
        yield np.where(mask == IGNORE_INDEX, mask, differs)


def _identity(job: _Job, layout: TileLayout) -> dict[str, object]:
    """All that decides the strips of an image."""
    file = job.path.stat()
    return {
        "checkpoints": [hash_file(each.checkpoint) for each in members_of(job.predictor)],
        "protocol": protocol_of(job.predictor),
        "precision": str(job.predictor.precision),
        "image": [str(job.path.resolve()), file.st_size, file.st_mtime_ns],
        "reading": job.reading.chosen,
        "tiles": [layout.size, layout.block, layout.tile, layout.overlap, layout.is_shifted],
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
