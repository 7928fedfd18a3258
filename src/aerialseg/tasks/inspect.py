"""What is wrong with a data set? Every image and mask is read once, nothing is trained."""

import logging
import time
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from aerialseg.config.chain import compose_stage, stage_choices
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.config.validation import validate
from aerialseg.data.cache.inspection_records import keep_record
from aerialseg.data.checks.inspection import Inspection, inspected
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.durations import counted, duration
from aerialseg.errors import ConfigError, DataError
from aerialseg.report.inspection_files import FINDINGS, IMAGES, severities, write_inspection
from aerialseg.report.inspection_tables import show_inspection, summary
from aerialseg.report.pages.inspection_page import InspectionPage
from aerialseg.report.path_links import PathLink
from aerialseg.report.progress_bars import with_progress
from aerialseg.training.inspection_report import inspection_page, write_inspection_page
from aerialseg.training.instantiation import build
from aerialseg.training.label_ranking import ReviewLimits
from aerialseg.training.label_review import review_labels

logger = logging.getLogger(__name__)


@task(reads_data=True, may_read_checkpoints=True, takes_exported=True)
def inspect(
    experiment: Experiment,
    *,
    page: bool = True,
    regions: Annotated[int, Ge(1)] = 100,
    border: Annotated[int, Ge(0)] | None = None,
    least_pixels: Annotated[int, Ge(1)] | None = None,
) -> Inspection:
    """Reads every image and mask, and says what is wrong with files, labels, looks and the split.

    Writes ``findings.json``, ``images.csv`` with the measurements of each image and, where a
    finding offers one, ``groups.csv`` for ``data.groups``; then the page ``inspection.html``. What
    was measured is kept: files that have not changed are not read again. With ``checkpoint`` it
    also writes the folder ``review`` with regions in which a network contradicts the mask.

    Args:
        experiment: The config, of which ``data`` and ``checkpoint`` matter; ``augmentation`` is
            shown on the page.
        page: Whether the page is written.
        regions: Most regions to review.
        border: Pixels that borders of classes may be off without being reviewed; ``None`` for a
            five-hundredth of the image's diagonal.
        least_pixels: Smaller regions are not reviewed; ``None`` for 0.03 % of the image.

    Returns:
        All that was found.

    Raises:
        DataError: If there are findings of severity ``error``, once everything was written; or if
            the files cannot be listed at all.
        CheckpointError: If a checkpoint does not fit the data.
    """
    start = time.perf_counter()
    data: AerialSegDataModule = build(experiment.data, "data")
    folder, cache_dir = Path(experiment.paths.output_dir), data.cache_dir
    places = {"output_dir": folder, "cache_dir": cache_dir}
    inspection = inspected(data.sources, **places, progress=with_progress)
    write_inspection(inspection, folder)
    if inspection.fingerprint is not None:
        keep_record(inspection.findings, inspection.fingerprint, cache_dir=cache_dir)
    show_inspection(inspection)
    shown = _page(inspection, data, experiment) if page else None
    _say(inspection, folder, duration(time.perf_counter() - start))
    if experiment.checkpoints:
        limits = ReviewLimits(regions, border, least_pixels)
        review = review_labels(experiment, data, inspection, limits, progress=with_progress)
        if shown is not None:
            write_inspection_page(shown, folder, review=review)
    _check_errors(inspection)
    return inspection


def _page(
    inspection: Inspection, data: AerialSegDataModule, experiment: Experiment
) -> InspectionPage:
    """The page, with the augmentation of the last stage, once it is written.

    It has no link to a review yet, which may take long and end in an error.
    """
    page = inspection_page(inspection, data.sources, _last_stage(experiment), with_progress)
    path = write_inspection_page(page, Path(experiment.paths.output_dir), review=None)
    logger.info("to look at: %s", PathLink(path))
    return page


def _say(inspection: Inspection, folder: Path, took: str) -> None:
    text = f"%s inspected in %s: %s; %s, with the measurements of each image in {IMAGES}"
    images = counted(len(inspection.images), "image")
    logger.info(text, images, took, summary(inspection), PathLink(folder / FINDINGS))


def _check_errors(inspection: Inspection) -> None:
    """Raises DataError if there are findings of severity ``error``."""
    if errors := severities(inspection)["error"]:
        raise DataError(
            f"{inspection.place}: {counted(errors, 'finding')} of severity error; do what is said "
            "beside each, and inspect again"
        )


def _last_stage(experiment: Experiment) -> Experiment:
    """The config of the stage that the recipe trains last, whose augmentation the page shows.

    A stage that was typed is taken instead.
    """
    typed = any(override_key(each) == "stage" for each in command_overrides())
    stages = experiment.recipe.stages
    if typed or not stages or stages[-1] not in stage_choices():
        return experiment
    try:
        return validate(compose_stage(stages[-1], task="inspect"), place="later")
    except ConfigError as error:
        # A run's augmentation is not inherited with its data, and may be what they were chosen for.
        if not experiment.checkpoints:
            raise
        name = experiment.stage.name
        logger.warning("the page shows the augmentation of stage %s: %s", name, error.problems[0])
        return experiment
