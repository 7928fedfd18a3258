"""What is typed after ``run.py``, made ready for Hydra."""

from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Override,
    OverrideType,
    QuotedString,
    Sweep,
)
from hydra.errors import HydraException

import aerialseg.config.resolvers  # noqa: F401 - the folders below use one
from aerialseg.config.problems import Problem
from aerialseg.config.wording import show
from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.storage.names import is_folder_name

_OWN_FOLDERS = frozenset({"run_name", "stage", "task"})
"""What a job's folder is already named by."""

_OTHER_PLACES = ("-cd", "--config-dir", "-cp", "--config-path", "hydra.searchpath")


def prepare_overrides(arguments: Sequence[str], conf_dir: Path) -> list[str]:
    """Checks group choices and rewrites command-line arguments in two ways.

    Values are handed over as ``++key=value``: of unknown plain keys Hydra reports only the first
    and without a suggestion, while our validation names them all with the nearest valid one.
    Group choices and arguments with a prefix of their own stay as they are.

    A sweep over anything but stages and runs gets one folder a job, named by what differs, so
    that no job ever writes into the stage's own folder.

    Args:
        arguments: ``sys.argv[1:]``.
        conf_dir: The config tree; its folders are the groups.

    Raises:
        ConfigError: If a group has no such choice, a value is missing, or the run's name leads
            out of the folder of runs.
    """
    parsed = [_parse(argument) for argument in arguments]
    overrides = [override for override in parsed if override]
    knows_all = not any(argument.startswith(_OTHER_PLACES) for argument in arguments)
    problems = [p for o in overrides if knows_all for p in _choice_problems(o, conf_dir)]
    problems += [Problem(o.key_or_group, "must be set") for o in overrides if o.value() == "???"]
    problems += [p for o in overrides if o.key_or_group == "run_name" for p in _name_problems(o)]
    if problems:
        raise ConfigError(*map(str, problems))
    prepared = [
        f"++{argument}" if override and _is_plain_value(override, conf_dir) else argument
        for argument, override in zip(arguments, parsed, strict=True)
    ]
    return prepared + _sweep_folders(overrides, conf_dir)


def _parse(argument: str) -> Override | None:
    """What Hydra will read; ``None`` for flags, their values, and what Hydra will refuse."""
    try:
        override = OverridesParser.create().parse_override(argument)
    except HydraException:
        return None
    return override if override.key_or_group else None


def _is_plain_value(override: Override, conf_dir: Path) -> bool:
    key = override.key_or_group
    is_value = override.type is OverrideType.CHANGE and override.package is None
    return is_value and key.split(".")[0] != "hydra" and not (conf_dir / key).is_dir()


def _choice_problems(override: Override, conf_dir: Path) -> list[Problem]:
    """One for each choice of a group, or of a sweep over choices, without a file."""
    group, value = override.key_or_group, override.value()
    folder = conf_dir / group
    if not folder.is_dir() or override.is_delete() or override.is_hydra_override():
        return []
    choices = [p.stem for p in folder.glob("*.yaml") if not p.stem.startswith("_")]
    if isinstance(value, ChoiceSweep):
        value = [item.text if isinstance(item, QuotedString) else item for item in value.list]
    return [
        Problem(group, f"there is no {show(name)}{did_you_mean(str(name), choices)}")
        for name in (value if isinstance(value, list) else [value])
        if not isinstance(name, Sweep) and str(name) not in choices
    ]


def _name_problems(override: Override) -> list[Problem]:
    """Hydra makes a multirun's folder, which is named by the run, before a config is checked."""
    name = override.value()
    if not isinstance(name, str) or "${" in name or name == "???" or is_folder_name(name):
        return []
    return [Problem("run_name", f"{name!r} cannot be the name of a folder")]


def _sweep_folders(overrides: Sequence[Override], conf_dir: Path) -> list[str]:
    """The override that gives every job of a sweep its own folder; none if it has one already."""
    keys = {override.key_or_group for override in overrides}
    swept = {o.key_or_group for o in overrides if o.is_sweep_override()} - _OWN_FOLDERS
    if not swept or "paths.output_dir" in keys:
        return []
    values = {
        key: f"hydra:runtime.choices.{key}" if (conf_dir / key).is_dir() else key for key in swept
    }
    differs = ",".join(f"{key}=${{{values[key]}}}" for key in sorted(swept))
    folder = "${paths.runs_dir}/${run_name}/${stage.name}"
    return [f"++paths.output_dir='{folder}/${{folder_name:\"{differs}\"}}/${{task.name}}'"]
