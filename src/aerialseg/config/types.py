"""Annotations and values that only a config has."""

from collections.abc import Mapping
from typing import Any, NewType, Protocol

Node = NewType("Node", Mapping[str, object])
"""A mapping with a ``_target_``: something to be built."""

Nothing = NewType("Nothing", Mapping[str, object])
"""``{}``, the choice ``none`` of a group."""

UNRESOLVED = object()
"""Stands for a value that cannot be known, and is reported already; it fits everything."""


class Lookup(Protocol):
    """The values of a config by dotted path; None where there is none."""

    def __getitem__(self, path: str, /) -> Any:  # noqa: ANN401 - YAML content, its type checked before
        """The value of a path such as ``trainer.precision``."""
        ...


def is_node(value: object) -> bool:
    """Whether a value is something to be built: a mapping with a ``_target_``."""
    return isinstance(value, Mapping) and "_target_" in value
