"""Composes configs as ``run.py`` does, in this process."""

import copy
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from aerialseg.config.overrides import prepare_overrides
from aerialseg.config.resolvers import register_shipped
from aerialseg.config.schema import Experiment
from aerialseg.config.validation import resolve, validate
from aerialseg.config.yaml_files import check_files
from aerialseg.errors import ConfigError
from helpers.stages import STAGES

CONF = Path(__file__).parents[2] / "conf"
register_shipped(CONF.parent)


def composed(*arguments: str, conf: Path = CONF, hydra: bool = False) -> DictConfig:
    """The config of one command line."""
    with initialize_config_dir(str(conf), version_base="1.3"):
        prepared = prepare_overrides(arguments, conf)
        return compose("config", prepared, return_hydra_config=hydra)


def experiment(*arguments: str, conf: Path = CONF) -> Experiment:
    """The config of one command line as plain data, unchecked."""
    return resolve(composed(*arguments, conf=conf))


def lines(*arguments: str, conf: Path = CONF) -> list[str]:
    """The problems that ``run.py`` would print."""
    try:
        check_files(conf)
        validate(composed(*arguments, conf=conf))
    except ConfigError as error:
        return error.lines().splitlines()
    return []


def typed(*arguments: str, conf: Path = CONF) -> list[str]:
    """The problems of a command, with what Hydra knows of it."""
    try:
        cfg = composed(*arguments, conf=conf, hydra=True)
        HydraConfig.instance().set_config(cfg)
        unresolved = composed(*arguments, conf=conf)
        with initialize_config_dir(str(conf), version_base="1.3"):
            validate(unresolved)
    except ConfigError as error:
        return error.lines().splitlines()
    finally:
        HydraConfig.instance().cfg = None
    return []


def composed_for_values(*arguments: str, always: tuple[str, ...] = ()) -> DictConfig:
    """Faster than :func:`composed`: Hydra composes each set of choices only once.

    Args:
        *arguments: What is typed.
        always: What else is typed, in every such command; it is composed with the choices.
    """
    with pytest.MonkeyPatch.context() as patch:  # which would compose each time
        patch.setattr("aerialseg.config.overrides.composition_problems", lambda *_: [])
        prepared = prepare_overrides(arguments, CONF)
    overrides = OverridesParser.create().parse_overrides(prepared)
    values = [o for o in overrides if not (CONF / o.key_or_group).is_dir()]
    choices = [str(o.input_line) for o in overrides if o not in values]
    cfg = copy.deepcopy(_composed_once(*always, *choices))
    ConfigLoaderImpl._apply_overrides_to_config(values, cfg)
    return cfg


def lines_for_values(*arguments: str) -> list[str]:
    """Faster than :func:`lines`."""
    try:
        validate(composed_for_values(*arguments))
    except ConfigError as error:
        return error.lines().splitlines()
    return []


@cache
def _composed_once(*choices: str) -> DictConfig:
    return composed(*choices)


def swept(*arguments: str) -> list[dict[str, str | None]]:
    """The initial checkpoint and the output folder of each job of a multirun."""
    prepared = prepare_overrides(["-m", *arguments], CONF)
    assert prepared.pop(0) == "-m"
    overrides = OverridesParser.create().parse_overrides(prepared)
    (jobs,) = BasicSweeper.split_arguments(overrides, max_batch_size=None)
    return [_job(job) for job in jobs]


def _job(overrides: list[str]) -> dict[str, str | None]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", overrides, return_hydra_config=True)
    try:
        HydraConfig.instance().set_config(cfg)  # what ${hydra:...} reads
        return {"starts": cfg.stage.init_checkpoint, "writes": cfg.paths.output_dir}
    finally:
        HydraConfig.instance().cfg = None


def finish_stages(runs: Path, *, run_name: str = "default") -> None:
    """Creates the checkpoints of a trained chain."""
    for stage in STAGES:
        folder = runs / run_name / stage / "train" / "checkpoints"
        folder.mkdir(parents=True)
        for name in ("best.ckpt", "last.ckpt"):
            (folder / name).touch()
