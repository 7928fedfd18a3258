"""Prints which layer groups each stage trains."""

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from aerialseg.config.chain import compose_stage
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.validation import resolve
from aerialseg.models.layer_groups import LayerRow, describe, layer_groups
from aerialseg.training.build import build_network

_LEARNS, _FROZEN = "[bold green]●[/]", "[dim]·[/]"


@task()
def layers(experiment: Experiment) -> None:
    """Prints a table of layer groups: parameters, and whether each stage trains or freezes them.

    Every stage is composed as for training, with its overrides and its auxiliary head.
    """
    names = experiment.model.fine_tune_start
    stages = {name: _rows(resolve(compose_stage(name, task="layers"))) for name in names}
    Console(width=None if Console().is_terminal else 104).print(_table(stages))


def _rows(experiment: Experiment) -> list[LayerRow]:
    # Parameter counts depend on the number of classes; 12 if the class table is in a file.
    classes = experiment.data["classes"]
    network = build_network(experiment, len(classes) if isinstance(classes, Mapping) else 12)
    groups = layer_groups(network, experiment.model.layer_groups)
    return describe(groups, experiment.stage.fine_tune_start)


def _table(stages: Mapping[str, list[LayerRow]]) -> Table:
    """One row per layer group, one column per stage."""
    table = Table(
        title="What each stage trains", title_justify="left", box=SIMPLE_HEAD, show_footer=True
    )
    widest = max(stages.values(), key=lambda rows: sum(row.parameters for row in rows))
    total = sum(row.parameters for row in widest)
    table.add_column("group", justify="right")
    table.add_column("modules", "all", no_wrap=True)
    table.add_column("parameters", f"{total:,}", justify="right", no_wrap=True)
    table.add_column("BN", justify="center")
    for name, rows in stages.items():
        learning = sum(row.parameters for row in rows if row.trained)
        heading = name.replace("_", "\n")
        table.add_column(heading, f"{learning:,}", justify="center", no_wrap=True)
    for index, row in enumerate(widest):
        marks = [_LEARNS if rows[index].trained else _FROZEN for rows in stages.values()]
        norm = "" if row.batchnorm == "none" else "yes"
        table.add_row(str(row.index), _short(row.name), f"{row.parameters:,}", norm, *marks)
    frozen = "frozen: no gradients, and BatchNorm (BN) keeps its statistics"
    table.caption = f"{_LEARNS} learns   {_FROZEN} {frozen}"
    table.caption_justify = "left"
    return table


def _short(name: str) -> str:
    """Joins consecutive indices: ``a.0 + a.1 + a.2`` becomes ``a.0-2``."""
    runs: list[list[str]] = []
    for part in name.split(" + "):
        parent, _, last = part.rpartition(".")
        run = runs[-1] if runs else None
        if run and run[0] == parent and last.isdigit() and int(run[-1]) + 1 == int(last):
            run.append(last)
        else:
            runs.append([parent, last])
    shown = [
        f"{parent}.{numbers[0]}" + (f"-{numbers[-1]}" if len(numbers) > 1 else "")
        for parent, *numbers in runs
    ]
    return "\n".join(text.lstrip(".") for text in shown)
