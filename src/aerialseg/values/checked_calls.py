"""Checks what Python code calls the public interface with against the annotations."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial, wraps
from types import UnionType
from typing import (
    Annotated,
    Any,
    LiteralString,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic.functional_validators import PlainValidator
from pydantic_core import PydanticCustomError

from aerialseg.values.scalar_types import scalar_type
from aerialseg.values.wording import problem_text

P = ParamSpec("P")
R = TypeVar("R")

_SCALARS = (str, int, float, bool, type(None))

_WORDS: Mapping[object, LiteralString] = {
    Sequence: "list_type",
    Mapping: "dict_type",
    Callable: "function_type",
}
"""pydantic's names for what is not called by its type in messages."""


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Lets a function or method refuse arguments that its annotations do not allow.

    Numbers, texts, choices and None are checked by kind, range and ``Literal``, as in YAML, and
    never pass for anything else, such as a path for a data set. Numbers of numpy pass for those of
    Python. All other values, such as arrays and callables, are not looked into. Signature and
    docstring stay what they are. A call takes some microseconds longer.

    Raises:
        ValueError: By the function that is returned, with one line for each such argument: its
            name, the value and what is wanted.
    """
    signature = inspect.signature(function)
    names = list(signature.parameters)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        if problems := list(_problems(function, given)):
            raise ValueError("\n".join(problems))
        return function(*args, **kwargs)

    return call


def _problems(function: Callable[..., object], given: Mapping[str, object]) -> Iterator[str]:
    """One line for each argument that does not fit."""
    adapters = _adapters(function)
    for name, value in given.items():
        plain = value.item() if isinstance(value, np.generic) else value
        try:
            if name in adapters:
                adapters[name].validate_python(plain)
        except ValidationError as error:
            text = problem_text(error.errors(include_url=False), in_python=True)
            yield f"{name}: {text}"


@cache
def _adapters(function: Callable[..., object]) -> Mapping[str, TypeAdapter[Any]]:
    """What checks each annotated argument; made at the first call, so that imports stay quick."""
    hints = get_type_hints(function, include_extras=True)
    return {name: TypeAdapter(_type_of(h)) for name, h in hints.items() if name != "return"}


def _type_of(annotation: Any, limits: tuple[object, ...] = ()) -> Any:  # noqa: ANN401 - a type
    """The type pydantic is given."""
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if kind is Annotated:
        return _type_of(arguments[0], (*limits, *arguments[1:]))
    if kind in (Union, UnionType):
        return Union[tuple(_type_of(member, limits) for member in arguments)]  # noqa: UP007
    if kind in (Any, object):
        return Any
    scalar = scalar_type(annotation, limits)
    return scalar or Annotated[Any, PlainValidator(partial(_no_scalar, kind))]


def _no_scalar(kind: object, value: object) -> object:
    """Refuses a scalar where something else is wanted."""
    if not isinstance(value, _SCALARS):
        return value
    name = str(getattr(kind, "__name__", kind))
    raise PydanticCustomError(_WORDS.get(kind, "other_kind"), "", {"kind": name})
