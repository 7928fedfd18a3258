"""Which class each value or colour of a mask file stands for."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_COLOUR, IGNORE_INDEX, ClassTable, is_colour
from aerialseg.errors import ConfigError, did_you_mean

MaskFormat: TypeAlias = Literal["index", "colour"]
"""What the pixels of a mask file are: values that stand for classes, or their colours."""

IgnoreValues: TypeAlias = list[int | list[int]]
"""Values, or RGB colours, of pixels that have no label."""

_PLAIN_NAME = re.compile(r"[a-z_]([\w -]*\w)?", re.ASCII | re.IGNORECASE)
_KEYWORDS = frozenset({"true", "false", "null", "nan", "inf"})
_SHOWN = 16  # classes written out in an advice


@dataclass(frozen=True)
class MaskEncoding:
    """Which class each value or colour of a mask file stands for.

    Args:
        classes: The class table.
        mask_format: ``index`` masks hold values, ``colour`` masks the colours of the table.
        mask_values: The class of each value of an index mask, by name; several values may stand
            for one class. None: the value is the class's id, its place in the table.
        ignore_values: Values of index masks, or RGB colours of colour masks, without a label. 255
            and white are among them unless they stand for a class.

    Raises:
        ConfigError: If these contradict each other or name no class; one line each.
    """

    classes: ClassTable
    mask_format: MaskFormat = "index"
    mask_values: Mapping[int, str] | None = None
    ignore_values: Sequence[int | Sequence[int]] | None = None

    def __post_init__(self) -> None:
        problems = [*self._value_problems(), *self._ignore_problems()]
        if problems:
            raise ConfigError(*problems)

    @property
    def is_painted(self) -> bool:
        """Whether the masks hold colours."""
        return self.mask_format == "colour"

    @property
    def identity(self) -> list[Any]:
        """All that decides which class a pixel has, as JSON can write it."""
        values = None if self.mask_values is None else sorted(self.mask_values.items())
        ignored = [v if isinstance(v, int) else list(v) for v in self.ignore_values or ()]
        return [self.classes.to_mapping(), self.mask_format, values, ignored]

    @cached_property
    def id_of_value(self) -> dict[int, int]:
        """The class id of every value that index masks may hold; 255 where it is ignored."""
        if self.mask_values is None:
            ids = {index: index for index in range(len(self.classes))}
        else:
            names = self.classes.names
            ids = {value: names.index(name) for value, name in self.mask_values.items()}
        ignored = [v for v in self.ignore_values or () if isinstance(v, int)]
        return {IGNORE_INDEX: IGNORE_INDEX} | ids | dict.fromkeys(ignored, IGNORE_INDEX)

    @property
    def says_what_is_ignored(self) -> bool:
        """Whether it was said what has no label; else that 255 and white have none is a custom."""
        return self.ignore_values is not None or IGNORE_INDEX in (self.mask_values or ())

    @cached_property
    def is_plain(self) -> bool:
        """Whether every value is its own class id, and 255 alone is ignored."""
        return all(value == index for value, index in self.id_of_value.items())

    @property
    def colours(self) -> npt.NDArray[np.uint8]:
        """``(num_classes, 3)`` uint8 RGB of the classes."""
        return self.classes.palette[: len(self.classes)]

    @property
    def ignored_colours(self) -> list[tuple[int, ...]]:
        """RGB colours of pixels without a label."""
        given = [tuple(v) for v in self.ignore_values or () if not isinstance(v, int)]
        white = [] if IGNORE_COLOUR in self.classes.colours else [IGNORE_COLOUR]
        return [*given, *white]

    @property
    def has_grey_colours(self) -> bool:
        """Whether all colours of the table are shades of grey, so that painted masks are grey."""
        return all(red == green == blue for red, green, blue in self.classes.colours)

    def _value_problems(self) -> list[str]:
        """What is wrong with ``mask_values``."""
        if self.mask_values is None:
            return []
        key = "data.mask_values"
        if self.is_painted:
            return [
                f"{key}: is for masks of values, but data.mask_format is colour, where the class "
                "table gives the colours; leave one of the two out"
            ]
        problems = [
            f"{key}.{value}: is no value of a mask; wanted a whole number, 0 or more"
            for value in self.mask_values
            if not _is_value(value)
        ]
        return problems + [
            f"{key}.{value}: there is no class '{name}'{did_you_mean(name, self.classes.names)}"
            for value, name in self.mask_values.items()
            if name not in self.classes.names
        ]

    def _ignore_problems(self) -> list[str]:
        """What is wrong with ``ignore_values``."""
        key, problems = "data.ignore_values", []
        for value in self.ignore_values or ():
            if self.is_painted and not is_colour(value):
                wanted = "a colour [red, green, blue], as data.mask_format is colour"
                problems.append(f"{key}: {_shown(value)} is no colour; wanted {wanted}")
            elif not self.is_painted and not _is_value(value):
                wanted = "a whole number, 0 or more, as data.mask_format is index"
                problems.append(f"{key}: {_shown(value)} is no value of a mask; wanted {wanted}")
            elif name := self._class_of(value):
                problems.append(f"{key}: {_shown(value)} {name}")
        return problems

    def _class_of(self, value: int | Sequence[int]) -> str:
        """Why an ignored value or colour is one of a class; empty if it is not."""
        if not isinstance(value, int):
            colours = {tuple(rgb): name for rgb, name in zip(*self._table(), strict=True)}
            name = colours.get(tuple(value))
            return f"is the colour of class '{name}'; change one of the two" if name else ""
        if self.mask_values is not None:
            name = self.mask_values.get(value)
            return f"is '{name}' in data.mask_values; leave one of the two out" if name else ""
        if value >= len(self.classes):
            return ""
        return (
            f"is the id of class '{self.classes.names[value]}'; say which value is which class, "
            f"as in {mask_values_of(range(1, len(self.classes) + 1), self.classes.names)}"
        )

    def _table(self) -> tuple[tuple[tuple[int, int, int], ...], tuple[str, ...]]:
        return self.classes.colours, self.classes.names


def mask_values_of(values: Iterable[int], names: Iterable[str]) -> str:
    """``'data.mask_values={1: ground, 2: roof}'``, as a shell takes it."""
    pairs = [f"{value}: {_as_text(name)}" for value, name in zip(values, names, strict=True)]
    more = [] if len(pairs) <= _SHOWN else ["..."]
    return shlex.quote("data.mask_values={" + ", ".join([*pairs[:_SHOWN], *more]) + "}")


def _as_text(name: str) -> str:
    """A name as Hydra's grammar reads it inside of a mapping: in quotes unless it is plain."""
    if _PLAIN_NAME.fullmatch(name) and name.casefold() not in _KEYWORDS:
        return name
    # There, backslashes are doubled only where a quote follows.
    return '"' + re.sub(r'(\\*)"', r"\1\1\"", re.sub(r"(\\+)$", r"\1\1", name)) + '"'


def _is_value(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _shown(value: object) -> str:
    return str(value if isinstance(value, int) else list(value))  # type: ignore[call-overload]
