"""Finds the finished stage that a name such as ``demo`` or ``demo/full`` means."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.report.job_tables import FinishedJob
from aerialseg.report.stages_csv import finished_stages, stages_are, unfinished_stages
from aerialseg.storage.run_folders import RunFolder, finished_runs

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NamedStage:
    """A finished stage, and those of its run that led to it.

    Attributes:
        name: As it is called beside others: ``demo/full``.
        jobs: The stages from the first one to this one.
        folders: Their folders.
    """

    name: str
    jobs: tuple[FinishedJob, ...]
    folders: tuple[RunFolder, ...]

    @property
    def job(self) -> FinishedJob:
        """What it has come to."""
        return self.jobs[-1]

    @property
    def folder(self) -> RunFolder:
        """Where it was trained."""
        return self.folders[-1]

    @property
    def checkpoint(self) -> Path:
        """Its best checkpoint."""
        return self.folder.checkpoints / "best.ckpt"


def find_stage(runs_dir: Path, name: str) -> NamedStage:
    """The stage that a name means.

    Args:
        runs_dir: The folder of runs.
        name: A run below it, whose last stage is meant; ``RUN/STAGE``; or the path of such a folder
            elsewhere. A run below ``runs_dir`` takes precedence over a path.

    Raises:
        ConfigError: If there is none, or it is not finished or has no checkpoint.
    """
    places = [place for place in (runs_dir / name, Path(name)) if name and place.is_dir()]
    if not places:
        raise ConfigError(f"there is no run '{name}' in {runs_dir}{_nearest(runs_dir, name)}")
    place = places[0]
    found = _stage_in(place.parent if place.name == "train" else place)
    if not found.checkpoint.is_file():
        raise ConfigError(
            f"{found.checkpoint} does not exist; stage {found.name} cannot be compared without it"
        )
    return found


def _stage_in(place: Path) -> NamedStage:
    """The stage of a folder: of a run, of a stage, or of one that was trained elsewhere."""
    if (place / "checkpoints").is_dir():  # with paths.output_dir
        folder = RunFolder(place)
        _check_finished(folder)
        result = folder.result()
        return NamedStage(place.name, (FinishedJob(result.stage, None, result),), (folder,))
    own = RunFolder(place / "train")
    run = place.parent if own.path.is_dir() else place
    if run != place:
        _check_finished(own)
    jobs = {job.name: job for job in finished_stages(run)}
    stage = place.name if run != place else next(reversed(jobs), "")
    if stage not in jobs:
        raise ConfigError(
            f"{place} has no finished stage{did_you_mean(place.name, finished_runs(run.parent))}"
        )
    if run == place and (began := unfinished_stages(run)):
        logger.warning(
            "run %s: %s not finished, so stage %s is taken for its last one",
            run.absolute().name,
            stages_are(began),
            stage,
        )
    line = tuple(reversed(list(_line_to(stage, jobs))))
    folders = tuple(RunFolder(run / job.name / "train") for job in line)
    return NamedStage(f"{run.absolute().name}/{stage}", line, folders)


def _line_to(stage: str, jobs: Mapping[str, FinishedJob]) -> Iterator[FinishedJob]:
    """A stage, the one that it started from, and so on."""
    passed: set[str] = set()
    following: str | None = stage
    while following is not None and following in jobs and following not in passed:
        passed.add(following)
        yield jobs[following]
        following = jobs[following].previous


def _check_finished(folder: RunFolder) -> None:
    if not folder.finished():
        raise ConfigError(
            f"{folder.path} is not finished; the command that trained it, with existing=resume, "
            "finishes it"
        )


def _nearest(runs_dir: Path, name: str) -> str:
    """What may be meant instead: a run, or a stage of the run that was named."""
    run, _, stage = name.rpartition("/")
    if run and (runs_dir / run).is_dir():
        stages = [job.name for job in finished_stages(runs_dir / run)]
        return did_you_mean(stage, stages)
    return did_you_mean(run or name, finished_runs(runs_dir)) or "; train one first"
