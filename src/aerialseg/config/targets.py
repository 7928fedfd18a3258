"""What a ``_target_`` may name, and finding it."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

from aerialseg import plugins
from aerialseg.errors import ConfigError, did_you_mean, nearest_name

ALLOWED = (
    "aerialseg",
    "albumentations",
    "pytorch_lightning",
    "segmentation_models_pytorch",
    "torch.nn",
    "torch.optim",
    "torchmetrics",
)
"""Packages a target may come from: a YAML file builds parts of an experiment, nothing else."""


def resolve_target(target: object) -> Callable[..., Any]:
    """Imports the class or function that a ``_target_`` names.

    Args:
        target: A dotted path such as ``torch.optim.SGD``.

    Raises:
        ConfigError: If it is neither a dotted path into one of :data:`ALLOWED` nor registered by
            an installed package, if it does not exist, or if what is found in an allowed package
            is defined somewhere else after all.
    """
    if not isinstance(target, str):
        raise ConfigError(f"{target!r} is not in {', '.join(ALLOWED)}")
    return _find_allowed(target) if _is_allowed(target) else _find_registered(target)


def _find_allowed(target: str) -> Callable[..., Any]:
    """The class or function of a dotted path that begins with an allowed package."""
    package, *parts = target.split(".")
    place = package
    found: object = _import(package)
    if found is None:
        raise ConfigError(f"'{target}': the package '{package}' is not installed")
    for part in parts:
        place, found = f"{place}.{part}", _step(place, found, part)
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        raise ConfigError(f"'{target}' is not a class or function{_contents(found)}")
    home = f"{found.__module__}.{found.__qualname__}"
    if not _is_allowed(home):
        raise ConfigError(f"'{target}' is {home}, which is not in {', '.join(ALLOWED)}")
    return found


def _find_registered(target: str) -> Callable[..., Any]:
    """The class or function that an installed package registers under exactly this path."""
    found = plugins.load(target)
    if found is None:
        raise ConfigError(f"{target!r} is not in {', '.join(ALLOWED)}{_advice(target)}")
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        raise ConfigError(f"'{target}' is registered but is not a class or function")
    return found


def _advice(target: str) -> str:
    """The registered path that was probably meant, or how a package here gets its own."""
    if nearest := nearest_name(target, plugins.registered()):
        return f"; did you mean '{nearest}'?"
    package = target.partition(".")[0]
    known = {name.partition(".")[0] for name in ALLOWED} | sys.stdlib_module_names
    if package.isidentifier() and package not in known and PathFinder.find_spec(package):
        return f"; the package '{package}' must register it: see examples/own_network"
    return ""


def _is_allowed(target: str) -> bool:
    return any(target.startswith(f"{package}.") for package in ALLOWED)


def _step(place: str, parent: object, part: str) -> object:
    """One dot further: an attribute of a module, or a module of a package."""
    if isinstance(parent, ModuleType):
        found = getattr(parent, part, None)
        if found is None and part.isidentifier():
            found = _import(f"{place}.{part}")
        if found is not None:
            return found
    raise ConfigError(f"{place} has no '{part}'{did_you_mean(part, _public_names(parent))}")


def _import(name: str) -> ModuleType | None:
    """The module of that name; ``None`` if there is none."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError)
        if absent and f"{name}.".startswith(f"{error.name}."):
            return None
        raise ConfigError(f"{name} cannot be imported: {error}") from error


def _public_names(parent: object) -> set[str]:
    """The modules of a package, and the classes and functions that are a module's own."""
    if not isinstance(parent, ModuleType):
        return set()
    names = {
        name
        for name, value in inspect.getmembers(parent, callable)
        if str(getattr(value, "__module__", "")).startswith(parent.__name__)
    }
    names |= {module.name for module in pkgutil.iter_modules(getattr(parent, "__path__", []))}
    return {name for name in names if not name.startswith("_")}


def _contents(found: object) -> str:
    names = sorted(_public_names(found))
    return f"; it holds {', '.join(names[:8])}" if names else ""
