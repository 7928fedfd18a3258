"""Which class that is trained each class of a data set's own table becomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.errors import ConfigError, DataError, did_you_mean

_KEY = "data.map_classes"


@dataclass(frozen=True)
class ClassMap:
    """The classes of masks, and those that are trained.

    Args:
        own: The table by which the masks are read.
        trained: The table of what is trained, scored and predicted.
        ids: For each class of ``own`` its id in ``trained``; 255 where it is ignored.
    """

    own: ClassTable
    trained: ClassTable
    ids: tuple[int, ...]

    @property
    def changes(self) -> bool:
        """Whether any class becomes another, or has another name, colour or place."""
        return self.own != self.trained or self.ids != tuple(range(len(self.own)))

    @property
    def identity(self) -> list[Any]:
        """All that decides which class a class becomes, as JSON can write it."""
        return [self.trained.to_mapping(), list(self.ids)]

    @cached_property
    def merged(self) -> dict[str, list[str]]:
        """By trained class the classes it is made of, of those that are not just one of its name.

        Under the empty name stand those that are ignored.
        """
        found: dict[str, list[str]] = {}
        for name, index in zip(self.own.names, self.ids, strict=True):
            found.setdefault("" if index == IGNORE_INDEX else self.trained.names[index], []).append(
                name
            )
        return {name: sources for name, sources in found.items() if sources != [name]}

    def onto(self, table: ClassTable) -> "ClassMap":
        """The same with the ids of another table, which has all of the trained classes by name."""
        places = [table.names.index(name) for name in self.trained.names]
        ids = (IGNORE_INDEX if index == IGNORE_INDEX else places[index] for index in self.ids)
        return ClassMap(self.own, table, tuple(ids))

    def applied(self, mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The trained ids of a mask ``(H, W)`` uint8 of own ids; 255 stays ignored."""
        mapped: npt.NDArray[np.uint8] = self._lookup[mask]
        return mapped

    def counts(self, own: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """``(N, trained)`` int64 pixels of each trained class, from ``(N, own)`` of each own."""
        counts = np.zeros((len(own), len(self.trained)), dtype=np.int64)
        for column, index in enumerate(self.ids):
            if index != IGNORE_INDEX:
                counts[:, index] += own[:, column]
        return counts

    @cached_property
    def _lookup(self) -> npt.NDArray[np.uint8]:
        lookup = np.full(256, IGNORE_INDEX, dtype=np.uint8)
        lookup[: len(self.ids)] = self.ids
        return lookup


def class_map(own: ClassTable, mapping: Mapping[str, str | None] | None) -> ClassMap:
    """What becomes of the classes of a table by ``data.map_classes``.

    A class that is not mapped keeps its name and colour. Classes that are mapped take the place and
    the colour of the class of that name, where it is in the table, else those of the first of them.

    Args:
        own: The data set's own table.
        mapping: By name of a class the class that it becomes; None for one that is ignored.

    Raises:
        ConfigError: If a class is not in the table, a class that others become is mapped itself, or
            fewer than two classes are left of several.
    """
    mapping = mapping or {}
    if problems := [*_problems(own.names, mapping)]:
        raise ConfigError(*problems)
    targets = [mapping.get(name, name) for name in own.names]
    # A class of the table that keeps its name keeps its place, wherever its sources stand.
    left = [target for target in targets if target is not None]
    firsts = {t: own.names.index(t) if t in own.names else targets.index(t) for t in left}
    names = sorted(firsts, key=lambda name: firsts[name])
    if len(names) < min(2, len(own)):
        rest = f"one class, '{names[0]}'" if names else "no class"
        raise ConfigError(f"{_KEY}: leaves {rest}, so there is nothing to tell apart")
    try:
        table = ClassTable(tuple(names), tuple(own.colours[firsts[name]] for name in names))
    except DataError as error:  # a new name that cannot be printed
        raise ConfigError(*(f"{_KEY}: {problem}" for problem in error.problems)) from None
    ids = (IGNORE_INDEX if target is None else names.index(target) for target in targets)
    return ClassMap(own, table, tuple(ids))


def _problems(names: Sequence[str], mapping: Mapping[str, str | None]) -> list[str]:
    """What is wrong with the names of a mapping, one line each."""
    problems = []
    for name, target in mapping.items():
        if name not in names:
            is_reversed = target in names and target not in mapping
            hint = f"; did you mean '{{{target}: {name}}}'?" if is_reversed else ""
            hint = hint or did_you_mean(str(name), names)
            problems.append(f"{_KEY}: the class table has no class '{name}'{hint}")
        elif target is not None and mapping.get(target, target) != target:
            becomes = mapping[target]
            what = "is ignored" if becomes is None else f"becomes '{becomes}'"
            problems.append(
                f"{_KEY}: '{name}' becomes '{target}', but '{target}' itself {what}; say for each "
                "class what it becomes in the end"
            )
    return problems
