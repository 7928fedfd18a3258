"""Finds every problem of a composed config before any work is done."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from aerialseg.config.chain import Place
from aerialseg.config.idle_values import idle_rows, idle_settings
from aerialseg.config.problems import Problem
from aerialseg.config.rules import rule_problems
from aerialseg.config.schema import Experiment
from aerialseg.config.signatures import schema_problems
from aerialseg.config.types import UNRESOLVED
from aerialseg.errors import ConfigError
from aerialseg.storage.names import expand_home


def validate(cfg: DictConfig, *, place: Place = "alone") -> Experiment:
    """Validates a composed config and reports all problems at once.

    Checks that every value is set and every interpolation resolves; keys, types and ranges at
    every depth against the dataclasses of :mod:`aerialseg.config.schema` and the signatures of
    the targets; and rules between keys and files on disk.

    Args:
        cfg: The config as Hydra composed it, unresolved.
        place: Where the stage or task stands among those of the command.

    Returns:
        The config, resolved, as plain data.

    Raises:
        ConfigError: With one line for each problem.
    """
    resolver = _Resolver()
    config: Any = _with_home(resolver.resolve("", cfg))
    problems = [*resolver.problems, *schema_problems(config)]
    problems += rule_problems(config, [p.path for p in problems], place=place)
    if problems:
        raise ConfigError(*map(str, _root_causes(problems, resolver.sources)))
    return Experiment.from_mapping(config)


def validate_chain(chain: Mapping[str, DictConfig]) -> dict[str, Experiment]:
    """Validates the configs of stages that one command trains in order.

    Args:
        chain: The configs by stage name.

    Returns:
        The configs, resolved, as plain data.

    Raises:
        ConfigError: With one line for each problem of any stage, or if two stages would write
            to one folder, or if something typed has no effect on any stage.
    """
    experiments: dict[str, Experiment] = {}
    problems: list[str] = []
    for index, (name, cfg) in enumerate(chain.items()):
        try:
            experiments[name] = validate(cfg, place="later" if index else "first")
        except ConfigError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    folders = Counter(experiment.paths.output_dir for experiment in experiments.values())
    problems += [
        f"paths.output_dir: {times} stages would write to {folder}; "
        "choose paths.runs_dir and run_name instead"
        for folder, times in folders.items()
        if times > 1
    ]
    if not problems:
        idle = [*idle_settings([each.data for each in experiments.values()]), *idle_rows([*chain])]
        problems += map(str, idle)
    if problems:
        raise ConfigError(*problems)
    return experiments


def resolve(cfg: DictConfig) -> Experiment:
    """Resolves a composed config without validating it.

    Raises:
        OmegaConfBaseException: If an interpolation cannot be resolved.
    """
    return Experiment.from_mapping(_with_home(OmegaConf.to_container(cfg, resolve=True)))


def _with_home(value: Any) -> Any:  # noqa: ANN401 - plain data
    """Plain data in which ``~`` at the start of a text is the home folder.

    Here, for all keys, so that no reader of a path has to think of it.
    """
    if isinstance(value, Mapping):
        return {key: _with_home(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_home(item) for item in value]
    return expand_home(value) if isinstance(value, str) else value


class _Resolver:
    """Resolves a config to plain data and records where interpolated values come from.

    Attributes:
        problems: Values that cannot be resolved; they become :data:`UNRESOLVED`.
        sources: For each interpolated path, the paths it refers to.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.sources: dict[str, set[str]] = {}

    def resolve(self, path: str, value: object) -> object:
        if isinstance(value, DictConfig):
            keys = {key: f"{path}.{key!s}".lstrip(".") for key in value}
            return {key: self._resolve_item(inner, value, key) for key, inner in keys.items()}
        if isinstance(value, ListConfig):
            return [self._resolve_item(f"{path}[{i}]", value, i) for i in range(len(value))]
        return value

    def _resolve_item(self, path: str, parent: DictConfig | ListConfig, key: Any) -> object:  # noqa: ANN401 - OmegaConf's keys
        """One item of a mapping or list, resolved, or :data:`UNRESOLVED`."""
        if OmegaConf.is_missing(parent, key):
            return self._unresolved(path, f"must be set; add {path}=VALUE to the command")
        if OmegaConf.is_interpolation(parent, key):
            raw: Any = OmegaConf.to_container(parent, resolve=False)
            self.sources[path] = _named_paths(str(raw[key]), parent)
        try:
            value = parent[key]
        except OmegaConfBaseException as error:
            reason = str(error).splitlines()[0]
            return self._unresolved(path, _no_row(reason) or _plainly(reason))
        return self.resolve(path, value)

    def _unresolved(self, path: str, text: str) -> object:
        self.problems.append(Problem(path, text))
        return UNRESOLVED


def _no_row(reason: str) -> str | None:
    """What to add for a stage that a table of the model or of the recipe does not name."""
    tables = r"model\.fine_tune_start|recipe\.(?:epochs|learning_rate)"
    found = re.search(rf"Interpolation key '(({tables})\.(.+))' not found", reason)
    if found is None:
        return None
    row, table, stage = found.groups()
    value, where = (
        ("GROUP", " (task=layers lists the groups)") if "start" in table else ("NUMBER", "")
    )
    key = table.partition(".")[2]
    return (
        f"{table} has no stage '{stage}'; add {row}={value}, or {key}: {value} to the file of the "
        f"stage{where}"
    )


def _plainly(reason: str) -> str:
    """Why a value cannot be resolved; what a resolver of ours says stands by itself."""
    _, ours, text = reason.partition("ConfigError raised while resolving interpolation: ")
    return text if ours else f"cannot be resolved: {reason}"


def _named_paths(interpolation: str, parent: DictConfig | ListConfig) -> set[str]:
    """The paths an interpolation refers to: for ``${a.${b}}``, ``b`` and ``a.<value of b>``."""
    found: set[str] = set()
    while names := re.findall(_INNERMOST, interpolation):
        found.update(names)
        values = {name: _value_of(name, parent) for name in names}
        interpolation = re.sub(_INNERMOST, lambda match: values[match[1]], interpolation)  # noqa: B023 - used at once
    return found


def _value_of(path: str, parent: DictConfig | ListConfig) -> str:
    try:
        return str(OmegaConf.select(parent._get_root(), path))
    except OmegaConfBaseException:
        return ""


_INNERMOST = r"\$\{([\w.]+)\}"


def _root_causes(problems: Sequence[Problem], sources: Mapping[str, set[str]]) -> list[Problem]:
    """The problems without those that only repeat a problem of an interpolated value."""
    origins = {problem.path: _origins(problem.path, sources) for problem in problems}
    return [
        problem
        for problem in problems
        # Values that interpolate each other in a cycle are all reported.
        if all(problem.path in origins[path] for path in origins[problem.path] & origins.keys())
    ]


def _origins(path: str, sources: Mapping[str, set[str]]) -> set[str]:
    """Every path that a value depends on, directly or not, and the parents of those paths."""
    found: set[str] = set()
    pending = [path]
    while pending:
        for source in sources.get(pending.pop(), set()):
            parts = source.split(".")
            new = {".".join(parts[:end]) for end in range(1, len(parts) + 1)} - found
            found |= new
            pending += new
    return found
