"""Checks YAML values against annotations with pydantic: strictly, except that lists fit tuples."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache, partial
from pathlib import Path
from types import GenericAlias, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Len
from pydantic import Strict, TypeAdapter, ValidationError
from pydantic.functional_validators import BeforeValidator, PlainValidator, WrapValidator
from pydantic_core import ErrorDetails, PydanticCustomError, SchemaError

from aerialseg.config.problems import Problem
from aerialseg.config.types import UNRESOLVED, Node, Nothing, is_node
from aerialseg.errors import nearest_name
from aerialseg.values.scalar_types import scalar_type
from aerialseg.values.wording import problem_text

_LISTS = (list, tuple, set, frozenset, Sequence, Iterable)
"""Annotations that a YAML list fits."""

_UNLESS_UNRESOLVED = WrapValidator(lambda value, fit: value if value is UNRESOLVED else fit(value))


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
    try:
        _adapter(annotation, repr(annotation)).validate_python(value)
    except ValidationError as error:
        found = _by_place(error.errors(include_url=False))
        return [
            Problem(path + "".join(at), problem_text(found[at], key="" if at else path))
            for at in found
        ]
    except (SchemaError, TypeError):  # limits that their type cannot have, unhashable metadata
        return []
    return []


def _by_place(errors: Sequence[ErrorDetails]) -> dict[tuple[str, ...], list[ErrorDetails]]:
    """Errors grouped by the steps that lead to the wrong value, such as ``.car``, ``[2]``.

    A value and something inside it are both wrong only for different members of a union. The
    member that is wrong further inside fits better, so the outer errors are left out.
    """
    found: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for error in errors:
        steps = [f"[{step}]" if isinstance(step, int) else step for step in error["loc"]]
        # All other steps are pydantic's names for members of a union.
        found.setdefault(tuple(s for s in steps if s[0] in "[."), []).append(error)
    return {at: found[at] for at in found if not any(at == x[: len(at)] for x in found if x != at)}


@cache
def _adapter(annotation: object, _spelling: str) -> TypeAdapter[Any]:
    # Equal Literals may differ in order, in which messages list them; the repr tells them apart.
    return TypeAdapter(_yaml_type(annotation))


def _yaml_type(annotation: object, limits: tuple[object, ...] = ()) -> Any:  # noqa: ANN401 - a type
    return Annotated[_known_type(annotation, limits), _UNLESS_UNRESOLVED]


def _known_type(annotation: Any, limits: tuple[object, ...]) -> Any:  # noqa: ANN401 - a type
    """The type pydantic is given; ``Any`` where the annotation says nothing about plain data.

    Args:
        annotation: As it stands in a signature.
        limits: Metadata of the ``Annotated`` around it; each member of a union takes its own.
    """
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if kind is Annotated:
        return _known_type(arguments[0], (*limits, *arguments[1:]))
    if kind in (Union, UnionType):
        return Union[tuple(_yaml_type(member, limits) for member in arguments)]  # noqa: UP007
    if scalar := scalar_type(annotation, limits):
        return scalar
    if kind is Path:
        return kind
    if kind in _LISTS:
        return _list_type(kind, arguments, limits)
    if inspect.isclass(kind) and (is_dataclass(kind) or issubclass(kind, Mapping)):
        inner = _yaml_type(arguments[1] if len(arguments) == 2 else Any)
        return Annotated[GenericAlias(dict, (str, inner)), BeforeValidator(_with_dotted_keys)]
    if kind is object or getattr(kind, "_is_protocol", False):
        return Any
    if kind in (Node, Nothing) or (inspect.isclass(kind) and kind is not Any):
        return Annotated[Any, PlainValidator(partial(_buildable, kind))]
    return Any


def _list_type(kind: object, arguments: tuple[Any, ...], limits: tuple[object, ...]) -> Any:  # noqa: ANN401 - a type
    items = GenericAlias(list, (_yaml_type((*arguments, Any)[0]),))
    if kind is tuple and len(arguments) > 1 and Ellipsis not in arguments:
        items = GenericAlias(tuple, tuple(map(_yaml_type, arguments)))
        limits = (Len(len(arguments), len(arguments)),)
    lengths = [partial(_has_length, x) for x in limits if isinstance(x, Len)]
    return Annotated[(items, Strict(False), *map(BeforeValidator, lengths))]


def _buildable(kind: object, value: object) -> object:
    """Classes and callables: plain data cannot be one, so a mapping with a ``_target_`` fits."""
    fits = value == {} if kind is Nothing else is_node(value)
    if fits or (inspect.isclass(kind) and isinstance(value, kind)):
        return value
    if not isinstance(value, Mapping):
        raise PydanticCustomError("no_node", "")
    wrong = nearest_name("_target_", map(str, value))
    hint = f"; did you mean '_target_' by '{wrong}'?" if wrong else ""
    raise PydanticCustomError("no_target", "", {"hint": hint})


def _has_length(wanted: Len, value: object) -> object:
    low, high = wanted.min_length, wanted.max_length
    if isinstance(value, list) and not low <= len(value) <= (len(value) if high is None else high):
        text = f"{low}" if low == high else f"{low} to {high}"
        raise PydanticCustomError("length", "", {"wanted": text})
    return value


def _with_dotted_keys(value: object) -> object:
    # The dot tells keys from pydantic's names for members of a union, and key 1 from index 1.
    return {f".{k}": v for k, v in value.items()} if isinstance(value, Mapping) else value
