"""What each stage trains, group by group."""

from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from aerialseg.models.layer_groups import LayerRow, describe, layer_groups
from aerialseg.training.build import build_network

_LEARNS, _FROZEN = "[bold green]●[/]", "[dim]·[/]"


def layers(cfg: DictConfig) -> None:
    """Prints the truth table: group, parameters, and what becomes of it in each stage.

    Every stage is composed as it would be trained, so its overrides and its auxiliary head count.
    """
    stages = {name: _rows(_compose(str(name))) for name in cfg.model.fine_tune_start}
    Console(width=None if Console().is_terminal else 104).print(_table(stages))


def _compose(stage: str) -> DictConfig:
    typed = HydraConfig.get().overrides.task
    others = [override for override in typed if not override.startswith(("stage=", "task="))]
    return hydra.compose("config", overrides=[*others, f"stage={stage}"])


def _rows(cfg: DictConfig) -> list[LayerRow]:
    # Counts depend on the number of classes; a table that is still a file elsewhere counts as 12.
    classes = cfg.data.classes
    network = build_network(cfg, 12 if isinstance(classes, str) else len(classes))
    spec: Any = OmegaConf.to_container(cfg.model.layer_groups)
    return describe(layer_groups(network, spec), cfg.stage.fine_tune_start)


def _table(stages: dict[Any, list[LayerRow]]) -> Table:
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
        heading = str(name).replace("_", "\n")
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
    """Joins neighbours: ``a.0 + a.1 + a.2`` becomes ``a.0-2``."""
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
