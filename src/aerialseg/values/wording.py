"""Messages for values and for pydantic's errors about them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aerialseg.errors import nearest_name

_BUILT = "a mapping with a _target_"
_KINDS = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "path_type": "a path",
    "finite_number": "a finite number",
    "none_required": "null",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "function_type": "a function",
    "other_kind": "of type {kind}",
    "literal": "one of {}",
    "no_node": _BUILT,
}
_IN_PYTHON = {"bool_type": "True or False", "none_required": "None"}
"""What is spelt otherwise there than in YAML."""

_SLIPS = {
    "greater_than": "{value} is out of range, wanted more than {gt:.15g}",
    "greater_than_equal": "{value} is out of range, wanted {ge:.15g} or more",
    "less_than": "{value} is out of range, wanted less than {lt:.15g}",
    "less_than_equal": "{value} is out of range, wanted {le:.15g} or less",
    "length": "{value} is out of range, wanted {wanted} values",
    "no_target": "has no _target_, so nothing can be built from it{hint}",
}
"""Values of the right kind with one fault; for a union, these say more than a list of kinds."""


def problem_text(
    errors: Sequence[Mapping[str, Any]], *, key: str = "", in_python: bool = False
) -> str:
    """What is wrong with one value.

    Args:
        errors: pydantic's errors for it: one, or one for each member of a union.
        in_python: Whether the value was written in Python instead of YAML.
        key: The key that the value is of; empty for a part of it.
    """
    value = errors[0]["input"]
    shown = repr(value) if in_python else show(value)
    words = _KINDS | _IN_PYTHON if in_python else _KINDS
    for error in errors:
        if error["type"] in _SLIPS:
            return _SLIPS[error["type"]].format(value=shown, **error["ctx"])
    lists = [error["ctx"]["options"] for error in errors if error["type"] == "literal"]
    options = list(dict.fromkeys(option for names in lists for option in names))
    kinds = {
        words[error["type"]].format(", ".join(options), **error.get("ctx", {})) for error in errors
    }
    # What is easiest to write is what was most likely meant.
    nothing = words["none_required"]
    easy = sorted(kinds - {_BUILT}, key=lambda kind: (kind == nothing, kind)) or [_BUILT]
    nearest = nearest_name(str(value), options)
    hint = f"; did you mean '{nearest}'?" if nearest else ""
    if easy == ["text"] and key and isinstance(value, int | float):
        hint = f"""; as text it needs quotes within quotes, as in '{key}="{show(value)}"'"""
    return f"{shown} is not {' or '.join(easy)}{hint}"


def show(value: object) -> str:
    """A value as YAML has it; a mapping is too long to repeat."""
    if isinstance(value, Mapping):
        return "a mapping"
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
