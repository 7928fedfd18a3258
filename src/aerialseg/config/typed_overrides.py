"""What was typed: the overrides of this command."""

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, read_write

from aerialseg.config.program import program

IN_FOLDER_NAME = frozenset({"run_name", "stage", "task"})
"""Keys that the folder of every job contains, swept or not."""


class _Inherited:
    """Which overrides come from an earlier run, while Hydra has the config that they were set in.

    Hydra's config has no place for them.
    """

    config: Any = None
    overrides: tuple[str, ...] = ()


def command_line() -> list[str]:
    """The command line of this process, as a list of arguments."""
    return [program().rpartition(" ")[2], *command_overrides()]


def command_overrides() -> list[str]:
    """The overrides of this command as typed: interpolations are resolved for each stage."""
    if not HydraConfig.initialized():
        return []
    overrides = HydraConfig.get().overrides.task
    return [str(each) for each in OmegaConf.to_container(overrides, resolve=False) or ()]


def typed_keys() -> list[str]:
    """The keys of the overrides that were typed now, without those of an earlier run."""
    inherited = _Inherited.overrides if _Inherited.config is HydraConfig.instance().cfg else ()
    return [override_key(each) for each in command_overrides() if each not in inherited]


def set_command_overrides(overrides: Sequence[str], *, inherited: Sequence[str] = ()) -> None:
    """Replaces the overrides of this command, for what is composed and recorded from now on.

    Args:
        overrides: All that hold now.
        inherited: Those of them that come from an earlier run.
    """
    config: Any = deepcopy(HydraConfig.instance().cfg)
    with read_write(config.hydra):
        config.hydra.overrides.task = list(overrides)
    HydraConfig.instance().cfg = config
    _Inherited.config, _Inherited.overrides = config, tuple(inherited)


def config_name() -> str:
    """The primary config of this command: ``config`` unless ``--config-name`` chose another."""
    chosen = HydraConfig.get().job.config_name if HydraConfig.initialized() else None
    return str(chosen or "config")


def override_key(override: str) -> str:
    """The key of an override, such as ``data.root`` of ``++data.root=PATH``."""
    return override.lstrip("+~").partition("=")[0]


def override_group(override: str) -> str:
    """The group or section that an override belongs to: ``data`` of ``++data.root=PATH``."""
    return re.split("[./@]", override_key(override))[0]
