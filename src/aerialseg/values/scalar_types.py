"""Annotations of numbers, texts and choices as pydantic checks them: strictly."""

from collections.abc import Sequence
from functools import partial
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AllowInfNan, Strict
from pydantic.functional_validators import PlainValidator
from pydantic_core import PydanticCustomError


def scalar_type(annotation: Any, limits: Sequence[object] = ()) -> Any:  # noqa: ANN401 - a type
    """The type pydantic is given for a scalar; None where the annotation is of another kind.

    Args:
        annotation: A member of a union as it stands in a signature, without ``Annotated``.
        limits: Metadata of the ``Annotated`` around it, of which ranges count.
    """
    if get_origin(annotation) is Literal:
        return Annotated[Any, PlainValidator(partial(_one_of, get_args(annotation)))]
    if annotation in (int, float):
        ranges = [limit for limit in limits if isinstance(limit, Gt | Ge | Lt | Le)]
        finite = [AllowInfNan(False)] if ranges and annotation is float else []
        return Annotated[(annotation, Strict(), *finite, *ranges)]
    if annotation in (bool, str):
        return Annotated[annotation, Strict()]
    return NoneType if annotation in (None, NoneType) else None


def _one_of(options: Sequence[object], value: object) -> object:
    # Not pydantic's Literal: True passes there as Literal[1], 1.0 as well.
    if any(type(value) is type(option) and value == option for option in options):
        return value
    raise PydanticCustomError("literal", "", {"options": list(map(str, options))})
