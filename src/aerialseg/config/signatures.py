"""The signature is the schema: keys and values of a config against what they will be given to."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

from aerialseg.config.joint_sets import as_single
from aerialseg.config.mapping_hints import choice_with, one_value_of
from aerialseg.config.problems import Problem
from aerialseg.config.schema import Experiment
from aerialseg.config.targets import resolve_target
from aerialseg.config.tasks import find_task
from aerialseg.config.types import UNRESOLVED, is_node
from aerialseg.errors import ConfigError, did_you_mean, nearest_name
from aerialseg.values.wording import show

SUPPLIED: Mapping[str, frozenset[str]] = {
    "data": frozenset({"augmentation"}),
    "data.layout": frozenset({"root", "cache_dir"}),
    "model.network": frozenset({"num_classes"}),
    "loss.function": frozenset({"class_weights"}),
    "optimizer.function": frozenset({"params"}),
    "scheduler": frozenset({"optimizer"}),
    "trainer": frozenset({"callbacks", "logger"}),
}
"""Arguments that come from elsewhere, and so must not stand in the node."""

PARTIAL = frozenset({"data.layout", "optimizer.function", "scheduler"})
"""Nodes that are called later, once what they work on is there."""

_WITH_FUNCTION = ("loss", "optimizer")
"""Sections of which a ``function`` is one of several keys."""

TYPED_BY_RULE = frozenset({"trainer.devices"})
"""Values, unless a list, whose type a rule tells in better words than an annotation has."""


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
    if _is_flat(path, section):
        text = "what builds it belongs below function, as in function: {_target_: ..., lr: ...}"
        yield Problem(path, text)
        return
    # A section in a section, which may be null, is no folder of conf/.
    called = path if "." in path else f"conf/{path}" if path else "the config"
    inside = _arguments_inside(section)
    yield from _call_problems(path, called, kind, section, inside=inside)
    for name, argument in _arguments(kind).items():
        inner = section_kind(argument.annotation)
        if name in section and inner is not None:
            yield from _section_problems(f"{path}.{name}".lstrip("."), section[name], inner)


def section_kind(annotation: object) -> type | None:
    """The dataclass of a section by its annotation, which may allow null; None if it is none."""
    members = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return next((m for m in members if isinstance(m, type) and is_dataclass(m)), None)


def _is_flat(path: str, section: object) -> bool:
    """Whether the arguments of a ``function`` stand beside it, where its section has them not."""
    return path in _WITH_FUNCTION and isinstance(section, Mapping) and "_target_" in section


def _arguments_inside(section: Mapping[str, object]) -> Mapping[str, str]:
    """The arguments of a section's ``function``, by name: their place in the section."""
    function: Any = section.get("function")
    if not is_node(function) or function["_target_"] is UNRESOLVED:
        return {}
    try:
        arguments = _arguments(resolve_target(function["_target_"]))
    except ConfigError:  # is said where the target stands
        return {}
    return {name: f"function.{name}" for name in arguments}


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
    if _is_flat(path, value):
        return
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
    alone = as_single(path)
    if alone in PARTIAL and values.pop("_partial_", None) is not True:
        yield Problem(f"{path}._partial_", "must be true: what it works on comes later")
    if path == "scheduler":
        yield from _monitor_problems(target, values)
    if path.startswith("augmentation.") and not _may_transform(target):
        text = f"{node['_target_']} is no Albumentations transform; wanted a class derived from one"
        yield Problem(f"{path}._target_", text)
    supplied = SUPPLIED.get(alone, frozenset())
    yield from _call_problems(path, node["_target_"], target, values, supplied)


def _may_transform(target: object) -> bool:
    """Whether a target may build a transform: functions may build anything."""
    from albumentations import BasicTransform
    from albumentations.core.composition import BaseCompose

    return not isinstance(target, type) or issubclass(target, BasicTransform | BaseCompose)


def _monitor_problems(target: object, values: dict[str, object]) -> Iterator[Problem]:
    """A scheduler for a plateau says what it follows; takes that out of ``values``.

    torch gives the value at each step, so its name is no argument of the class.
    """
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    if not (isinstance(target, type) and issubclass(target, ReduceLROnPlateau)):
        return
    monitor = values.pop("monitor", None)
    if monitor is None:
        yield Problem(
            "scheduler.monitor",
            "must be set: the logged value that lowers the learning rate when it stands still, "
            "such as val/loss with scheduler.mode=min",
        )
    elif monitor is not UNRESOLVED and not isinstance(monitor, str):
        yield Problem("scheduler.monitor", f"{show(monitor)} is not text")


def _call_problems(
    path: str,
    name: str,
    function: Callable[..., Any],
    values: Mapping[str, object],
    supplied: frozenset[str] = frozenset(),
    inside: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Problem]:
    """What would go wrong in ``function(**values, **supplied)``, argument by argument.

    ``inside`` has the place of names that are known, but not here.
    """
    arguments = dict(_arguments(function))
    takes_any = arguments.pop("**", None) is not None
    known = arguments.keys() - supplied
    for key, value in values.items():
        inner = f"{path}.{key}".lstrip(".")
        if key in supplied:
            yield Problem(inner, "comes from another part of the config; leave it out here")
        elif key in arguments:
            yield from _argument_problems(inner, value, arguments[key])
        elif key in inside:
            hint = f"; did you mean {path}.{inside[key]}?"
            yield Problem(inner, f"{name} takes no '{key}'{hint}")
        # Where anything is taken, what is nearly a known name is still more likely a slip.
        elif not takes_any or nearest_name(str(key), known):
            yield Problem(inner, f"{name} takes no '{key}'{did_you_mean(str(key), known)}")
    for key in arguments:
        if arguments[key].required and key in known and key not in values:
            yield Problem(f"{path}.{key}".lstrip("."), f"{name} needs a value here")


def _argument_problems(path: str, value: object, argument: _Argument) -> list[Problem]:
    """What is wrong with one value, and the next step where it is typed for a mapping."""
    from aerialseg.config.yaml_types import complaints  # loads pydantic; --help must not

    if path in TYPED_BY_RULE and not isinstance(value, list):
        return []
    # A default fits, whatever the annotation says: None is often left out there.
    is_default = type(value) is type(argument.default) and value == argument.default
    if is_default:
        return []
    found = complaints(path, value, argument.annotation)
    kind = section_kind(argument.annotation)
    return [Problem(each.path, each.text + _next_step(each, value, kind)) for each in found]


def _next_step(problem: Problem, value: object, kind: type | None) -> str:
    """What to type instead of something that no mapping can be built from; empty if unknown."""
    if "has no _target_" in problem.text:
        return choice_with(problem.path)
    return one_value_of(problem, value, kind)


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
