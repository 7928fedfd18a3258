"""Composes configs, and says in one line what Hydra would refuse with several or a traceback."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import hydra
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from aerialseg.config.problems import Problem
from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.values.wording import show

_REFUSALS = (
    *(HydraException, OmegaConfBaseException, LookupError, ValueError, TypeError),
    *(AttributeError, AssertionError),
)
"""What composing raises for overrides that do not fit the config; Hydra does not wrap them all."""
_DETAILS = ("full_key:", "object_type=", "reference_type=")
"""How lines begin that OmegaConf adds to a message."""


def compose(config_name: str, overrides: Sequence[str]) -> DictConfig:
    """The composed config, while Hydra is initialized.

    Args:
        config_name: The primary config.
        overrides: As Hydra reads them.

    Raises:
        ConfigError: If they do not fit the config.
    """
    try:
        return hydra.compose(config_name, list(overrides))
    except _REFUSALS as error:
        raise ConfigError(refusal(error)) from error


def refusal(error: Exception) -> str:
    """One line for what Hydra says in several."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    first, _, _ = str(cause).strip().partition("\n\n")  # a search path would follow
    lines = [line.strip() for line in first.splitlines()]
    text = " ".join(line for line in lines if not line.startswith(_DETAILS))
    is_known = isinstance(cause, HydraException | OmegaConfBaseException)
    return text if is_known else f"{type(cause).__name__}: {text}"


def hydra_in(conf_dir: Path) -> AbstractContextManager[object]:
    """Initializes Hydra for a config tree, unless it is already: in a notebook or a test."""
    is_ready = GlobalHydra.instance().is_initialized()
    return nullcontext() if is_ready else initialize_config_dir(str(conf_dir), version_base="1.3")


def composition_problems(
    overrides: Sequence[Override], conf_dir: Path, config_name: str | None
) -> list[Problem]:
    """One problem for each override that Hydra could not bring into the config.

    Plain values fit everywhere, so only for others the config is composed here.

    Args:
        overrides: As prepared for Hydra, without those that are swept.
        conf_dir: The config tree.
        config_name: The primary config, if it or its folder was chosen by a flag.
    """
    doubtful = [override for override in overrides if _is_doubtful(override)]
    if not doubtful and config_name is None:
        return []
    with hydra_in(conf_dir):
        name = config_name or "config"
        refused = _refused(name, overrides)
        if refused is None and not any(_is_of_the_recipe(each) for each in doubtful):
            return []
        certain = [override for override in overrides if override not in doubtful]
        try:
            base = hydra.compose(name, _lines(certain), return_hydra_config=True)
        except _REFUSALS as error:
            return [_unknown_config(config_name, refusal(error))]
        problems = []
        for each in doubtful:
            key = each.key_or_group
            if text := _what_does_not_fit(each, base) or _refused(name, [*certain, each]):
                problems.append(Problem(key, text.removeprefix(f"{key} ")))
        return problems or ([] if refused is None else [Problem("overrides", refused)])


def _unknown_config(config_name: str | None, refused: str) -> Problem:
    """A problem with something else than one of the doubtful overrides."""
    loader = GlobalHydra.instance().config_loader()
    names = [name for name in loader.get_group_options("") if not name.startswith("_")]
    if config_name is None or config_name in names:
        return Problem("overrides", refused)
    return Problem(
        "--config-name", f"there is no '{config_name}'{did_you_mean(config_name, names)}"
    )


def _is_doubtful(override: Override) -> bool:
    """Whether Hydra may refuse it for what is in the config."""
    if override.package is not None or override.key_or_group.startswith("hydra."):
        return True
    if override.type is OverrideType.CHANGE:
        return False  # a choice of a group, which is known to be there
    within_list = override.key_or_group.count(".") > 1  # perhaps
    is_plain = not within_list and not isinstance(override.value(), list | dict)
    return override.type is not OverrideType.FORCE_ADD or not is_plain


def _is_of_the_recipe(override: Override) -> bool:
    """Whether it is a part of what may come from the recipe, which Hydra would replace by it."""
    return override.key_or_group.startswith("augmentation.transforms.")


def _lines(overrides: Sequence[Override]) -> list[str]:
    return [str(override.input_line) for override in overrides]


def _refused(config_name: str, overrides: Sequence[Override]) -> str | None:
    """What Hydra has against these overrides, in one line; ``None`` if nothing."""
    try:
        hydra.compose(config_name, _lines(overrides), return_hydra_config=True)
    except _REFUSALS as error:
        return refusal(error)
    return None


def _what_does_not_fit(override: Override, base: DictConfig) -> str:
    """Why an override does not fit the config without it; empty if only Hydra knows."""
    key, value = override.key_or_group, override.value()
    *parents, last = key.split(".")
    for index in range(1, len(parents) + 1):
        parent, item = ".".join(parents[:index]), [*parents, last][index]
        node = _node(base, parent)
        if isinstance(node, ListConfig) and (source := _source(base, parent)):
            return f"{parent} is {source}; set all of it, or choose one, as in augmentation=drone"
        if isinstance(node, ListConfig) and not (item.isdigit() and int(item) < len(node)):
            items = f"{parent}.0 to {parent}.{len(node) - 1}" if node else f"'{parent}=[A,B]'"
            kind = "a list, whose items are" if node else "an empty list; write"
            return f"there is no '{item}': {parent} is {kind} {items}"
    node = _node(base, key)
    if override.is_delete():
        return _why_not_removed(override, node, _node(base, ".".join(parents)) if parents else base)
    if isinstance(node, DictConfig) and isinstance(value, list):
        kind = "a mapping with a _target_" if "_target_" in node else "a mapping"
        example = next((str(name) for name in node if not str(name).startswith("_")), "KEY")
        return f"{show(value)} is not {kind}; one value of it is set as in {key}.{example}=VALUE"
    if isinstance(node, ListConfig) and isinstance(value, dict):
        return f"a mapping is not a list; write '{key}=[A,B]'"
    # A choice of a group that is null leaves nothing at its key.
    is_there = node is not None or key in base.hydra.runtime.choices
    if override.is_add() and override.package is None and is_there:
        return f"is there already; write {str(override.input_line).lstrip('+')}"
    return ""


def _why_not_removed(override: Override, node: object, parent: object) -> str:
    """Why what an override names cannot be left out."""
    if node is None:
        *_, last = override.key_or_group.split(".")
        names = [str(name) for name in parent] if isinstance(parent, DictConfig) else []
        return f"is not there, so it cannot be left out{did_you_mean(last, names)}"
    if isinstance(node, DictConfig | ListConfig):
        return ""
    return f"is {show(node)}, not {show(override.value())}; write ~{override.key_or_group}"


def _source(config: DictConfig, key: str) -> str:
    """Where the value of a key is taken from, as it is written; empty if it is there itself."""
    parent, _, last = key.rpartition(".")
    holder = _node(config, parent) if parent else config
    if not isinstance(holder, DictConfig) or not OmegaConf.is_interpolation(holder, last):
        return ""
    raw = OmegaConf.to_container(holder, resolve=False)
    return str(raw[last]) if isinstance(raw, dict) else ""


def _node(config: DictConfig, key: str) -> object:
    """What is at a key; ``None`` where nothing is or an interpolation fails."""
    with suppress(*_REFUSALS):
        return OmegaConf.select(config, key, throw_on_missing=False)
    return None
