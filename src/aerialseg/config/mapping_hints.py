"""What to type where a value stands for a mapping, or for a part of one that is not there."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, fields

from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from aerialseg.config.composition import compose
from aerialseg.config.problems import Problem
from aerialseg.config.typed_overrides import (
    command_overrides,
    config_name,
    override_group,
    override_key,
)
from aerialseg.errors import ConfigError

_MAPPING_WANTED = re.compile(r"is not a mapping( with a _target_)?(?: or null)?$")
"""How a line ends where nothing but a mapping fits."""
_PLAIN = re.compile(r"[\w./-]+")
"""Values that need no quotes, in the shell or in Hydra's grammar."""


def one_value_of(problem: Problem, value: object, kind: type | None) -> str:
    """How one value of a mapping is set, for a value that was typed for all of it; else empty.

    Args:
        problem: What is wrong with the value.
        value: What was typed.
        kind: The dataclass that the mapping is for, if any.
    """
    key, wanted = problem.path, _MAPPING_WANTED.search(problem.text)
    if isinstance(value, Mapping) or key not in _typed() or not wanted:
        return ""
    name = _first_needed(kind) if kind else _first_held(key)
    if not name:
        return ""
    is_for_it = isinstance(value, str | int | float) and not isinstance(value, bool)
    fits = is_for_it and _PLAIN.fullmatch(str(value)) and not wanted[1]
    return f"; one value of it is set as in {key}.{name}={value if fits else 'VALUE'}"


def choice_with(path: str) -> str:
    """Which choice has what a typed key is a part of, for a path that nothing is built at.

    Args:
        path: A path below a group such as ``callbacks.ema``, or a group.
    """
    typed = [key for key in _typed() if key.startswith(f"{path}.")]
    if not typed or not GlobalHydra.instance().is_initialized():
        return ""
    group = path.partition(".")[0]
    options = GlobalHydra.instance().config_loader().get_group_options(group)
    having = [name for name in options if _holds(group, name, typed[0])]
    choices = " or ".join(f"{group}={name}" for name in having)
    return f"; {typed[0]} needs {choices}" if choices else ""


def _typed() -> list[str]:
    return [override_key(override) for override in command_overrides()]


def _first_needed(kind: type) -> str:
    needed = [field.name for field in fields(kind) if field.default is MISSING]
    return next(iter(needed), "")


def _first_held(key: str) -> str:
    """A name in a mapping as it is without what was typed for it: that of a stage to be trained."""
    if not GlobalHydra.instance().is_initialized():
        return ""
    others = [override for override in command_overrides() if override_key(override) != key]
    with suppress(ConfigError, OmegaConfBaseException):
        config = compose(config_name(), others)
        held = OmegaConf.select(config, key)
        names = [str(name) for name in held] if isinstance(held, DictConfig) else []
        chain = config.task.name == "curriculum"
        trained = list(config.task.stages or []) if chain else [config.stage.name]
        wanted = [name for name in trained if name in names]
        return next((name for name in (*wanted, *names) if not name.startswith("_")), "")
    return ""


def _holds(group: str, choice: str, key: str) -> bool:
    """Whether a choice of a group brings a key of that group."""
    *parents, last = key.split(".")
    others = [each for each in command_overrides() if override_group(each) != group]
    with suppress(ConfigError, OmegaConfBaseException):
        config = compose(config_name(), [*others, f"{group}={choice}"])
        held = OmegaConf.select(config, ".".join(parents))
        return isinstance(held, DictConfig) and last in held
    return False
