"""The tables after jobs: what each stage cost and brought, or what it is going to cost."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aerialseg.durations import clock_time, duration, rough_duration
from aerialseg.storage.atomic_files import csv_text

if TYPE_CHECKING:
    from rich.table import Table
COLUMNS = ("stage", "trainable_parameters", "val_dice", "val_miou", "gain", "seconds")


def table_rows(jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a job: the gain is that over the stage it started from, where that is among them.

    Args:
        jobs: ``metrics.json`` of each job in order, with its ``job`` name and ``previous`` stage.
    """
    dice = {job["job"]: round(float(job["val/dice"]), 4) for job in jobs}
    return [
        {
            "stage": job["job"],
            "trainable_parameters": job["trainable_parameters"],
            "val_dice": dice[job["job"]],
            "val_miou": round(float(job["val/miou"]), 4),
            "gain": round(dice[job["job"]] - dice[job["previous"]], 4)
            if job["previous"] in dice
            else None,
            "seconds": round(float(job["seconds"]), 1),
        }
        for job in jobs
    ]


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The table as CSV text."""
    return csv_text(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


def print_table(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """The table as a person reads it."""
    total = sum(row["seconds"] for row in rows)
    table = _table("Stages", "all")
    for name, footer in (
        ("trainable parameters", ""),
        ("val dice", ""),
        ("val mIoU", ""),
        ("gain", ""),
        ("time", duration(total)),
    ):
        table.add_column(name, footer=footer, justify="right")
    for row in rows:
        table.add_row(
            row["stage"],
            f"{row['trainable_parameters']:,}",
            f"{row['val_dice']:.4f}",
            f"{row['val_miou']:.4f}",
            "" if row["gain"] is None else f"{row['gain']:+.4f}",
            duration(row["seconds"]),
        )
    _print(table, f"written to {path}")


def print_forecast(rows: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """What was measured of each job, as a person reads it.

    Args:
        rows: What :func:`aerialseg.training.measure.measure` returned, with the ``job``'s name.
        now: The local time.
    """
    total = sum(row["seconds"] for row in rows)
    prepares = any(row["features"] for row in rows)
    table = _table("Forecast", "all")
    for name in ("training step", "validation batch", *["features, once"] * prepares, "epochs"):
        table.add_column(name, justify="right")
    table.add_column("time", footer=rough_duration(total), justify="right")
    for row in rows:
        features = [rough_duration(row["features"]) if row["features"] else ""] * prepares
        steps = [_short_time(row[name]) for name in ("step", "validation_batch")]
        table.add_row(row["job"], *steps, *features, _epochs(row), rough_duration(row["seconds"]))
    about, done = ("at most", "by") if any(row["at_most"] for row in rows) else ("about", "at")
    end = clock_time(total, now=now)
    _print(table, f"{about} {rough_duration(total)}: started now, done {done} {end}")


def _table(title: str, total: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_footer=True)
    table.add_column("stage", footer=total, no_wrap=True)  # in a sweep it ends with what differs
    return table


def _print(table: "Table", last_line: str) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 120)  # a log file cuts nothing
    console.print(table)
    console.print(last_line, highlight=False)


def _epochs(row: dict[str, Any]) -> str:
    if row["left"] == 0:
        return "finished"
    epochs = str(row["epochs"])
    return epochs if row["left"] == row["epochs"] else f"{row['left']} of {epochs} left"


def _short_time(seconds: float | None) -> str:
    """Three digits of a step's time, which may be milliseconds."""
    if seconds is None:
        return ""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
