"""Builds objects from the nodes of the config: the only place that instantiates them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from aerialseg.errors import AerialsegError, ConfigError


def build(node: Mapping[str, Any], path: str, **supplied: object) -> Any:  # noqa: ANN401 - any target
    """Instantiates a config node; ``None`` for an empty node.

    A partial node gives a function, which raises the same error when it is called.

    Args:
        node: A config node with a ``_target_``.
        path: The path of the node, for messages.
        **supplied: Arguments from other parts of the config.

    Raises:
        ConfigError: If the target rejects its arguments.
    """
    if not node:
        return None
    try:
        part = instantiate(node, _convert_="all", _partial_=True)
    except InstantiationException as error:
        if isinstance(error.__cause__, AerialsegError):
            raise error.__cause__ from None
        raise ConfigError(f"{path}: {_one_line(error.__cause__ or error)}") from error
    call = partial(_call, part, path)
    return call if node.get("_partial_") else call(**supplied)


def _call(part: Callable[..., Any], path: str, *arguments: object, **supplied: object) -> Any:  # noqa: ANN401 - any target
    """Calls what a node names; what it raises is an error of its values."""
    try:
        return part(*arguments, **supplied)
    except AerialsegError:
        raise
    except Exception as error:  # other packages refuse values with exceptions of any class
        raise ConfigError(f"{path}: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
