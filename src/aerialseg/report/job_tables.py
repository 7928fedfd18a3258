"""How jobs become a table: finished ones, those of a sweep, and forecasts."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aerialseg.durations import clock_time, duration, rough_duration
from aerialseg.report.path_links import PathLink
from aerialseg.report.printing import print_whole
from aerialseg.storage.atomic_files import csv_text, write_text
from aerialseg.storage.forecast import Forecast
from aerialseg.storage.stage_result import StageResult

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class FinishedJob:
    """A finished training job.

    Attributes:
        name: The stage, and in a sweep the swept values.
        previous: The stage it started from; ``None`` for the first.
        result: Its scores and statistics.
    """

    name: str
    previous: str | None
    result: StageResult


@dataclass(frozen=True)
class FailedJob:
    """A job of a sweep that ended in an error.

    Attributes:
        name: The stage and the swept values.
        reason: The error, in one line.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class StageRow:
    """A row of ``stages.csv``; the attributes are its columns."""

    stage: str
    trainable_parameters: int
    val_dice: float
    val_miou: float
    gain: float | None
    seconds: float


def table_rows(jobs: Sequence[FinishedJob]) -> list[StageRow]:
    """One row per job, with the gain over the stage it started from, if that is among them."""
    dice = {job.name: round(job.result.scores["val/dice"], 4) for job in jobs}
    return [
        StageRow(
            stage=job.name,
            trainable_parameters=job.result.trainable_parameters,
            val_dice=dice[job.name],
            val_miou=round(job.result.scores["val/miou"], 4),
            gain=round(dice[job.name] - dice[job.previous], 4) if job.previous in dice else None,
            seconds=round(job.result.seconds, 1),
        )
        for job in jobs
    ]


def show_sweep_table(jobs: Sequence[FinishedJob | FailedJob], path: Path) -> None:
    """Writes the table of a sweep's jobs as CSV, and prints the rows of those that finished.

    Its last column, ``failed``, says why a job has no scores.
    """
    columns = [field.name for field in fields(StageRow)]
    rows = table_rows([job for job in jobs if isinstance(job, FinishedJob)])
    finished = iter(rows)
    lines = [
        [job.name, *[""] * (len(columns) - 1), job.reason]
        if isinstance(job, FailedJob)
        else [*astuple(next(finished)), ""]
        for job in jobs
    ]
    write_text(path, csv_text([*columns, "failed"], lines))
    if rows:
        print_table(rows, path, title="Sweep")


def as_csv(rows: Sequence[StageRow]) -> str:
    """The table as CSV text."""
    return csv_text([field.name for field in fields(StageRow)], map(astuple, rows))


def print_table(rows: Sequence[StageRow], path: Path, *, title: str = "Stages") -> None:
    """Prints the table; the column of gains only if there are any."""
    table = _table(title, "all")
    gains = any(row.gain is not None for row in rows)
    for name in ("trainable parameters", "val dice", "val mIoU", *["gain"] * gains):
        table.add_column(name, justify="right")
    time = duration(sum(row.seconds for row in rows))
    table.add_column("time", footer=time, justify="right")
    for row in rows:
        table.add_row(
            row.stage,
            f"{row.trainable_parameters:,}",
            f"{row.val_dice:.4f}",
            f"{row.val_miou:.4f}",
            *["" if row.gain is None else f"{row.gain:+.4f}"] * gains,
            duration(row.seconds),
        )
    print_whole(table, f"written to {PathLink(path).shown_on(sys.stdout)}")


def print_forecast(forecasts: Mapping[str, Forecast], *, now: datetime) -> None:
    """Prints a table of forecasts.

    Args:
        forecasts: By job name.
        now: The local time.
    """
    total = sum(forecast.seconds for forecast in forecasts.values())
    prepares = any(forecast.features for forecast in forecasts.values())
    table = _table("Forecast", "all")
    for name in ("training step", "validation batch", *["features, once"] * prepares, "epochs"):
        table.add_column(name, justify="right")
    table.add_column("time", footer=rough_duration(total), justify="right")
    for job, forecast in forecasts.items():
        seconds = forecast.features
        features = [rough_duration(seconds) if seconds else ""] * prepares
        steps = [_short_time(forecast.step), _short_time(forecast.validation_batch)]
        time = rough_duration(forecast.seconds)
        table.add_row(job, *steps, *features, _epochs(forecast), time)
    at_most = any(forecast.at_most for forecast in forecasts.values())
    about, done = ("at most", "by") if at_most else ("about", "at")
    end = clock_time(total, now=now)
    print_whole(table, f"{about} {rough_duration(total)}: started now, done {done} {end}")


def _table(title: str, total: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_footer=True)
    table.add_column("stage", footer=total, no_wrap=True)  # ends with the swept values
    return table


def _epochs(forecast: Forecast) -> str:
    if forecast.epochs_left <= 0:
        return "finished"
    whole = forecast.epochs_left == forecast.epochs
    return str(forecast.epochs) if whole else f"{forecast.epochs_left} of {forecast.epochs} left"


def _short_time(seconds: float | None) -> str:
    """Seconds or milliseconds with three digits."""
    if seconds is None:
        return ""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
