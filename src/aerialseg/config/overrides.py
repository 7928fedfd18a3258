"""Prepares the command-line arguments of this program for Hydra."""

from collections.abc import Sequence
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Override,
    OverrideType,
    QuotedString,
    Sweep,
)

import aerialseg.config.resolvers  # noqa: F401 - the folders below use one
from aerialseg.config.arguments import (
    completion_problems,
    is_completion,
    is_multirun,
    separate_flags,
    value_of_flag,
    word_problems,
)
from aerialseg.config.composition import composition_problems, hydra_in
from aerialseg.config.joint_sets import part_overrides, sets_problems
from aerialseg.config.own_folders import own_folders
from aerialseg.config.problems import Problem
from aerialseg.config.texts import parse_override, with_quoted_texts
from aerialseg.config.typed_overrides import IN_FOLDER_NAME
from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.storage.names import is_folder_name
from aerialseg.values.wording import show

_OTHER_PATHS = ("-cp", "--config-path")
_CONFIG_NAMES = ("-cn", "--config-name")
_SEARCH_PATH = "hydra.searchpath"
_CHDIR = "hydra.job.chdir"
_MAY_BE_NULL = ("experiment",)
"""Groups that a config can do without."""
_PLUGINS = ("hydra/launcher", "hydra/sweeper")
"""The groups whose choices other packages add to."""


def prepare_overrides(arguments: Sequence[str], conf_dir: Path) -> list[str]:
    """Checks command-line arguments and rewrites them in five ways.

    Flags come first: Hydra refuses overrides on both sides of a flag.

    Values become ``++key=value``: Hydra would report only the first unknown key, without a
    suggestion, while our validation reports all of them with the nearest valid name. Group choices
    and arguments that already have a prefix are unchanged.

    Texts that Hydra's grammar would not read as such get quotes: ``checkpoint=~/lr=1/best.ckpt``.

    A sweep over anything but stages and runs gets one folder per job, named by the swept values,
    so that no job writes into the stage's own folder. ``data=joint`` gets the config of each set.

    Args:
        arguments: ``sys.argv[1:]``.
        conf_dir: The config tree; its folders are the groups.

    Raises:
        ConfigError: If an argument is neither a flag nor an override, a group has no such choice, a
            value is missing, the run's name is not a folder name, or an override does not fit into
            the config.
    """
    flags, words, problems = separate_flags(arguments, conf_dir)
    if is_completion(flags):
        if problems := [*problems, *completion_problems(words)]:
            raise ConfigError(*map(str, problems))
        return [*flags, *words]
    in_multirun = is_multirun(flags, words)
    words = [with_quoted_texts(word, in_multirun=in_multirun) for word in words]
    problems += word_problems(words, conf_dir, in_multirun=in_multirun)
    parsed = [parse_override(word) for word in words]
    overrides = [override for override in parsed if override]
    folders = [conf_dir, *own_folders(arguments)]
    keys = {override.key_or_group for override in overrides}
    if _SEARCH_PATH not in keys and not any(flag.startswith(_OTHER_PATHS) for flag in flags):
        problems += [p for override in overrides for p in _choice_problems(override, folders)]
    problems += [Problem(o.key_or_group, "must be set") for o in overrides if o.value() == "???"]
    problems += [p for o in overrides if o.key_or_group == "run_name" for p in _name_problems(o)]
    problems += [p for o in overrides if o.key_or_group == _CHDIR for p in _chdir_problems(o)]
    problems += sets_problems(overrides, folders)
    if problems:
        raise ConfigError(*map(str, problems))
    prepared = [
        f"++{word}" if _is_plain_value(override, folders) else word
        for word, override in zip(words, overrides, strict=True)  # no problem: all are overrides
    ]
    prepared += part_overrides(overrides)
    _check_composition(prepared, flags, conf_dir)
    return [*flags, *prepared, *_sweep_folders(overrides, folders)]


def _check_composition(prepared: Sequence[str], flags: Sequence[str], conf_dir: Path) -> None:
    """Checks that Hydra can compose a config of prepared overrides; each job's is checked later."""
    other = value_of_flag(flags, *_OTHER_PATHS)
    if other and not Path(other).is_dir():
        return  # in a package; Hydra knows
    parsed = [override for word in prepared if (override := parse_override(word))]
    kept = [override for override in parsed if not override.is_sweep_override()]
    name = value_of_flag(flags, *_CONFIG_NAMES) or ("config" if other else None)
    if problems := composition_problems(kept, Path(other or conf_dir), name):
        raise ConfigError(*map(str, problems))


def _is_plain_value(override: Override, folders: Sequence[Path]) -> bool:
    key = override.key_or_group
    is_value = override.type is OverrideType.CHANGE and override.package is None
    is_group = "/" in key or _is_group(key, folders)
    return is_value and not is_group and key.split(".")[0] != "hydra"


def _is_group(key: str, folders: Sequence[Path]) -> bool:
    return any((folder / key).is_dir() for folder in folders)


def _choice_problems(override: Override, folders: Sequence[Path]) -> list[Problem]:
    """One problem for each chosen (or swept) option of a group that has no file."""
    group, value = override.key_or_group, override.value()
    is_hydras = group.startswith("hydra/")
    if override.is_delete() or not (_is_group(group, folders) or "/" in group):
        return []
    choices = {path.stem for folder in folders for path in (folder / group).glob("*.yaml")}
    groups, own = _groups_and_choices_of_hydra(group, folders[0]) if is_hydras else ([], [])
    choices |= set(own)
    choices = {name for name in choices if not name.startswith("_")}
    if not choices:
        known = [path.relative_to(folders[0]).as_posix() for path in folders[0].glob("*/*/")]
        return [Problem(group, f"is not a group{did_you_mean(group, [*known, *groups])}")]
    if override.is_force_add():
        text = str(override.input_line).lstrip("+")
        return [Problem(group, f"++ is for values, and this is a group; write {text}")]
    if value is None and group in _MAY_BE_NULL:
        return []
    if isinstance(value, dict):
        below = f"a value in it is set as in {group}.{next(iter(value), 'KEY')}=VALUE"
        return [Problem(group, f"a mapping is not a choice{did_you_mean('', choices)}; {below}")]
    if isinstance(value, ChoiceSweep):
        value = [item.text if isinstance(item, QuotedString) else item for item in value.list]
    others = f"; others come from packages such as hydra-{value}-{group.removeprefix('hydra/')}"
    return [
        Problem(
            group,
            f"there is no {show(name)}{did_you_mean(str(name), choices)}"
            f"{others if group in _PLUGINS else ''}",
        )
        for name in (value if isinstance(value, list) else [value])
        if not isinstance(name, Sweep) and str(name) not in choices
    ]


def _groups_and_choices_of_hydra(group: str, conf_dir: Path) -> tuple[list[str], list[str]]:
    """Hydra's own groups, and the choices of one of them with those that installed plugins add."""
    with hydra_in(conf_dir):
        loader = GlobalHydra.instance().config_loader()
        groups = [f"hydra/{name}" for name in loader.list_groups("hydra")]
        return groups, list(loader.get_group_options(group))


def _chdir_problems(override: Override) -> list[Problem]:
    """Checked here because Hydra changes the folder before the config is validated."""
    text = (
        "must be false: relative paths mean the folder in which you type; "
        "choose others by paths.output_dir"
    )
    return [] if override.value() in (False, None) else [Problem(_CHDIR, text)]


def _name_problems(override: Override) -> list[Problem]:
    """Checked here because Hydra creates a multirun's folder before the config is validated."""
    name = override.value()
    if not isinstance(name, str) or "${" in name or name == "???" or is_folder_name(name):
        return []
    return [Problem("run_name", f"{name!r} cannot be the name of a folder")]


def _sweep_folders(overrides: Sequence[Override], folders: Sequence[Path]) -> list[str]:
    """The override that gives every job of a sweep its own folder; empty if one is given."""
    keys = {override.key_or_group for override in overrides}
    swept = {o.key_or_group for o in overrides if o.is_sweep_override()} - IN_FOLDER_NAME
    if not swept or "paths.output_dir" in keys:
        return []
    values = {
        key: f"hydra:runtime.choices.{key}" if _is_group(key, folders) else key for key in swept
    }
    differs = ",".join(f"{key}=${{{values[key]}}}" for key in sorted(swept))
    folder = "${paths.runs_dir}/${run_name}/${stage.name}"
    return [f"++paths.output_dir='{folder}/${{folder_name:\"{differs}\"}}/${{task.name}}'"]
