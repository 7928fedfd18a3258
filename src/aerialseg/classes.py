"""The class table: id, name and colour of every class."""

import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from aerialseg.errors import DataError

IGNORE_INDEX = 255
"""The mask value that loss, metrics and counts ignore."""

IGNORE_COLOUR = (255, 255, 255)
"""The colour of ignored pixels."""

_BRIEF = reprlib.Repr()  # YAML aliases can expand a few lines to an enormous value
_BRIEF.maxlevel = 2


@dataclass(frozen=True)
class ClassTable:
    """Names and colours of the classes; a class's id is its index in the table.

    In YAML it is a mapping from name to RGB, in the order of the ids::

        background: [0, 0, 0]
        person: [192, 128, 128]

    Args:
        names: One name per class, all different.
        colours: One RGB triple per class, 0 to 255, all different; white is
            reserved for ignored pixels.

    Raises:
        DataError: If the table is empty, longer than 255, a name is not printable, or one of
            the rules above is broken.
    """

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        problems = _problems(self.names, self.colours)
        if problems:
            raise DataError(*problems)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Sequence[int]]) -> "ClassTable":
        """Builds the table from ``{name: [red, green, blue]}`` in the order of the ids."""
        for name, colour in mapping.items():
            if not isinstance(name, str):
                raise DataError(
                    f"class table: the name {_BRIEF.repr(name)} is not text in YAML; write it in "
                    "quotes"
                )
            if not _is_colour(colour):
                raise DataError(
                    f"class table: the colour of {_BRIEF.repr(name)} is {_BRIEF.repr(colour)}; "
                    "write three whole numbers from 0 to 255, as in [192, 128, 128]"
                )
        red_green_blue = tuple((int(r), int(g), int(b)) for r, g, b in mapping.values())
        return cls(tuple(mapping), red_green_blue)

    @classmethod
    def read(cls, path: str | Path) -> "ClassTable":
        """Reads a YAML file that maps names to colours.

        Raises:
            DataError: If the file is missing, is not YAML, is not such a mapping or names a
                class twice.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
            mapping = yaml.safe_load(text)
        except FileNotFoundError:
            raise DataError(
                f"class table {path}: no such file; write one line per class in the order of "
                "the mask ids, as in `person: [192, 128, 128]`"
            ) from None
        except Exception as error:  # PyYAML raises many types: odd dates, numbers, deep nesting
            reason = " ".join(str(error).split())
            raise DataError(
                f"class table {path}: cannot be read as YAML: {reason}; correct it"
            ) from None
        if not isinstance(mapping, dict):
            raise DataError(
                f"class table {path}: holds a {type(mapping).__name__}, not a mapping; "
                "write one line per class, as in `person: [192, 128, 128]`"
            )
        if duplicates := _duplicate_names(text):
            raise DataError(f"class table {path}: name '{duplicates[0]}' appears twice; rename one")
        try:
            return cls.from_mapping(mapping)
        except DataError as error:
            raise DataError(*(f"{path}: {problem}" for problem in error.problems)) from None

    def to_mapping(self) -> dict[str, list[int]]:
        """The table as plain data, as :meth:`from_mapping` reads it."""
        return {name: list(rgb) for name, rgb in zip(self.names, self.colours, strict=True)}

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def palette(self) -> npt.NDArray[np.uint8]:
        """``(256, 3)`` uint8 RGB: row ``i`` paints id ``i``; ids without a class are white."""
        palette = np.full((256, 3), IGNORE_COLOUR, dtype=np.uint8)
        palette[: len(self)] = self.colours
        return palette


def _duplicate_names(text: str) -> list[str]:
    """Duplicate names: YAML would drop one, shifting every later id by one."""
    node = yaml.compose(text, yaml.SafeLoader)
    names = [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    return [name for name, times in Counter(names).items() if times > 1]


def _is_colour(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) == 3
        and all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v <= 255 for v in value)
    )


def _problems(names: tuple[str, ...], colours: tuple[tuple[int, int, int], ...]) -> list[str]:
    """Every rule that a class table breaks, one line each."""
    if not 1 <= len(names) <= IGNORE_INDEX or len(names) != len(colours):
        return [
            f"class table: has {len(names)} names and {len(colours)} colours; "
            f"wanted as many of each, 1 to {IGNORE_INDEX}"
        ]
    problems = [
        f"class table: the name {_BRIEF.repr(name)} of id {index} cannot be printed; rename it"
        for index, name in enumerate(names)
        if not (name.strip() and name.isprintable())
    ]
    for what, values in (("name", names), ("colour", colours)):
        for value in dict.fromkeys(v for v in values if values.count(v) > 1):
            ids = ", ".join(str(i) for i, v in enumerate(values) if v == value)
            problems.append(
                f"class table: {what} {value!r} is used by ids {ids}; each needs its own"
            )
    if IGNORE_COLOUR in colours:
        name = names[colours.index(IGNORE_COLOUR)]
        problems.append(f"class table: '{name}' is white, which marks ignored pixels; pick another")
    return problems
