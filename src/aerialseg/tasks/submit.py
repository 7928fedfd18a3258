"""A submission for the test split: one run-length encoded row per image and class."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.images.missing_data import missing_data, without_data
from aerialseg.data.images.reading import read_image, read_size
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.layouts.tables import read_rows
from aerialseg.durations import counted
from aerialseg.errors import DataError
from aerialseg.inference.ensemble import members_of, protocol_of
from aerialseg.inference.image_batches import stream_logits
from aerialseg.inference.image_scale import memory_warning
from aerialseg.inference.image_views import AS_TRAINED, Flips, Scales, Views
from aerialseg.inference.predictor import Predictor
from aerialseg.report.path_links import PathLink
from aerialseg.report.progress_bars import with_progress
from aerialseg.rle import decode, encode
from aerialseg.storage.atomic_files import csv_text, write_text
from aerialseg.training.bands import read_as_trained
from aerialseg.training.build import build_data, build_predictor

logger = logging.getLogger(__name__)

HEADER = ("ImageID", "EncodedPixels")
"""The column names if the data set has no ``sampleSubmission.csv``."""


@task(reads_data=True, reads_checkpoint=True, takes_exported=True, averages_checkpoints=True)
def submit(
    experiment: Experiment,
    *,
    order: Literal["row", "column"] = "row",
    scales: Scales = AS_TRAINED,
    flips: Flips = "none",
) -> Path:
    """Writes ``submission.csv``: rows ``IMAGEID_CLASS,start length start length ...``.

    Masks have the images' original size, positions count from 1, and an absent class has an empty
    string. Every row is decoded again before it is written, and the rows are compared with
    ``sampleSubmission.csv`` if the data set has one.

    Args:
        experiment: The config.
        order: Whether pixels are counted along the rows or down the columns.
        scales: As of ``task=evaluate``.
        flips: Likewise.

    Returns:
        The path of the file.

    Raises:
        DataError: If there is no test split, or the rows differ from those of the sample.
    """
    data = build_data(experiment)
    samples = _test_images(data)
    predictor = build_predictor(experiment, views=Views(scales, flips))
    predictor.check_classes(data.classes)
    read_as_trained(data, predictor.description, str(predictor.checkpoint))
    sizes = {sample.image: read_size(sample.image, data.reading) for sample in samples}
    for member in members_of(predictor):
        if line := memory_warning(sizes, member.description, None):
            logger.warning(line)
    header: Sequence[str] = HEADER
    rows = _rows(data, samples, predictor, order)
    if data.contents.sample_submission is not None:
        header, rows = _like_sample(data.contents.sample_submission, rows)
    path = Path(experiment.paths.output_dir) / "submission.csv"
    write_text(path, csv_text(header, rows.items()))
    checked = (
        "checked against sampleSubmission.csv"
        if data.contents.sample_submission
        else "decoded back"
    )
    images = f"{counted(len(samples), 'image')}, {protocol_of(predictor)}"
    written = f"{counted(len(rows), 'row')} for {images}"
    logger.info("%s, %s: %s", written, checked, PathLink(path))
    return path


def _test_images(data: AerialSegDataModule) -> tuple[Sample, ...]:
    """The images of a submission."""
    if data.sources.are_several:
        raise DataError("data=joint: a submission is for one data set; choose it with data=NAME")
    samples = data.contents.of("test")
    if not samples:
        raise DataError(
            f"{data.place}: has no test split, so there is nothing to submit; for other images "
            "use task=predict input=FOLDER; with data=folders, data.layout.test_images=FOLDER says "
            "where those of the test split are"
        )
    return samples


def _rows(
    data: AerialSegDataModule,
    samples: Sequence[Sample],
    predictor: Predictor,
    order: Literal["row", "column"],
) -> dict[str, str]:
    """The run-length encoded rows by their ids, in the order of the images."""
    rows: dict[str, str] = {}
    images = (
        (sample, read_image(sample.image, data.served))
        for sample in with_progress(samples, "submit")
    )
    for sample, image, logits in stream_logits(predictor, images):
        mask = predictor.labels(logits, (image.shape[0], image.shape[1]))
        mask = without_data(mask, missing_data(sample.image, data.served))
        codes = encode(mask, len(data.classes), order=order)
        _check_round_trip(codes, mask, order, sample.id)
        rows |= {f"{sample.id}_{index}": code for index, code in enumerate(codes)}
    return rows


def _check_round_trip(
    codes: list[str], mask: npt.NDArray[np.uint8], order: Literal["row", "column"], name: str
) -> None:
    for index, code in enumerate(codes):
        if not np.array_equal(decode(code, mask.shape, order=order), mask == index):
            raise DataError(f"{name}: class {index} does not decode back to its mask")


def _like_sample(sample: Path, rows: dict[str, str]) -> tuple[Sequence[str], dict[str, str]]:
    """The column names and rows in the order of the sample submission."""
    header, *wanted = [row for _, row in read_rows(sample)] or [[]]
    ids = [row[0] for row in wanted]
    twice = [name for name, times in Counter(ids).items() if times > 1]
    if twice:
        raise DataError(f"{sample}: asks for '{twice[0]}' twice; is it the original file?")
    missing, extra = [i for i in ids if i not in rows], sorted(rows.keys() - set(ids))
    if len(header) != len(HEADER) or missing or extra:
        example = (missing + extra + header)[0]
        raise DataError(
            f"{sample}: asks for {len(ids)} rows under {len(header)} columns; {len(missing)} of "
            f"them are not in test.csv times the classes and {len(extra)} rows are not asked "
            f"for, first '{example}'"
        )
    return header, {i: rows[i] for i in ids}
