"""Plugins of installed packages: networks, losses, layouts and augmentations.

A package registers a class or function in its ``pyproject.toml``; the name on the left is free::

    [project.entry-points."aerialseg.networks"]
    tiny = "own_network:TinyNet"

Once the package is installed, YAML files (and checkpoints, for networks) can refer to the class by
its dotted path, here ``own_network.TinyNet``. Nothing else in that package can be referred to.
"""

from importlib.metadata import EntryPoint, entry_points

from aerialseg.errors import ConfigError

NETWORKS = "aerialseg.networks"
GROUPS = (NETWORKS, "aerialseg.losses", "aerialseg.layouts", "aerialseg.augmentations")
"""The entry point groups that are read."""


def registered(*groups: str) -> dict[str, EntryPoint]:
    """Every registered entry point by its dotted path; imports nothing.

    Args:
        *groups: Which groups to read; all of :data:`GROUPS` if none is given.

    Raises:
        ConfigError: If an entry point is not of the form ``module:name``.
    """
    found = [entry for group in groups or GROUPS for entry in entry_points(group=group)]
    return {_dotted_path(entry): entry for entry in found}


def load(target: str, *groups: str) -> object | None:
    """Imports a registered class or function.

    Args:
        target: The dotted path.
        *groups: As for :func:`registered`.

    Returns:
        The class or function; ``None`` if no installed package registers that path.

    Raises:
        ConfigError: If the package that registers it cannot be imported or does not contain it.
    """
    entry = registered(*groups).get(target)
    if entry is None:
        return None
    try:
        part: object = entry.load()
    except Exception as error:  # importing third-party code may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(
            f"'{target}' cannot be imported: the installed package {_package(entry)} is broken "
            f"({reason}); repair or uninstall it"
        ) from error
    return part


def _dotted_path(entry: EntryPoint) -> str:
    """``own_network:TinyNet`` as written in YAML: ``own_network.TinyNet``."""
    module, _, name = (part.strip() for part in entry.value.partition("[")[0].partition(":"))
    if not (module and name):
        raise ConfigError(
            f"the installed package {_package(entry)} registers '{entry.value}' as {entry.group}; "
            "wanted 'module:name'; repair or uninstall it"
        )
    return f"{module}.{name}"


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else f"of '{entry.name}'"
