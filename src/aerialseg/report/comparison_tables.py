"""A comparison on the terminal: tables that can be read without colour and in a log file."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from aerialseg.report.comparison import SIDES, Comparison
from aerialseg.report.config_differences import ConfigDifferences
from aerialseg.report.printing import print_whole
from aerialseg.report.score_differences import ScoreDifference

_LONG = 60
"""Characters of a value; ``compare.json`` and the page have all of it."""


def print_comparison(comparison: Comparison) -> None:
    """Prints scores, classes, what the runs were and what differs in their configs."""
    names = [f"{side}: {name}" for side, name in zip(SIDES, comparison.names, strict=True)]
    table = Table(title=escape(", ".join(names)), title_justify="left")
    table.add_column("score")
    told = not comparison.no_intervals
    for column in ("a", "b", "b - a", *["95 % interval"] * told):
        table.add_column(column, justify="right")
    if told:
        table.add_column("verdict")
    for score in comparison.scores:
        table.add_row(*_cells(score, told=told))
    table.add_section()
    for each in comparison.classes:
        name, *cells = _cells(each.iou, told=told)
        table.add_row(f"IoU {name}", *cells)
    print_whole(table, comparison.where, *comparison.notes, *_lines(comparison.no_intervals))
    print_whole(_facts(comparison))
    print_whole(_settings(comparison.settings))


def _cells(score: ScoreDifference, *, told: bool) -> tuple[str, ...]:
    """The texts of a row; ``told`` is whether there are intervals."""
    a, b = ("absent" if each is None else f"{each:.4f}" for each in (score.a, score.b))
    difference = "" if score.difference is None else f"{score.difference:+.4f}"
    ends = score.interval
    interval = "" if ends is None else f"{ends.low:+.4f} to {ends.high:+.4f}"
    return escape(score.name), a, b, difference, *[interval, score.verdict] * told


def _facts(comparison: Comparison) -> Table:
    table = Table(title="training", title_justify="left")
    table.add_column("")
    for side in SIDES:
        table.add_column(side, justify="right")
    for fact in comparison.facts():
        table.add_row(*map(escape, fact))
    return table


def _settings(settings: ConfigDifferences) -> Table:
    """The keys that differ and may change the result."""
    table = Table(title="config, keys that differ", title_justify="left")
    table.add_column("key", overflow="fold")
    for side in SIDES:
        table.add_column(side, overflow="fold")
    for key, values in settings.training.items():
        table.add_row(escape(key), *(escape(_short(value)) for value in values))
    if not settings.training:
        table.add_row("none but names, places and hardware", "", "")
    return table


def _short(value: str) -> str:
    return value if len(value) <= _LONG else f"{value[:_LONG]}..."


def _lines(text: str) -> Sequence[str]:
    return [text] if text else []
