"""The table after a curriculum or a sweep: what each job cost and what it brought."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from aerialseg.files import csv_text, write_text

COLUMNS = ("stage", "trainable_parameters", "val_dice", "val_miou", "gain", "seconds")


class StageTable(Callback):
    """Collects the metrics of a multirun's training jobs, prints them and writes a CSV.

    Hydra calls it; ``conf/config.yaml`` names it.
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._path: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Begins a new table."""
        self._rows.clear()

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:  # noqa: ANN401
        """Takes the metrics a training job returned; other tasks return none."""
        metrics = job_return._return_value  # the public property raises what the job raised
        if isinstance(metrics, dict) and "val/dice" in metrics:
            job = _job_name(config)
            self._rows.append({"job": job, **metrics})
            # A sweep must not take the place of the curriculum's table.
            name = "stages.csv" if job == config.stage.name else "sweep.csv"
            self._path = Path(config.paths.runs_dir) / config.run_name / name

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ANN401
        """Shows and keeps the table."""
        if self._path is not None:
            rows = table_rows(self._rows)
            write_text(self._path, as_csv(rows))
            print_table(rows, self._path)


def table_rows(jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a job: the gain is against the job before it.

    Args:
        jobs: ``metrics.json`` of each job in order, with its ``job`` name.
    """
    rows: list[dict[str, Any]] = []
    for job in jobs:
        dice = float(job["val/dice"])
        rows.append(
            {
                "stage": job["job"],
                "trainable_parameters": job["trainable_parameters"],
                "val_dice": round(dice, 4),
                "val_miou": round(float(job["val/miou"]), 4),
                "gain": round(dice - rows[-1]["val_dice"], 4) if rows else None,
                "seconds": round(float(job["seconds"]), 1),
            }
        )
    return rows


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The table as CSV text."""
    return csv_text(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


def print_table(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """The table as a person reads it."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Stages", title_justify="left", show_footer=True)
    total = sum(row["seconds"] for row in rows)
    table.add_column("stage", footer="all", no_wrap=True)  # in a sweep it ends with what differs
    for name, footer in (
        ("trainable parameters", ""),
        ("val dice", ""),
        ("val mIoU", ""),
        ("gain", ""),
        ("time", _duration(total)),
    ):
        table.add_column(name, footer=footer, justify="right")
    for row in rows:
        table.add_row(
            row["stage"],
            f"{row['trainable_parameters']:,}",
            f"{row['val_dice']:.4f}",
            f"{row['val_miou']:.4f}",
            "" if row["gain"] is None else f"{row['gain']:+.4f}",
            _duration(row["seconds"]),
        )
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 120)  # a log file cuts nothing
    console.print(table)
    console.print(f"written to {path}", highlight=False)


def _job_name(config: DictConfig) -> str:
    """The stage, and in a sweep what differs."""
    folder = Path(config.paths.output_dir)
    differs = folder.parent.name
    stage = str(config.stage.name)
    return stage if differs == stage else f"{stage} {differs}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
