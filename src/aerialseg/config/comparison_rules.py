"""Rules for two runs that are compared: both are there, finished, and not the same."""

from collections.abc import Iterator
from pathlib import Path

from aerialseg.config.problems import Problem
from aerialseg.config.tasks import find_task
from aerialseg.config.trainer_rules import Rule
from aerialseg.config.types import Lookup
from aerialseg.errors import ConfigError
from aerialseg.report.named_stages import NamedStage, find_stage


def comparison_rules() -> tuple[Rule, ...]:
    """All rules of this module."""
    return (_runs,)


def _runs(config: Lookup) -> Iterator[Problem]:
    """Both runs are there, finished, and not the same."""
    if not find_task(str(config["task.name"])).compares_runs:
        return
    names, runs_dir = config["task.runs"], Path(config["paths.runs_dir"])
    found: list[NamedStage] = []
    for name in names:
        try:
            found.append(find_stage(runs_dir, name))
        except ConfigError as error:
            yield from (Problem("task.runs", problem) for problem in error.problems)
    folders = {stage.folder.path.resolve() for stage in found}
    if len(found) == len(names) > len(folders):
        text = f"both are {found[0].name}, in {found[0].folder.path}; name another run or stage"
        yield Problem("task.runs", text)
