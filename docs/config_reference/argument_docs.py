"""What signatures and docstrings say of arguments."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Len, Lt

_WORDS: Mapping[object, str] = {
    **{bool: "true or false", int: "whole number", float: "number"},
    **{str: "text", Path: "path", type(None): "null"},
}
_SIGNS = {Gt: ("gt", ">"), Ge: ("ge", ">="), Lt: ("lt", "<"), Le: ("le", "<=")}


def type_text(hint: object) -> str:
    """An annotation in words, with its range."""
    kind, arguments = get_origin(hint) or hint, get_args(hint)
    if kind is Annotated:
        limits = [text for limit in arguments[1:] if (text := _limit(limit))]
        return ", ".join([type_text(arguments[0]), *limits])
    if kind in (Union, UnionType):
        return " or ".join(dict.fromkeys(type_text(member) for member in arguments))
    if kind is Literal:
        return " or ".join(f"`{option}`" for option in arguments)
    if kind in (list, tuple, Sequence):
        return f"list of {_plural(arguments[0])}" if arguments else "list"
    if kind in (dict, Mapping) or is_dataclass(kind):
        return "mapping"
    return _WORDS.get(kind, "mapping with a `_target_`")


def is_node(hint: object) -> bool:
    """Whether a mapping with a ``_target_`` stands there."""
    return getattr(hint, "__name__", "") == "Node"


def hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function's or class's arguments, or of a dataclass's attributes."""
    is_plain = inspect.isclass(function) and not is_dataclass(function)
    return get_type_hints(function.__init__ if is_plain else function, include_extras=True)


def described(function: Callable[..., Any]) -> dict[str, str]:
    """What a Google docstring says of each argument or attribute, in one line."""
    docstring = inspect.getdoc(function) or ""
    sections = re.split(r"^(\w[^\n]*:)$", docstring, flags=re.MULTILINE)
    found: dict[str, str] = {}
    for title, body in zip(sections[1::2], sections[2::2], strict=True):
        if title in ("Args:", "Attributes:"):
            for name, text in _ENTRY.findall(body):
                found.setdefault(name, " ".join(text.split()))
    return {name: _ROLE.sub(r"`\1`", text) for name, text in found.items()}


def _plural(hint: object) -> str:
    text = re.sub(r"\b(number|list)\b", r"\1s", type_text(hint))
    return f"({text})" if " or " in text else text


def _limit(limit: object) -> str:
    """A range in signs; empty for what is no range."""
    if isinstance(limit, Len):
        return f"{limit.min_length} values"
    if type(limit) not in _SIGNS:
        return ""
    attribute, sign = _SIGNS[type(limit)]
    return f"{sign} {getattr(limit, attribute)}"


# A name at four spaces, and what follows it at more.
_ENTRY = re.compile(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)
_ROLE = re.compile(r":\w+:`[~.]*([\w.]+)`")
