"""Values and annotations as a person would call them."""

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Len, Lt

from aerialseg.errors import nearest_name

OUT_OF_RANGE = "is out of range"
SEQUENCES = (list, tuple, set, frozenset, Sequence, Iterable)
"""Annotations that a YAML list fits."""

_SCALARS: Mapping[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    NoneType: "null",
    None: "null",
}
_BUILT = "a mapping with a _target_"


def misfit_text(value: object, annotation: object) -> str:
    """What is wrong with a value that is not of the annotated kind."""
    options = _options(annotation)
    nearest = nearest_name(str(value), options)
    hint = f"; did you mean '{nearest}'?" if nearest else ""
    return f"{show(value)} is not {_describe(annotation, options)}{hint}"


def limit_text(value: object, constraints: Iterable[object]) -> str | None:
    """Which constraints of an ``Annotated`` a value breaks; ``None`` if it keeps them."""
    limits = [_limit(value, constraint) for constraint in constraints]
    wanted = " and ".join(limit for limit in limits if limit)
    return f"{show(value)} {OUT_OF_RANGE}, wanted {wanted}" if wanted else None


def show(value: object) -> str:
    """A value as YAML has it; a mapping is too long to repeat."""
    if isinstance(value, Mapping):
        return "a mapping"
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def is_mapping_type(kind: object) -> bool:
    """Whether a YAML mapping fits it: one of any keys, or the keys of a dataclass."""
    return inspect.isclass(kind) and (is_dataclass(kind) or issubclass(kind, Mapping))


def _limit(value: Any, constraint: object) -> str | None:  # noqa: ANN401 - comparable
    """What a constraint wants of a number or a list that breaks it; others have no limits."""
    if isinstance(value, Sized):
        match constraint:
            case Len(low, high) if len(value) < low or (high is not None and len(value) > high):
                return f"{low} values" if low == high else f"{low} to {high} values"
    elif value is not None:
        match constraint:
            case Gt(bound) if not value > bound:
                return f"more than {bound}"
            case Ge(bound) if not value >= bound:
                return f"{bound} or more"
            case Lt(bound) if not value < bound:
                return f"less than {bound}"
            case Le(bound) if not value <= bound:
                return f"{bound} or less"
    return None


def _describe(annotation: object, options: Sequence[str]) -> str:
    kind = get_origin(annotation) or annotation
    if kind is Annotated:
        return _describe(get_args(annotation)[0], options)
    if kind in (Union, UnionType):
        members = [_describe(member, options) for member in get_args(annotation)]
        # What is easiest to write is what was most likely meant.
        names = sorted(set(members) - {_BUILT}, key=lambda name: (name == "null", name))
        return " or ".join(names) or _BUILT
    if kind is Literal:
        return f"one of {', '.join(options)}"
    if kind in SEQUENCES:
        return "a list"
    return _SCALARS.get(kind, "a mapping" if is_mapping_type(kind) else _BUILT)


def _options(annotation: object) -> list[str]:
    """The names that an annotation lists, in all members of a union together."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return [str(option) for option in arguments]
    if get_origin(annotation) in (Union, UnionType):
        return list(dict.fromkeys(name for member in arguments for name in _options(member)))
    return []
