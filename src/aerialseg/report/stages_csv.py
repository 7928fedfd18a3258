"""``stages.csv``: the finished stages of one run, read from its folder."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from aerialseg.errors import AerialsegError, ConfigError
from aerialseg.report.job_tables import FinishedJob, StageRow, as_csv, print_table, table_rows
from aerialseg.storage.atomic_files import hash_file, write_text
from aerialseg.storage.run_folders import RunFolder

logger = logging.getLogger(__name__)


def show_run_table(run: Path) -> None:
    """Writes ``stages.csv`` and prints it."""
    rows = write_run_table(run)
    if rows:
        print_table(rows, run / "stages.csv")


def write_run_table(run: Path) -> list[StageRow]:
    """Writes ``stages.csv``, one row for each finished stage of a run.

    A disk without room for it costs the table, with a warning: the training has succeeded.

    Args:
        run: The folder of the run, ``runs/<run_name>``.

    Returns:
        The rows; nothing is written if there are none.
    """
    rows = table_rows(finished_stages(run))
    if rows:
        try:
            write_text(run / "stages.csv", as_csv(rows))
        except AerialsegError as error:
            logger.warning("%s; the table is written after the next stage", error)
    return rows


def finished_stages(run: Path) -> list[FinishedJob]:
    """The finished stages of a run, each after the one it started from.

    Stages without a parent in the run come first. A stage whose record is damaged is left out, with
    a warning.

    Args:
        run: The folder of the run, ``runs/<run_name>``.
    """
    jobs: dict[str, FinishedJob] = {}
    parents: dict[str, str | None] = {}
    for path in sorted(run.glob("*/train")):
        folder, stage = RunFolder(path), path.parent.name
        if not folder.finished():
            continue
        try:
            result = folder.result()
            parents[stage], is_unchanged = _parent(folder, run)
        except ConfigError as error:
            logger.warning("%s; the table of stages leaves it out", error)
            continue
        # There is no gain over a parent that was trained anew since.
        jobs[stage] = FinishedJob(stage, parents[stage] if is_unchanged else None, result)
    return [jobs[stage] for stage in _in_order(parents)]


def unfinished_stages(run: Path) -> list[str]:
    """The stages of a run that began and did not come to their end.

    Args:
        run: The folder of the run, ``runs/<run_name>``.
    """
    folders = (RunFolder(path) for path in sorted(run.glob("*/train")))
    began = (folder for folder in folders if folder.holds_run() and not folder.finished())
    return [folder.path.parent.name for folder in began]


def stages_are(names: Sequence[str]) -> str:
    """Stages as the subject of a sentence: ``stage full is``, ``stages aspp, full are``."""
    return f"stage {names[0]} is" if len(names) == 1 else f"stages {', '.join(names)} are"


def _parent(folder: RunFolder, run: Path) -> tuple[str | None, bool]:
    """The stage of this run that a stage started from, and whether its checkpoint is still that."""
    parent = folder.provenance()["parent"]
    checkpoint = Path(parent.get("path", ""))
    place = RunFolder.of_checkpoint(checkpoint).path.parent
    if place.parent.name != run.name:
        return None, False
    now = RunFolder.of_stage(run.parent, run.name, place.name).checkpoints / checkpoint.name
    return place.name, not now.is_file() or hash_file(now) == parent["sha256"]


def _in_order(parents: Mapping[str, str | None]) -> list[str]:
    """The stages, each after its parent, and what started from it right behind it."""
    order: list[str] = []
    waiting = [name for name, parent in parents.items() if parent not in parents]
    while waiting:
        parent = waiting.pop(0)
        order.append(parent)
        waiting = [name for name in parents if parents[name] == parent] + waiting
    # What remains started from each other in a circle, by being trained again.
    return order + [name for name in parents if name not in order]
