"""Does a value from YAML fit an annotation? Says so in words, not in exceptions."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin

from aerialseg.config.problems import Problem
from aerialseg.config.wording import (
    OUT_OF_RANGE,
    SEQUENCES,
    is_mapping_type,
    limit_text,
    misfit_text,
    show,
)
from aerialseg.errors import nearest_name

Node = NewType("Node", Mapping[str, object])
"""A mapping with a ``_target_``: something to be built."""

Nothing = NewType("Nothing", Mapping[str, object])
"""``{}``, the choice ``none`` of a group."""

UNRESOLVED = object()
"""Stands for a value that cannot be known, and is reported already; it fits everything."""

_NO_TARGET = "has no _target_, so nothing can be built from it"
_SCALARS: Mapping[object, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (int, float),
    str: (str,),
    Path: (str,),
    NoneType: (NoneType,),
    None: (NoneType,),
}


def complaints(path: str, value: object, annotation: object) -> list[Problem]:
    """What is wrong with ``value`` where ``annotation`` is expected; empty if it fits.

    Looks into lists and mappings, so that the deepest path is named. A class or callable is
    fitted by a mapping with a ``_target_``; whether that builds the right thing is not asked.
    Annotations that cannot be read (type variables, protocols) take everything.

    Args:
        path: Where the value stands.
        value: Plain data.
        annotation: As it stands in a signature.
    """
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if value is UNRESOLVED or _fits(value, kind, arguments):
        return []
    if kind is Annotated:
        problems = complaints(path, value, arguments[0])
        text = None if problems else limit_text(value, arguments[1:])
        return [Problem(path, text)] if text else problems
    if kind in (Union, UnionType):
        return _union_complaints(path, value, annotation)
    if kind in SEQUENCES and isinstance(value, Sequence) and not isinstance(value, str):
        return _item_complaints(path, value, arguments)
    if isinstance(value, Mapping):
        if is_mapping_type(kind):
            inner = arguments[1] if len(arguments) == 2 else Any
            return [p for key in value for p in complaints(f"{path}.{key}", value[key], inner)]
        if _is_built(kind):
            return [Problem(path, f"{_NO_TARGET}{_misspelt(value)}")]
    return [Problem(path, misfit_text(value, annotation))]


def is_node(value: object) -> bool:
    """Whether a value is something to be built: a mapping with a ``_target_``."""
    return isinstance(value, Mapping) and "_target_" in value


def _fits(value: object, kind: object, arguments: Sequence[object]) -> bool:
    """Whether a value is of a kind that need not be looked into."""
    if kind is Literal:
        return any(type(value) is type(option) and value == option for option in arguments)
    if kind in _SCALARS:
        # To Python True is the number 1; to the person who wrote it, it is not.
        is_flag = isinstance(value, bool) and kind is not bool
        return isinstance(value, _SCALARS[kind]) and not is_flag
    if kind is Nothing:
        return value == {}
    if _is_built(kind):
        return is_node(value) or (inspect.isclass(kind) and isinstance(value, kind))
    return kind not in (Annotated, Union, UnionType, *SEQUENCES) and not is_mapping_type(kind)


def _is_built(kind: object) -> bool:
    """Whether plain data cannot be one, so that it takes a mapping with a ``_target_``."""
    if kind in (object, Any, *_SCALARS, *SEQUENCES) or is_mapping_type(kind):
        return False
    return kind is Node or (inspect.isclass(kind) and not getattr(kind, "_is_protocol", False))


def _misspelt(node: Mapping[str, object]) -> str:
    wrong = nearest_name("_target_", map(str, node))
    return f"; did you mean '_target_' by '{wrong}'?" if wrong else ""


def _union_complaints(path: str, value: object, union: object) -> list[Problem]:
    tried = [complaints(path, value, member) for member in get_args(union)]
    if [] in tried:
        return []
    # Of the right shape but for something within, or of the right type but for one thing.
    slips = (OUT_OF_RANGE, _NO_TARGET)
    nearly = [[p, *_] for p, *_ in tried if p.path != path or any(s in p.text for s in slips)]
    return nearly[0] if nearly else [Problem(path, misfit_text(value, union))]


def _item_complaints(
    path: str, value: Sequence[object], arguments: tuple[object, ...]
) -> list[Problem]:
    if len(arguments) > 1 and Ellipsis not in arguments:
        if len(arguments) != len(value):
            text = f"{show(value)} {OUT_OF_RANGE}, wanted {len(arguments)} values"
            return [Problem(path, text)]
        kinds = arguments
    else:
        kinds = (arguments or (Any,))[:1] * len(value)
    pairs = enumerate(zip(value, kinds, strict=True))
    return [p for i, (item, kind) in pairs for p in complaints(f"{path}[{i}]", item, kind)]
