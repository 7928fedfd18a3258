"""The signature is the schema: keys and values of a config against what they will be given to."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple, get_type_hints

from aerialseg.config.problems import Problem
from aerialseg.config.schema import Experiment
from aerialseg.config.targets import resolve_target
from aerialseg.config.tasks import find_task
from aerialseg.config.types import UNRESOLVED, is_node
from aerialseg.errors import ConfigError, did_you_mean, nearest_name

SUPPLIED: Mapping[str, frozenset[str]] = {
    "data": frozenset({"augmentation"}),
    "data.layout": frozenset({"root", "cache_dir"}),
    "model.network": frozenset({"num_classes"}),
    "loss.function": frozenset({"class_weights"}),
    "optimizer": frozenset({"params"}),
    "scheduler": frozenset({"optimizer"}),
    "trainer": frozenset({"callbacks", "logger", "plugins"}),
}
"""Arguments that come from elsewhere, and so must not stand in the node."""

PARTIAL = frozenset({"data.layout", "optimizer", "scheduler"})
"""Nodes that are called later, once what they work on is there."""


class _Argument(NamedTuple):
    annotation: object
    required: bool
    default: object


def schema_problems(config: Mapping[str, object]) -> list[Problem]:
    """Every unknown key, misfit value and missing argument of a config.

    Args:
        config: Plain data, :data:`UNRESOLVED` where a value cannot be known.
    """
    sections = _section_problems("", config, Experiment)
    return [*sections, *_task_problems(config.get("task")), *_node_problems("", config)]


def _section_problems(path: str, section: object, kind: type) -> Iterator[Problem]:
    """What is wrong with the keys that are our own."""
    if not isinstance(section, Mapping):
        return  # has been said where it stands
    yield from _call_problems(path, f"conf/{path}" if path else "the config", kind, section)
    for name, argument in _arguments(kind).items():
        inner = argument.annotation
        if name in section and isinstance(inner, type) and is_dataclass(inner):
            yield from _section_problems(f"{path}.{name}".lstrip("."), section[name], inner)


def _task_problems(task: object) -> Iterator[Problem]:
    """What is wrong with a task's options, which are the arguments of its function."""
    if not isinstance(task, Mapping) or task.get("name") is UNRESOLVED:
        return
    name = task.get("name")
    if not isinstance(name, str):
        yield Problem("task.name", "names no task; choose one with task=NAME")
        return
    try:
        function = find_task(name).function
    except ConfigError as error:
        yield Problem("task.name", str(error))
        return
    options = {key: value for key, value in task.items() if key != "name"}
    supplied = frozenset({"experiment"})
    yield from _call_problems("task", f"the task {name}", function, options, supplied)


def _node_problems(path: str, value: object) -> Iterator[Problem]:
    """What is wrong with the nodes at any depth of a value."""
    if is_node(value):
        yield from _target_problems(path, value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _node_problems(f"{path}.{key}".lstrip("."), inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, inner in enumerate(value):
            yield from _node_problems(f"{path}[{index}]", inner)


def _target_problems(path: str, node: Any) -> Iterator[Problem]:  # noqa: ANN401 - checked to be one
    """The problems of one node: its target, and its keys against the signature of the target."""
    if node["_target_"] is UNRESOLVED:
        return
    try:
        target = resolve_target(node["_target_"])
    except ConfigError as error:
        yield Problem(f"{path}._target_", str(error))
        return
    values = {key: value for key, value in node.items() if key != "_target_"}
    if path in PARTIAL and values.pop("_partial_", None) is not True:
        yield Problem(f"{path}._partial_", "must be true: what it works on comes later")
    supplied = SUPPLIED.get(path, frozenset())
    yield from _call_problems(path, node["_target_"], target, values, supplied)


def _call_problems(
    path: str,
    name: str,
    function: Callable[..., Any],
    values: Mapping[str, object],
    supplied: frozenset[str] = frozenset(),
) -> Iterator[Problem]:
    """What would go wrong in ``function(**values, **supplied)``, argument by argument."""
    arguments = dict(_arguments(function))
    takes_any = arguments.pop("**", None) is not None
    known = arguments.keys() - supplied
    for key, value in values.items():
        inner = f"{path}.{key}".lstrip(".")
        if key in supplied:
            yield Problem(inner, "comes from another part of the config; leave it out here")
        elif key in arguments:
            yield from _argument_problems(inner, value, arguments[key])
        # Where anything is taken, what is nearly a known name is still more likely a slip.
        elif not takes_any or nearest_name(str(key), known):
            yield Problem(inner, f"{name} takes no '{key}'{did_you_mean(str(key), known)}")
    for key in arguments:
        if arguments[key].required and key in known and key not in values:
            yield Problem(f"{path}.{key}".lstrip("."), f"{name} needs a value here")


def _argument_problems(path: str, value: object, argument: _Argument) -> list[Problem]:
    from aerialseg.config.yaml_types import complaints  # loads pydantic; --help must not

    # A default fits, whatever the annotation says: None is often left out there.
    is_default = type(value) is type(argument.default) and value == argument.default
    return [] if is_default else complaints(path, value, argument.annotation)


@cache
def _arguments(function: Callable[..., Any]) -> Mapping[str, _Argument]:
    """Every argument by name; ``**`` stands for any other."""
    hints = _hints(function)
    parameters = inspect.signature(function).parameters.values()
    arguments = {
        parameter.name: _Argument(
            hints.get(parameter.name, object),
            parameter.default is parameter.empty,
            parameter.default,
        )
        for parameter in parameters
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        arguments["**"] = _Argument(object, False, None)
    return arguments


def _hints(function: Callable[..., Any]) -> Mapping[str, object]:
    """Annotations by argument name, as far as they can be read."""
    schema = getattr(function, "InitSchema", None)
    if schema is not None:  # albumentations hides the annotations behind its own checks
        return {
            name: Annotated[(field.annotation, *field.metadata)]
            if field.metadata
            else field.annotation
            for name, field in schema.model_fields.items()
        }
    initialise = function.__init__ if inspect.isclass(function) else function
    try:
        return get_type_hints(initialise, include_extras=True)
    except (NameError, TypeError):  # annotations of others that only a type checker can read
        return {}
