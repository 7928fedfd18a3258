"""The class table: id, name and colour of every class."""

import re
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
"""The colour of ignored pixels, unless a class has it."""

_BRIEF = reprlib.Repr()  # YAML aliases can expand a few lines to an enormous value
_BRIEF.maxlevel = 2
_BRIEF.maxstring = 60
_WANTED = "write one line per class, as in `person: [192, 128, 128]`"
_CLASS_LINE = re.compile(r"([^:]+:(\s+\[\s*\d+\s*(,\s*\d+\s*){2},?\s*\])?|-\s*\d+|---)?\s*(#.*)?")
"""A class with its colour, which may be on lines of its own, a comment, or nothing."""


@dataclass(frozen=True)
class ClassTable:
    """Names and colours of the classes; a class's id is its index in the table.

    In YAML it is a mapping from name to RGB, in the order of the ids::

        background: [0, 0, 0]
        person: [192, 128, 128]

    Args:
        names: One name per class, all different.
        colours: One RGB triple per class, 0 to 255, all different. In colour masks white is
            ignored unless it is the colour of a class.

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
            if not is_colour(colour):
                raise DataError(
                    f"class table: the colour of {_BRIEF.repr(name)} is {_BRIEF.repr(colour)}; "
                    "write three whole numbers from 0 to 255, as in [192, 128, 128]"
                )
        red_green_blue = tuple((int(r), int(g), int(b)) for r, g, b in mapping.values())
        return cls(tuple(mapping), red_green_blue)

    @classmethod
    def load(cls, source: Mapping[str, Sequence[int]] | str) -> "ClassTable":
        """The table in a mapping as of :meth:`from_mapping`, or in the YAML file of a path."""
        if isinstance(source, str):
            return cls.read(Path(source).expanduser())
        return cls.from_mapping(source)

    @classmethod
    def read(cls, path: str | Path) -> "ClassTable":
        """Reads a YAML file that maps names to colours.

        Raises:
            DataError: If the file is missing, is not YAML, is not such a mapping or names a
                class twice.
        """
        text = ""
        try:
            text = Path(path).read_text(encoding="utf-8")
            mapping = yaml.safe_load(text)
        except FileNotFoundError:
            raise DataError(
                f"class table {path}: no such file; write one line per class in the order of "
                "the mask ids, as in `person: [192, 128, 128]`"
            ) from None
        except Exception as error:  # PyYAML raises many types: odd dates, numbers, deep nesting
            if line := _odd_line(text):
                raise DataError(f"class table {path}: {line}") from None
            reason = " ".join(str(error).split())
            raise DataError(
                f"class table {path}: cannot be read as YAML: {reason}; correct it"
            ) from None
        if not isinstance(mapping, dict):
            problem = f"is empty; {_WANTED}"
            if mapping is not None:
                problem = _odd_line(text) or f"holds {_BRIEF.repr(mapping)}; {_WANTED}"
            raise DataError(f"class table {path}: {problem}")
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


def _odd_line(text: str) -> str:
    """Names the first line that is no class with its colour; empty if there is none."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not _CLASS_LINE.fullmatch(line.strip()):
            return (
                f"line {number} is {_BRIEF.repr(line.strip())}, which is not a class with its "
                f"colour; {_WANTED}"
            )
    return ""


def _duplicate_names(text: str) -> list[str]:
    """Duplicate names: YAML would drop one, shifting every later id by one."""
    node = yaml.compose(text, yaml.SafeLoader)
    names = [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    return [name for name, times in Counter(names).items() if times > 1]


def is_colour(value: object) -> bool:
    """Whether a value is a list of three whole numbers from 0 to 255."""
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
    return problems
