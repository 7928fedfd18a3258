"""When a training scored what."""

import json
from pathlib import Path
from typing import TypedDict

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from aerialseg.storage.event_files import event_folder


class Score(TypedDict):
    """What one validation found.

    ``at`` is the time in seconds since 1970; ``miou`` and ``dice`` are from 0 to 1.
    """

    at: float
    miou: float
    dice: float


def write_score(file: Path, score: Score) -> None:
    """Adds a line of JSON."""
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(score) + "\n")


def read_scores(file: Path) -> list[Score]:
    """The lines of :func:`write_score`."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def scores_of_run(run: Path) -> list[Score]:
    """All validations of a run of this project, in the order of time, from its curves.

    Args:
        run: Its folder, ``runs/<run_name>``.
    """
    found = []
    for folder in run.glob("*/train"):
        events = str(event_folder(folder))
        curves = EventAccumulator(events, size_guidance={"scalars": 0}).Reload()
        if "val/dice" not in curves.Tags()["scalars"]:
            continue
        pairs = zip(curves.Scalars("val/miou"), curves.Scalars("val/dice"), strict=True)
        found += [
            Score(at=dice.wall_time, miou=miou.value, dice=dice.value) for miou, dice in pairs
        ]
    return sorted(found, key=lambda score: score["at"])
