"""Prepares the command-line arguments of ``run.py`` for Hydra."""

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

_IN_FOLDER_NAME = frozenset({"run_name", "stage", "task"})
"""Keys that the folder of a job already contains."""

_OTHER_CONFIG_DIRS = ("-cd", "--config-dir", "-cp", "--config-path", "hydra.searchpath")


def prepare_overrides(arguments: Sequence[str], conf_dir: Path) -> list[str]:
    """Checks group choices and rewrites command-line arguments in two ways.

    Values become ``++key=value``: Hydra would report only the first unknown key, without a
    suggestion, while our validation reports all of them with the nearest valid name. Group choices
    and arguments that already have a prefix are unchanged.

    A sweep over anything but stages and runs gets one folder per job, named by the swept values,
    so that no job writes into the stage's own folder.

    Args:
        arguments: ``sys.argv[1:]``.
        conf_dir: The config tree; its folders are the groups.

    Raises:
        ConfigError: If a group has no such choice, a value is missing, or the run's name is not a
            folder name.
    """
    parsed = [_parse(argument) for argument in arguments]
    overrides = [override for override in parsed if override]
    is_only_conf_dir = not any(argument.startswith(_OTHER_CONFIG_DIRS) for argument in arguments)
    problems = [p for o in overrides if is_only_conf_dir for p in _choice_problems(o, conf_dir)]
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
    """The parsed override; ``None`` for flags, their values, and invalid overrides."""
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
    """One problem for each chosen (or swept) option of a group that has no file."""
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
    """Checked here because Hydra creates a multirun's folder before the config is validated."""
    name = override.value()
    if not isinstance(name, str) or "${" in name or name == "???" or is_folder_name(name):
        return []
    return [Problem("run_name", f"{name!r} cannot be the name of a folder")]


def _sweep_folders(overrides: Sequence[Override], conf_dir: Path) -> list[str]:
    """The override that gives every job of a sweep its own folder; empty if one is given."""
    keys = {override.key_or_group for override in overrides}
    swept = {o.key_or_group for o in overrides if o.is_sweep_override()} - _IN_FOLDER_NAME
    if not swept or "paths.output_dir" in keys:
        return []
    values = {
        key: f"hydra:runtime.choices.{key}" if (conf_dir / key).is_dir() else key for key in swept
    }
    differs = ",".join(f"{key}=${{{values[key]}}}" for key in sorted(swept))
    folder = "${paths.runs_dir}/${run_name}/${stage.name}"
    return [f"++paths.output_dir='{folder}/${{folder_name:\"{differs}\"}}/${{task.name}}'"]
