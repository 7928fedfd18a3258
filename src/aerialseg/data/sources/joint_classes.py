"""The one class table of several data sets."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from aerialseg.classes import ClassTable
from aerialseg.errors import ConfigError, did_you_mean

ClassSource: TypeAlias = Mapping[str, list[int]] | str
"""A class table: ``{name: [red, green, blue]}``, or the path of such a YAML file."""

UNION = "union"
"""Instead of a table for several data sets: all classes of all of them."""

_LEVELS = np.arange(0, 256, 32)
"""Of each channel, in the colours for classes whose own is taken."""
_SHOWN = 8  # classes named in one line


def joint_table(tables: Mapping[str, ClassTable], given: ClassSource | None) -> ClassTable:
    """The classes that several data sets are trained on.

    Args:
        tables: What the classes of each set become by its own settings, by name of the set.
        given: The table or its path; ``union`` for the classes of the first set, then those of the
            next that are not there yet, and so on; None if all sets have the same.

    Raises:
        ConfigError: If a set has a class that the table has not, or sets differ without one.
        DataError: If the table's file is missing or breaks the rules of one.
    """
    if given == UNION:
        return _union(list(tables.values()))
    if given is None:
        _check_equal(tables)
        return next(iter(tables.values()))
    table = ClassTable.load(given)
    problems = [
        f"data.classes: has no class '{name}', which {data_set} has; say what it becomes, as in "
        f"'data.parts.{data_set}.map_classes={{{name}: null}}'{did_you_mean(name, table.names)}"
        for data_set, each in tables.items()
        for name in each.names
        if name not in table.names
    ]
    if problems:
        raise ConfigError(*problems)
    return table


def _check_equal(tables: Mapping[str, ClassTable]) -> None:
    """Raises ConfigError unless all tables have the same names."""
    names = dict.fromkeys(name for table in tables.values() for name in table.names)
    lacking = {
        data_set: [name for name in names if name not in table.names]
        for data_set, table in tables.items()
    }
    parts = [f"{each} has no {_listed(missing)}" for each, missing in lacking.items() if missing]
    if parts:
        raise ConfigError(
            f"data.classes: the data sets differ in their classes: {'; '.join(parts)}; say what "
            "they become with data.parts.NAME.map_classes, or train all of them with "
            "data.classes=union, where a set's pixels of a class that it does not label count as "
            "what they are labelled"
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _union(tables: Sequence[ClassTable]) -> ClassTable:
    """All classes by name; one whose colour is taken gets another, which only shows it."""
    found: dict[str, tuple[int, int, int]] = {}
    for table in tables:
        for name, colour in zip(table.names, table.colours, strict=True):
            if name not in found:
                taken = colour in found.values()
                found[name] = _unlike(list(found.values())) if taken else colour
    return ClassTable(tuple(found), tuple(found.values()))


def _unlike(colours: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    """The colour that is least like any of some others."""
    grid = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS, indexing="ij"), axis=-1).reshape(-1, 3)
    distances = np.square(grid[:, None] - np.array(colours)).sum(axis=-1).min(axis=1)
    red, green, blue = grid[distances.argmax()].tolist()
    return red, green, blue
