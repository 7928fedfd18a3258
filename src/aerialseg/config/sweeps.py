"""The jobs of a multirun: what is swept, and whether the config of every job is valid."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from aerialseg.config.chain import Place
from aerialseg.config.composition import composition_problems
from aerialseg.config.idle_values import idle_rows, idle_settings
from aerialseg.config.remembered import with_remembered
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import find_task
from aerialseg.config.texts import between_commas, parse_override
from aerialseg.config.validation import validate
from aerialseg.errors import ConfigError

_BASIC = "hydra._internal.core_plugins.basic_"
"""The launcher and the sweeper that Hydra brings."""
_MAY_NEED_EARLIER_JOBS = frozenset({"stage", "task"})


def swept_texts(config: DictConfig) -> dict[str, dict[str, str]]:
    """By key with several values, how each was typed, by how Hydra gives it to its job.

    ``{"seed": {"0": "0", "1": "1"}, "stage.learning_rate": {"0.001": "1e-3", "0.01": "1e-2"}}``

    Args:
        config: The config of a multirun.
    """
    swept = [override for override in _overrides(config) if override.is_sweep_override()]
    return {override.key_or_group: _texts(override) for override in swept}


def swept_values(job: DictConfig, texts: Mapping[str, Mapping[str, str]]) -> str:
    """What a job has of the swept values, as in ``seed=1,stage.learning_rate=1e-3``.

    Args:
        job: The config of a job, with Hydra's own part.
        texts: From :func:`swept_texts`; its keys are what is shown.
    """
    given = {o.key_or_group: str(o.input_line).partition("=")[2] for o in _overrides(job)}
    swept = sorted(key for key in texts if key in given)
    return ",".join(f"{k}={texts[k].get(given[k], _unquoted(given[k]))}" for k in swept)


def check_jobs(config: DictConfig) -> None:
    """Validates the config of every job of a multirun.

    In a sweep over stages or tasks an earlier job may make the checkpoint that a later one reads.
    What another sweeper than Hydra's own will try is not known yet and not checked.

    Args:
        config: The config of the multirun, with Hydra's own part.

    Raises:
        ConfigError: With one line for each problem of any job.
    """
    if not str(config.hydra.sweeper._target_).startswith(_BASIC):
        return
    problems: dict[str, None] = {}
    trained: list[Experiment] = []
    makes_checkpoints = bool(swept_texts(config).keys() & _MAY_NEED_EARLIER_JOBS)
    before = HydraConfig.instance().cfg
    try:
        for index, job in enumerate(_jobs(config)):
            HydraConfig.instance().set_config(job)  # for ${hydra:...}
            with open_dict(job):
                del job["hydra"]
            try:
                asked = with_remembered(job).config
                place: Place = "later" if index and makes_checkpoints else "alone"
                valid = validate(asked, place=place)
                trained += [valid] if find_task(str(valid.task["name"])).starts_stage else []
            except ConfigError as error:
                problems |= dict.fromkeys(error.problems)
    finally:
        HydraConfig.instance().cfg = before
    if not problems:
        idle = idle_settings([each.data for each in trained])
        idle += idle_rows([each.stage.name for each in trained])
        problems |= dict.fromkeys(map(str, idle))
    if problems:
        raise ConfigError(*problems)


def others_go_on() -> bool:
    """Whether this job is one of a multirun in this process whose failures are collected."""
    if not HydraConfig.initialized():
        return False
    hydra = HydraConfig.get()
    is_here = str(hydra.launcher._target_).startswith(_BASIC)
    return hydra.mode == RunMode.MULTIRUN and is_here and "stage_table" in hydra.callbacks


def _texts(override: Override) -> dict[str, str]:
    """How each value was typed by how Hydra gives it; empty for functions such as a range."""
    if override.value_type is not ValueType.SIMPLE_CHOICE_SWEEP:
        return {}
    typed = [_unquoted(text) for text in between_commas(str(override.input_line).partition("=")[2])]
    given = list(override.sweep_string_iterator())
    return dict(zip(given, typed, strict=True)) if len(given) == len(typed) else {}


def _unquoted(text: str) -> str:
    """A value as typed, without quotes."""
    override = parse_override(f"key={text}")
    value = override.value() if override else text
    return value if isinstance(value, str) else text


def _overrides(config: DictConfig) -> list[Override]:
    """The overrides of a multirun: those in the config of Hydra's sweeper, and those typed."""
    params = OmegaConf.select(config, "hydra.sweeper.params") or {}
    # Unresolved: ${seed} in a typed value is that of each job.
    task = OmegaConf.select(config, "hydra.overrides.task")
    typed: Any = [] if task is None else OmegaConf.to_container(task, resolve=False)
    parser = OverridesParser.create()
    return parser.parse_overrides([*(f"{key}={params[key]}" for key in params), *typed])


def _jobs(config: DictConfig) -> Iterator[DictConfig]:
    """The composed config of each job, with Hydra's own part; ConfigError where there is none."""
    loader = GlobalHydra.instance().config_loader()
    overrides = _overrides(config)
    for override in overrides:
        override.config_loader = loader  # for glob(*)
    (jobs,) = BasicSweeper.split_arguments(overrides, max_batch_size=None)
    for job in jobs:
        try:
            yield loader.load_sweep_config(config, list(job))
        except HydraException:  # such as a list for a mapping
            parsed = OverridesParser.create().parse_overrides(list(job))
            name = str(config.hydra.job.config_name)
            raise ConfigError(*map(str, composition_problems(parsed, Path(), name))) from None
