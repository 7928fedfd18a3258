"""Lines about a data set: each logged once, with the name of the set if there are several."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from aerialseg.errors import ConfigError, DataError

OWN_KEYS = (
    *("root", "layout", "classes", "map_classes", "mask_format", "mask_values", "ignore_values"),
    *("exif_orientation", "val_fraction", "group_pattern", "groups", "split_seed"),
    *("bands", "value_range", "nodata"),
)
"""Keys of ``data`` that each of several data sets has of its own."""

_said: set[tuple[str, int, str]] = set()
_name: ContextVar[str] = ContextVar("name", default="")
_is_silent: ContextVar[bool] = ContextVar("is_silent", default=False)
_KEY = re.compile(rf"\bdata\.(?=({'|'.join(OWN_KEYS)})\b)")


def say_once(logger: logging.Logger, level: int, text: str) -> None:
    """Logs a line unless this process has logged it: every stage of a chain reads the data anew.

    Args:
        logger: Of the module that found it.
        level: Such as ``logging.WARNING``.
        text: The line.
    """
    line = (logger.name, level, named(text))
    if not _is_silent.get() and line not in _said and logger.isEnabledFor(level):
        _said.add(line)
        logger.log(level, "%s", line[-1])


@contextmanager
def silent() -> Iterator[None]:
    """Leaves out lines of which the user has been told otherwise."""
    token = _is_silent.set(True)
    try:
        yield
    finally:
        _is_silent.reset(token)


@contextmanager
def about(name: str) -> Iterator[None]:
    """Names a data set in lines and errors about it, and its keys as they are typed for it.

    Args:
        name: The set's; empty if there is one, which changes nothing.

    Raises:
        ConfigError: With the name, where one is raised inside.
        DataError: Likewise.
    """
    token = _name.set(name)
    try:
        yield
    except (ConfigError, DataError) as error:
        if not name:
            raise
        kind = ConfigError if isinstance(error, ConfigError) else DataError
        raise kind(*map(named, error.problems)) from None
    finally:
        _name.reset(token)


def named(text: str) -> str:
    """A line with the name of the data set inside :func:`about`, and its keys as they are typed."""
    return f"{_name.get()}: {with_own_keys(text)}" if _name.get() else text


def with_own_keys(text: str) -> str:
    """A line with ``data.parts.NAME.root`` for ``data.root`` inside :func:`about`."""
    return _KEY.sub(f"data.parts.{_name.get()}.", text) if _name.get() else text
