"""Prints which layer groups each stage trains."""

from collections.abc import Collection, Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Table

from aerialseg.config.chain import compose_stage
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.validation import resolve
from aerialseg.models.freeze_plan import FreezePlan, LayerRow
from aerialseg.models.layer_groups import layer_groups
from aerialseg.models.weights.loading import expected_fresh
from aerialseg.report.printing import print_whole
from aerialseg.training.build import build_network

_LEARNS, _FRESH, _FROZEN = "[bold green]●[/]", "[bold yellow]◆[/]", "[dim]·[/]"


@task()
def layers(experiment: Experiment) -> None:
    """Prints a table of layer groups: parameters, and whether each stage trains or freezes them.

    Every stage is composed as for training, with its overrides and its auxiliary head.
    """
    names = experiment.model.fine_tune_start
    stages: dict[str, list[LayerRow]] = {}
    fresh: Collection[str] | None = None
    for name in names:
        plan = _plan(resolve(compose_stage(name, task="layers")), fresh)
        stages[name], fresh = plan.rows(), plan.still_fresh
    print_whole(_table(stages))


def _plan(experiment: Experiment, fresh: Collection[str] | None) -> FreezePlan:
    """What a stage trains if the stages above it in the table were trained before.

    Args:
        experiment: The config of the stage.
        fresh: The modules that are still random after these; ``None`` for the first stage.
    """
    # Parameter counts depend on the number of classes; 12 if the class table is in a file.
    classes = experiment.data["classes"]
    network = build_network(experiment, len(classes) if isinstance(classes, Mapping) else 12)
    groups, stage = layer_groups(network, experiment.model.layer_groups), experiment.stage
    if fresh is None:
        weights, final_layers = experiment.model.weights, groups[-1].names
        fresh = expected_fresh(network, weights, final_layers=final_layers)
    return FreezePlan(groups, stage.fine_tune_start, fresh, train_fresh=stage.fresh == "learn")


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
        marks = [_mark(rows[index]) for rows in stages.values()]
        norm = "" if row.batchnorm == "none" else "yes"
        table.add_row(str(row.index), _short(row.name), f"{row.parameters:,}", norm, *marks)
    frozen = "frozen: no gradients, and BatchNorm (BN) keeps its statistics"
    fresh = any(row.only_as_fresh for rows in stages.values() for row in rows)
    learns = f"{_LEARNS} learns   " + (f"{_FRESH} learns, being random so far   " if fresh else "")
    table.caption = f"{learns}{_FROZEN} {frozen}"
    table.caption_justify = "left"
    return table


def _mark(row: LayerRow) -> str:
    if row.only_as_fresh:
        return _FRESH
    return _LEARNS if row.trained else _FROZEN


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
