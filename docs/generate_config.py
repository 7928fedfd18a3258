"""Writes docs/config.md from conf/ and the signatures: python docs/generate_config.py.

Nothing in the page depends on the machine. What other packages take is therefore not described,
because it changes with their releases: of their arguments only those in conf/ are listed.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from config_reference.argument_docs import described, hints, is_node, type_text
from config_reference.conf_files import (
    CONF,
    choices_of,
    comments_of,
    composed,
    first_comment,
    group_comments,
    groups,
    select,
)
from config_reference.tables import Row, by_choice, cell, table, written

from aerialseg.config.chain import stage_order
from aerialseg.config.schema import (
    Compute,
    Experiment,
    Loss,
    Model,
    Optimizer,
    Paths,
    Recipe,
    Stage,
)
from aerialseg.config.signatures import SUPPLIED, section_kind
from aerialseg.config.targets import resolve_target
from aerialseg.config.tasks import find_task
from aerialseg.storage.atomic_files import write_text

PAGE = Path(__file__).with_name("config.md")
SECTIONS = {"paths": Paths, "model": Model, "loss": Loss, "optimizer": Optimizer}
SECTIONS |= {"recipe": Recipe, "stage": Stage, "compute": Compute}
"""Groups whose keys are our own; those of the others are the arguments of their target."""

INTRODUCTION = """\
# Config reference

<!-- Written by `python docs/generate_config.py`; do not edit. -->

Choose a file of a group with `GROUP=CHOICE`, set a key with `KEY=VALUE`. Quote values with brackets
or spaces for the shell: `'data.layout.size=[192,256]'`. `python run.py --help` lists the groups,
`python run.py stage=aspp --cfg job` prints what was decided.

A key is the name of the argument that it feeds. Defaults are those of `conf/`; where the choices of
a group differ, each value names its choices. `${...}` takes a value from elsewhere in the config.
A target from another package takes further arguments, which its own documentation describes.
"""


def reference() -> str:
    """The whole page."""
    parts = [INTRODUCTION, *_top_level()]
    for group in groups():
        parts += _group(group)
    return "\n".join(parts)


def _top_level() -> Iterator[str]:
    """The keys that are in no group."""
    whole, docs = composed(), described(Experiment)
    comments = comments_of(CONF / "config.yaml")
    yield "## Keys outside the groups\n"
    yield from table(
        Row(name, type_text(hint), written(whole[name]), _meaning(name, docs, name, comments))
        for name, hint in hints(Experiment).items()
        if not isinstance(whole[name], dict)
    )


def _group(group: str) -> Iterator[str]:
    """The choices of a group and the keys that they set."""
    choices = choices_of(group)
    if group == "stage":
        before = {choice: composed(f"stage={choice}")["stage"]["previous"] for choice in choices}
        choices = stage_order(before)
    yield f"## {group}\n"
    yield f"| `{group}=` | what |\n|---|---|"
    yield from (f"| `{choice}` | {cell(first_comment(group, choice))} |" for choice in choices)
    yield ""
    if group in SECTIONS:
        yield from _section(group, choices)
        for name in [name for name, hint in hints(SECTIONS[group]).items() if is_node(hint)]:
            yield from _node(f"{group}.{name}", group, choices)
    elif group == "task":
        for choice in choices:
            yield from _task(choice)
    elif group == "callbacks":
        chosen = [composed(f"callbacks={choice}")["callbacks"] for choice in choices]
        for name in dict.fromkeys(name for nodes in chosen for name in nodes):
            yield from _node(f"callbacks.{name}", group, choices)
    elif group not in ("data/classes", "experiment"):
        yield from _node(group, group, choices)
    if group == "data":
        yield from _node("data.layout", group, choices)
    if group == "augmentation":
        for choice in choices:
            yield from _transforms(choice)


def _section(group: str, choices: Sequence[str]) -> Iterator[str]:
    """The keys of a group that are our own."""
    kind = SECTIONS[group]
    docs, comments = described(kind), group_comments(group, choices)
    values = {choice: composed(f"{group}={choice}")[group] for choice in choices}
    yield from table(
        Row(
            f"{group}.{name}",
            type_text(hint),
            by_choice(
                {choice: value[name] for choice, value in values.items()}, choices=len(choices)
            ),
            _meaning(name, docs, f"{group}.{name}", comments),
        )
        for name, hint in hints(kind).items()
        if not is_node(hint)
    )
    for name, hint in hints(kind).items():
        if (inner := section_kind(hint)) is not None:
            yield f"`{group}.{name}`, unless it is null:\n"
            yield from table(_optional_section(f"{group}.{name}", inner))


def _optional_section(path: str, kind: type) -> Iterator[Row]:
    """The keys of a section in a section, which is null in conf/."""
    docs = described(kind)
    for name, parameter in inspect.signature(kind).parameters.items():
        must_be_set = parameter.default is parameter.empty
        default = "must be set" if must_be_set else written(parameter.default)
        yield Row(f"{path}.{name}", type_text(hints(kind)[name]), default, docs[name])


def _node(path: str, group: str, choices: Sequence[str]) -> Iterator[str]:
    """The arguments of every target that the choices of a group give to a node."""
    targets: dict[str, dict[str, Mapping[str, Any]]] = {}
    for choice in choices:
        node = select(composed(f"{group}={choice}"), path)
        if "_target_" in node:
            targets.setdefault(node["_target_"], {})[choice] = node
    comments = group_comments(group, choices)
    for target, nodes in targets.items():
        names = " or ".join(f"`{group}={choice}`" for choice in nodes)
        which = f" with {names}" if len(nodes) < len(choices) else ""
        ours = target.startswith("aerialseg.")
        rows = list((_own if ours else _foreign)(path, target, nodes, comments))
        yield f"`{path}` builds `{target}`{which}" + (":\n" if rows else "; it takes no keys.\n")
        yield from table(rows)


def _own(
    path: str, target: str, nodes: Mapping[str, Mapping[str, Any]], comments: Mapping[str, str]
) -> Iterator[Row]:
    """Every argument of a class or function of ours, except what comes from elsewhere."""
    function = resolve_target(target)
    docs, types = described(function), hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in SUPPLIED.get(path, ()):
            default = None if parameter.default is parameter.empty else parameter.default
            values = {choice: node.get(name, default) for choice, node in nodes.items()}
            meaning = _meaning(name, docs, f"{path}.{name}", comments)
            shown = by_choice(values, choices=len(nodes))
            yield Row(f"{path}.{name}", type_text(types[name]), shown, meaning)


def _foreign(
    path: str, target: str, nodes: Mapping[str, Mapping[str, Any]], comments: Mapping[str, str]
) -> Iterator[Row]:
    """The arguments that conf/ gives to a class of another package."""
    for name in dict.fromkeys(name for node in nodes.values() for name in node):
        if name not in ("_target_", "_partial_", "transforms"):
            values = {choice: node[name] for choice, node in nodes.items() if name in node}
            kind = f"argument of `{target.rpartition('.')[2]}`"
            shown = by_choice(values, choices=len(nodes))
            yield Row(f"{path}.{name}", kind, shown, comments.get(f"{path}.{name}", ""))


def _task(name: str) -> Iterator[str]:
    """The options of a task, which are the arguments of its function."""
    function = find_task(name).function
    docs, comments = described(function), comments_of(CONF / "task" / f"{name}.yaml")
    section = composed(f"task={name}")["task"]
    types = get_type_hints(function, include_extras=True)
    rows = []
    for key, parameter in inspect.signature(function).parameters.items():
        if key != "experiment":
            default = written(section.get(key, parameter.default))
            meaning = _meaning(key, docs, f"task.{key}", comments)
            rows.append(Row(f"task.{key}", type_text(types[key]), default, meaning))
    if rows:
        yield f"With `task={name}`:\n"
        yield from table(rows)


def _transforms(choice: str) -> Iterator[str]:
    """What an augmentation does, in order."""
    transforms = composed(f"augmentation={choice}")["augmentation"]["transforms"]
    if isinstance(transforms, str):
        return  # those of other choices
    comments = group_comments("augmentation", [choice])
    for index, transform in enumerate(transforms):
        path, target = f"augmentation.transforms[{index}]", transform["_target_"]
        yield f"`{path}` builds `{target}` with `augmentation={choice}`:\n"
        yield from table(_foreign(path, target, {choice: transform}, comments))


def _meaning(name: str, docs: Mapping[str, str], path: str, comments: Mapping[str, str]) -> str:
    """The docstring's text, or else the comment in conf/."""
    return docs.get(name) or comments.get(path, "")


if __name__ == "__main__":
    write_text(PAGE, reference())
