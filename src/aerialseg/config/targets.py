"""Resolves a ``_target_``, within the packages that it may come from."""

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
"""Packages that a target may come from, so that a YAML file cannot run arbitrary code."""


def resolve_target(target: object) -> Callable[..., Any]:
    """Imports the class or function that a ``_target_`` names.

    Args:
        target: A dotted path such as ``torch.optim.SGD``.

    Raises:
        ConfigError: If it is neither a dotted path into one of :data:`ALLOWED` nor registered by
            an installed package, if it does not exist, or if an allowed package merely imports
            it from elsewhere.
    """
    if not isinstance(target, str):
        raise ConfigError(f"{target!r} is not in {', '.join(ALLOWED)}")
    return _find_allowed(target) if _is_allowed(target) else _find_registered(target)


def _find_allowed(target: str) -> Callable[..., Any]:
    """The class or function of a dotted path that starts with an allowed package."""
    package, *parts = target.split(".")
    path = package
    found: object = _import(package)
    if found is None:
        raise ConfigError(f"'{target}': the package '{package}' is not installed")
    for part in parts:
        path, found = f"{path}.{part}", _member(path, found, part)
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
    """A similar registered path, or how an installed package registers its own."""
    if nearest := nearest_name(target, plugins.registered()):
        return f"; did you mean '{nearest}'?"
    package = target.partition(".")[0]
    known = {name.partition(".")[0] for name in ALLOWED} | sys.stdlib_module_names
    if package.isidentifier() and package not in known and PathFinder.find_spec(package):
        return f"; the package '{package}' must register it: see examples/own_network"
    return ""


def _is_allowed(target: str) -> bool:
    return any(target.startswith(f"{package}.") for package in ALLOWED)


def _member(path: str, parent: object, part: str) -> object:
    """An attribute of a module, or a module of a package."""
    if isinstance(parent, ModuleType):
        found = getattr(parent, part, None)
        if found is None and part.isidentifier():
            found = _import(f"{path}.{part}")
        if found is not None:
            return found
    raise ConfigError(f"{path} has no '{part}'{did_you_mean(part, _public_names(parent))}")


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
    """The modules of a package, and the classes and functions that a module defines."""
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
