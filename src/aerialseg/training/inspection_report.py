"""The page of an inspection, with training images as the configured augmentation makes them."""

from dataclasses import replace
from pathlib import Path

from aerialseg.config.schema import Experiment
from aerialseg.data.checks.in_parallel import Progress
from aerialseg.data.checks.inspection import Inspection
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.notices import silent
from aerialseg.data.sources.data_sources import Sources
from aerialseg.errors import ConfigError, DataError
from aerialseg.report.inspection_files import PAGE
from aerialseg.report.pages.augmented_samples import SampleSheet, augmented_samples
from aerialseg.report.pages.finding_cards import finding_cards
from aerialseg.report.pages.inspection_page import InspectionPage
from aerialseg.report.review_folder import PAGE as REVIEW_PAGE
from aerialseg.storage.atomic_files import write_text
from aerialseg.training.instantiation import build
from aerialseg.training.report_details import footer


def inspection_page(
    inspection: Inspection, sources: Sources, experiment: Experiment, progress: Progress
) -> InspectionPage:
    """The page of an inspection, to be written beside its files.

    Args:
        inspection: What was found.
        sources: The data that were inspected.
        experiment: The config of a stage, of which ``data``, ``augmentation`` and ``seed`` matter.
        progress: Shows how far it is.
    """
    folder = Path(experiment.paths.output_dir)
    classes, readings = sources.table, sources.readings
    return InspectionPage(
        inspection=inspection,
        classes=classes,
        cards=finding_cards(inspection, readings, classes, folder=folder, progress=progress),
        samples=_training_images(inspection, experiment),
        samples_about=_about(inspection, experiment),
        tables=[path.name for path in inspection.tables],
        footer=footer(),
    )


def write_inspection_page(page: InspectionPage, folder: Path, *, review: Path | None) -> Path:
    """Writes the page.

    Args:
        page: The page.
        folder: The folder of the inspection.
        review: The review folder that this inspection has made; an older one is not linked to.

    Returns:
        The page.
    """
    path = folder / PAGE
    link = "" if review is None else (review.relative_to(folder) / REVIEW_PAGE).as_posix()
    write_text(path, replace(page, review=link).html())
    return path


def _training_images(inspection: Inspection, experiment: Experiment) -> SampleSheet:
    """Some training images; of data with faults, of those that can be used."""
    try:
        augmentation = build(experiment.augmentation, "augmentation")
        data: AerialSegDataModule = build(experiment.data, "data", augmentation=augmentation)
        if inspection.fingerprint is None:
            sound = [each.sample for each in inspection.images if each.is_sound]
            divided = [sample for sample in sound if sample.split is not None]
            if not divided:
                return SampleSheet((), False, "no image that can be used is in a split")
            data = data.of_samples(divided)
        with silent():  # what it would warn of is a finding
            data.prepare()
        return augmented_samples(data.dataset("train", augment=True), seed=experiment.seed)
    except (ConfigError, DataError) as error:  # a finding has said it, or training will
        return SampleSheet((), False, str(error))


def _about(inspection: Inspection, experiment: Experiment) -> str:
    """Which images are shown, in words."""
    usable = "" if inspection.fingerprint is not None else " that can be used"
    return (
        f"Images to train on{usable}, chosen by seed={experiment.seed}, as stored and as the first "
        f"epochs of stage={experiment.stage.name} show them, cropped and augmented. Ignored pixels "
        "are hatched."
    )
