"""The report of a run: all its stages on the same validation images."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from aerialseg.config.schema import Experiment
from aerialseg.durations import counted
from aerialseg.errors import CheckpointError, ConfigError, did_you_mean
from aerialseg.inference.ensemble import protocol_of
from aerialseg.metrics.bootstrap import sum_by_group
from aerialseg.report.job_tables import FinishedJob
from aerialseg.report.logged_curves import curves_of_stages
from aerialseg.report.model_card import ModelCard
from aerialseg.report.pages.run_page import RunPage
from aerialseg.report.path_links import PathLink
from aerialseg.report.stage_verdicts import verdicts
from aerialseg.report.stages_csv import finished_stages, stages_are, unfinished_stages
from aerialseg.storage.atomic_files import write_text
from aerialseg.storage.run_folders import RunFolder, finished_runs
from aerialseg.training.build import build_predictor
from aerialseg.training.predicted_images import PredictedImages, predicted_images
from aerialseg.training.report_details import (
    commands_of,
    details_of,
    footer,
    start_of,
    subtitle,
)
from aerialseg.training.scored_dataset import ScoredDataset, confusion_matrices

logger = logging.getLogger(__name__)


def report_run(experiment: Experiment, *, predicted: PredictedImages | None = None) -> Path:
    """Writes the page of a run, and its model card beside it.

    Args:
        experiment: The config; the run is ``run_name`` below ``paths.runs_dir``. Its last stage
            says which images are scored: those that it validated on.
        predicted: What a stage makes of them, which is used if that is the last one.

    Returns:
        The page.

    Raises:
        ConfigError: If no stage of the run is finished.
        DataError: If none of the images is there any more.
    """
    run = Path(experiment.paths.runs_dir) / experiment.run_name
    jobs = _finished(run)
    *_, last = jobs
    folders = [RunFolder(run / job.name / "train") for job in jobs]
    results = _results(experiment, folders[-1], last.name, predicted)
    scored, matrices = results.scored, results.matrices()
    earlier = _of_earlier(experiment, jobs[:-1], folders, scored)
    judged = [job for job in jobs if job is last or job.name in earlier]
    groups = [
        sum_by_group(earlier.get(job.name, matrices.whole), matrices.groups) for job in judged
    ]
    output = Path(experiment.paths.output_dir)
    page = RunPage(
        run_name=experiment.run_name,
        subtitle=subtitle(scored),
        classes=scored.data.classes,
        stages=verdicts(judged, groups),
        curves=curves_of_stages([(job.name, f.path) for job, f in zip(jobs, folders, strict=True)]),
        results=matrices,
        leakage=results.leakage,
        grouped_by=" and ".join(scored.data.sources.grouped_by),
        protocol=protocol_of(scored.predictor),
        gallery=results.gallery(output),
        details=details_of(folders[-1], jobs),
        commands=commands_of(folders),
        footer=footer(),
    )
    path = output / "report.html"
    card = ModelCard(page, scored.predictor.description, scored.data.place, start_of(folders[0]))
    write_text(output / "MODEL_CARD.md", card.markdown())
    write_text(path, page.html())
    logger.info("report of %s: %s", counted(len(judged), "stage"), PathLink(path))
    return path


def _finished(run: Path) -> Sequence[FinishedJob]:
    """The finished stages of a run; ConfigError if there are none."""
    if jobs := finished_stages(run):
        if began := unfinished_stages(run):
            logger.warning(
                "run %s: %s not finished; the report leaves %s out, and is of %s",
                run.name,
                stages_are(began),
                "it" if len(began) == 1 else "them",
                ", ".join(job.name for job in jobs),
            )
        return jobs
    step = did_you_mean(run.name, finished_runs(run.parent)) or "; train one, or give run_name"
    raise ConfigError(f"{run}: has no finished stage to report on{step}")


def _results(
    experiment: Experiment, folder: RunFolder, stage: str, predicted: PredictedImages | None
) -> PredictedImages:
    """What the best checkpoint of a stage predicts, if it has not predicted this already."""
    best = folder.checkpoints / "best.ckpt"
    if predicted is not None and predicted.scored.predictor.checkpoint == best:
        return predicted
    return predicted_images(_at(experiment, folder), title=f"report: {stage}")


def _at(experiment: Experiment, folder: RunFolder) -> Experiment:
    """The experiment, reading the best checkpoint of a stage."""
    return replace(experiment, checkpoint=str(folder.checkpoints / "best.ckpt"))


def _of_earlier(
    experiment: Experiment,
    jobs: Sequence[FinishedJob],
    folders: Sequence[RunFolder],
    scored: ScoredDataset,
) -> dict[str, Tensor]:
    """``(N, C, C)`` matrices of earlier stages by name; a warning says which are left out."""
    digests = scored.data.checked.digests()
    images = {digests[sample.id] for sample in scored.images.samples}
    found = {}
    for job, folder in zip(jobs, folders, strict=False):
        try:
            predictor = build_predictor(_at(experiment, folder))
            predictor.check_classes(scored.data.classes)
        except CheckpointError as error:
            logger.warning("%s; the report leaves stage %s out", error, job.name)
            continue
        seen = predictor.description.seen
        if seen is not None and (trained := images & set(seen.trained)):
            logger.warning(
                "%s: was trained on %s that a later stage validated on; the report leaves stage %s "
                "out",
                predictor.checkpoint,
                counted(len(trained), "image"),
                job.name,
            )
            continue
        if predictor.reading != scored.predictor.reading:
            logger.warning(
                "%s: reads images in another way than %s; the report leaves stage %s out",
                predictor.checkpoint,
                scored.predictor.checkpoint,
                job.name,
            )
            continue
        found[job.name] = confusion_matrices(predictor, scored, title=f"report: {job.name}")
    return found
