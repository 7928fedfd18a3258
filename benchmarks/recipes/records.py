"""Finished runs, a JSON line each."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError


@dataclass(frozen=True)
class Setting:
    """What all runs of one table have in common.

    Attributes:
        data: The name of the data set.
        images: How many images it has in all.
        size: Height and width of generated scenes; None for real images.
        weights: Name and digest of the file that networks start from; empty for the default.
        common: Overrides that all variants share.
        folds: How many folds its places are divided into.
        seconds: What training was to take; 0 for the recipes' own length.
    """

    data: str
    images: int
    size: tuple[int, int] | None
    weights: str
    common: tuple[str, ...]
    folds: int
    seconds: float


@dataclass(frozen=True)
class StageScore:
    """A stage of a run.

    Attributes:
        stage: Its name.
        planned_epochs: Epochs that it was to train.
        epochs: Epochs that it trained; fewer if it was stopped early.
        best_epoch: The one with the best validation score.
        seconds: Of its training.
        val_miou: Validation mean IoU of the best epoch.
        val_dice: Validation Dice of the best epoch.
    """

    stage: str
    planned_epochs: int
    epochs: int
    best_epoch: int
    seconds: float
    val_miou: float
    val_dice: float


@dataclass(frozen=True)
class Machine:
    """Where a run was trained: its CPU, how many threads it had, and how many runs there were."""

    cpu: str
    cores: int
    threads: int
    jobs: int


@dataclass(frozen=True)
class Record:
    """A finished run.

    Attributes:
        setting: What it shares with others.
        variant: The name of the variant.
        order: The place of the variant on the command line, from 0.
        overrides: What was typed for the variant alone.
        config: Digest of what it was trained with, as files of configs may change.
        fold: Number of the fold, from 0.
        seed: Of training.
        test_places: The places that were held out.
        images: Number of images by split.
        scale: ``recipe.scale``; None if it was left alone.
        planned_seconds: What training would take at this scale; None likewise.
        seconds: What training took, all stages together, and that of a network it learnt from.
        wall_seconds: With the start of the process and all checks.
        stages: In the order of training.
        miou: Mean IoU of the last stage on the test part.
        dice: Its Dice.
        iou: Its IoU by class; classes that are absent have none.
        revision: Of the code, as git says it.
        machine: Where it ran.
        command: What was typed, without paths.
        finished: Date and time in UTC.
    """

    setting: Setting
    variant: str
    order: int
    overrides: tuple[str, ...]
    config: str
    fold: int
    seed: int
    test_places: tuple[str, ...]
    images: dict[str, int]
    scale: float | None
    planned_seconds: float | None
    seconds: float
    wall_seconds: float
    stages: tuple[StageScore, ...]
    miou: float
    dice: float
    iou: dict[str, float]
    revision: str
    machine: Machine
    command: str
    finished: str


_RECORD = TypeAdapter(Record)


def read_records(path: Path) -> list[Record]:
    """The runs of a file; none if there is no file. A last line that was cut off is left out.

    Raises:
        ValueError: If another line is no record.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            records.append(_RECORD.validate_json(line))
        except ValidationError as error:
            if number == len(lines):  # every whole line ends, so this one was cut off
                break
            reason = error.errors()[0]
            where = ".".join(map(str, reason["loc"])) or "line"
            raise ValueError(
                f"{path}: line {number} is no run of this benchmark ({where}: {reason['msg']}); "
                "correct or delete it"
            ) from error
    return records


def append_record(path: Path, record: Record) -> None:
    """Adds a run at the end of a file, flushed to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _end_last_line(path)
    with path.open("ab") as file:
        file.write(_RECORD.dump_json(record) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _end_last_line(path: Path) -> None:
    """Ends a last line without an end, or removes it if it was cut off."""
    content = path.read_bytes()
    last = content.rpartition(b"\n")[2]
    if not last:
        return
    try:
        _RECORD.validate_json(last)
    except ValidationError:
        os.truncate(path, len(content) - len(last))
    else:
        path.write_bytes(content + b"\n")


def recorded(
    records: Sequence[Record], setting: Setting, overrides: Sequence[str], config: str
) -> Iterator[Record]:
    """The runs of a variant in a setting, whatever it was called and whatever the revision."""
    wanted = (setting, tuple(overrides), config)
    for record in records:
        if (record.setting, record.overrides, record.config) == wanted:
            yield record
