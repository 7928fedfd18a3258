"""What a run was given for data, model and training is the default for later commands on it."""

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from aerialseg.config.composition import compose
from aerialseg.config.joint_sets import as_single, is_part
from aerialseg.config.tasks import Task, find_task
from aerialseg.config.texts import in_quotes, parse_override
from aerialseg.config.typed_overrides import (
    command_overrides,
    config_name,
    override_group,
    override_key,
    set_command_overrides,
)
from aerialseg.errors import ConfigError
from aerialseg.storage.differences import differences
from aerialseg.storage.run_folders import RunFolder

logger = logging.getLogger(__name__)

_REMEMBERED = ("experiment", "data", "model", "loss", "optimizer", "scheduler", "recipe")
"""The groups whose choices and values a later command on a run inherits."""
_PATHS = (
    *("data.root", "data.classes", "data.groups"),
    *("model.weights", "loss.distillation.teacher"),
)
"""Keys that may name a file, relative to the folder in which it was typed; those of ``data`` also
where it is one of several data sets."""
_NOT_OF_THE_DATA = re.compile(
    r"data\.(classes|cache_dir|num_workers|batch_size|mask_memory_mb|seed)\b"  # the order's seed
)
"""Keys of ``data`` that may differ: how fast it is read, and the table, whose names are compared
with those of the checkpoint."""


_DAMAGED = (
    *(ConfigError, OSError, OmegaConfBaseException, yaml.YAMLError),
    *(KeyError, TypeError, ValueError),
)
"""What reading the record of a run raises if a file is missing or not what was written."""


class Asked(NamedTuple):
    """What a command asks for, with the choices of the run that it is about.

    Attributes:
        config: The config composed with the inherited overrides, unresolved.
        inherited: These overrides.
        folder: The run that they are from; ``None`` if there is none.
        differences: What differs between its data and those of the config, one line each.
        is_damaged: Whether its record cannot be read.
    """

    config: DictConfig
    inherited: Sequence[str] = ()
    folder: Path | None = None
    differences: Sequence[str] = ()
    is_damaged: bool = False

    def announce(self) -> None:
        """Logs what is inherited and what differs, for a config that has been found valid."""
        if self.inherited or self.is_damaged:
            self._say_source()
        for difference in self.differences:
            logger.warning("differs from the run in %s: %s", self.folder, difference)

    def explain(self, error: ConfigError) -> None:
        """Logs what is inherited if a problem is about it, which was not typed now."""
        # All of a group is about its choice; only a value is wrong by itself.
        keys = [key for key in map(override_key, self.inherited) if "." in key]
        paths = [problem.partition(":")[0] for problem in error.problems]
        is_about_it = any(f"{path}.".startswith(f"{key}.") for path in paths for key in keys)
        if is_about_it or self.is_damaged:
            self._say_source()

    def _say_source(self) -> None:
        """Logs what comes from the run, or why nothing does."""
        if self.is_damaged:
            logger.warning("%s: its record is damaged; nothing is inherited", self.folder)
            return
        shown = " ".join(each.lstrip("+") for each in self.inherited if not is_part(each))
        logger.info("taken from the run in %s: %s", self.folder, shown)


def with_remembered(cfg: DictConfig) -> Asked:
    """The config with what was chosen for the run that the command is about.

    That is the run of the checkpoint that evaluate or submit reads; a stage's own run when it is
    resumed or extended, else that of its predecessor; the latest stage of a curriculum's run. Typed
    overrides take precedence. What is inherited and which parts of the data differ is said later,
    if the config is valid.

    Args:
        cfg: The config as Hydra composed it, unresolved.

    Raises:
        ConfigError: If the run made a choice that is missing now.
    """
    folder = _run_of(cfg) if HydraConfig.initialized() else None
    return Asked(cfg) if folder is None else with_choices_of(folder, cfg)


def with_choices_of(folder: RunFolder, cfg: DictConfig) -> Asked:
    """As :func:`with_remembered`, with what was chosen for the run in a folder.

    Args:
        folder: The folder of a run.
        cfg: The config as Hydra composed it, unresolved.

    Raises:
        ConfigError: If the run made a choice that is missing now.
    """
    try:
        record, config = folder.provenance(), _config_of(folder)
        recorded = [str(each) for each in record["command"][1:]]
        found = _Locations(folder.path, record, config)
    except _DAMAGED:
        return Asked(cfg, folder=folder.path, is_damaged=True)
    typed = command_overrides()
    inherited = inherited_overrides(recorded, typed)
    inherited = [*map(found.relocated, inherited), *found.roots_of_data([*inherited, *typed])]
    inherited = [each for each in inherited if each not in typed]
    if inherited:
        _check_choices(inherited, folder)
        # An inherited experiment may name a run.
        if "run_name" not in map(override_key, typed):
            typed = [f"++run_name={cfg.run_name}", *typed]
        set_command_overrides([*inherited, *typed], inherited=inherited)
        cfg = compose(config_name(), [*inherited, *typed])
    return Asked(cfg, inherited, folder.path, _differences(cfg, config, found))


def inherited_overrides(recorded: Iterable[str], typed: Sequence[str]) -> list[str]:
    """The overrides of an earlier command that hold for a later one.

    Args:
        recorded: The overrides of the earlier command.
        typed: The overrides of the later one. Another experiment replaces all, another choice of a
            group those of the group, and a value that value and those below it.
    """
    known = [override for override in recorded if override_group(override) in _REMEMBERED]
    again = {override.lstrip("+") for override in known}
    changed = {override_key(each) for each in typed if each.lstrip("+") not in again}
    if "experiment" in changed:
        return []
    return [override for override in known if changed.isdisjoint(_parents(override_key(override)))]


def _parents(key: str) -> list[str]:
    """A key and what it is part of: ``data`` and ``data.root`` for ``data.root``."""
    return [key[:end] for end, letter in enumerate(f"{key}.") if letter in "./@"]


def _run_of(cfg: DictConfig) -> RunFolder | None:
    """The run that the command is about; ``None`` if there is none or the config is invalid."""
    # What is invalid is reported when the config is validated.
    with suppress(OmegaConfBaseException, ConfigError, TypeError):
        task = find_task(str(cfg.task.name))
        return next((run for run in _candidates(task, cfg) if run.holds_run()), None)
    return None


def _candidates(task: Task, cfg: DictConfig) -> Iterator[RunFolder]:
    """The folders in which the run may be, the first that holds one is meant."""
    run = Path(cfg.paths.runs_dir, cfg.run_name)
    if not task.reads_data:
        return
    if task.reads_checkpoint or (task.may_read_checkpoints and cfg.checkpoint is not None):
        given = cfg.checkpoint
        first = given if isinstance(given, str) else next(iter(given), "")
        yield RunFolder.of_checkpoint(Path(str(first)))
    elif task.starts_stage:
        if cfg.existing in ("resume", "extend"):
            yield RunFolder(run / cfg.stage.name / "train")
        if cfg.stage.init_checkpoint is not None:
            yield RunFolder.of_checkpoint(Path(cfg.stage.init_checkpoint))
    elif task.writes_run or task.reads_run:
        records = run.glob("*/train/provenance.json")
        latest = sorted(records, key=lambda path: path.stat().st_mtime, reverse=True)
        yield from (RunFolder(path.parent) for path in latest)
    else:
        yield RunFolder(run / cfg.stage.name / "train")


def _config_of(folder: RunFolder) -> Any:  # noqa: ANN401 - as it was validated then
    """The resolved config of a run."""
    return OmegaConf.to_container(OmegaConf.load(folder.path / "config.yaml"), resolve=True)


class _Locations:
    """Finds files again that a run named relative to the folder in which it was started.

    Args:
        folder: Where the run lies now.
        record: Its provenance.
        config: Its config.
    """

    def __init__(self, folder: Path, record: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        self._folder = folder
        self._typed_in = Path(record.get("folder") or Path.cwd())
        self._folder_then = self._typed_in / config["paths"]["output_dir"]
        self._roots = _roots_of(config["data"])

    def relocated(self, override: str) -> str:
        """The override, with the path in it as it is reached from here."""
        parsed = parse_override(override)
        if parsed is None or as_single(override_key(override)) not in _PATHS:
            return override
        given: Any = parsed.value()
        if isinstance(given, list):
            here = [self._found(str(each)) or str(each) for each in given]
            return f"++{override_key(override)}=[{','.join(map(in_quotes, here))}]"
        found = self._found(str(given))
        return override if found is None else f"++{override_key(override)}={in_quotes(found)}"

    def roots_of_data(self, overrides: Iterable[str]) -> list[str]:
        """Overrides of the roots that are not given and are not where the defaults say."""
        given = {override_key(override) for override in overrides}
        here = {key: self._found(root) for key, root in self._roots.items() if key not in given}
        return [f"++{key}={in_quotes(path)}" for key, path in here.items() if path is not None]

    def is_root(self, key: str, path: str) -> bool:
        """Whether a path leads to the folder of data that the run had under this key."""
        then = self._roots.get(key)
        if then is None:
            return False
        here = Path(self._found(then) or then).expanduser()
        return here.exists() and Path(path).exists() and here.samefile(path)

    def _found(self, path: str) -> str | None:
        """Where a path leads to now; ``None`` if it is right as it was typed."""
        then = self._typed_in / Path(path).expanduser()
        places = [then, Path(path).expanduser()]
        with suppress(ValueError):  # of another drive
            places.insert(0, self._folder / os.path.relpath(then, self._folder_then))
        there = next((place for place in places if place.exists()), None)
        if there is None or (Path(path).expanduser().exists() and there.samefile(path)):
            return None
        return os.path.normpath(there.absolute())


def _check_choices(inherited: Sequence[str], folder: RunFolder) -> None:
    """Checks that the groups still have the options that a run chose."""
    loader = GlobalHydra.instance().config_loader()
    for override in inherited:
        key, _, choice = override.lstrip("+~").partition("=")
        options = loader.get_group_options(key)
        if options and choice not in (*options, "null"):
            raise ConfigError(
                f"{key}: {folder.path} was trained with {key}={choice}, which is not among the "
                f"choices; add its folder with --config-dir=DIR, or choose another {key}"
            )


def _differences(cfg: DictConfig, config: Mapping[str, Any], found: _Locations) -> list[str]:
    """What differs between the data of a composed config and those of a run, one line each."""
    with suppress(OmegaConfBaseException):  # reported when the config is validated
        now: Any = OmegaConf.to_container(cfg.data, resolve=True)
        same = {key for key, root in _roots_of(now).items() if found.is_root(key, root)}
        return [
            line
            for line in differences({"data": config["data"]}, {"data": now})
            if line.partition(" ")[0] not in same and not _NOT_OF_THE_DATA.match(as_single(line))
        ]
    return []


def _roots_of(data: Mapping[str, Any]) -> dict[str, str]:
    """The folders of the data by their keys: one, or one for each of several data sets."""
    parts = data.get("parts") or {}
    roots = {f"data.parts.{name}.root": str(part["root"]) for name, part in parts.items()}
    return roots | ({"data.root": str(data["root"])} if "root" in data else {})
