"""Checks of the YAML files: mistakes that Hydra ignores or reports with a traceback."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import yaml

from aerialseg.config.problems import Problem
from aerialseg.config.schema import Experiment, Recipe
from aerialseg.errors import ConfigError, did_you_mean

# The C loader reads the whole tree in a few milliseconds; not every PyYAML build has it.
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_files(conf_dir: Path) -> None:
    """Checks the syntax of every YAML file of a config tree.

    Raises:
        ConfigError: If a file is not YAML, has a duplicate key, has an unknown keyword in its
            defaults list, or says something of other groups without ``@package _global_``.
    """
    problems = [
        Problem(path.relative_to(conf_dir.parent).as_posix(), text)
        for path in sorted(conf_dir.rglob("*.yaml"))
        for text in _file_problems(path, group=path.relative_to(conf_dir).parent.as_posix())
    ]
    if problems:
        raise ConfigError(*map(str, problems))


def _file_problems(path: Path, *, group: str) -> Iterator[str]:
    """The problems of one file of a group, each with its line number."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        root = _compose(text)
        yield from _repeated_keys(root, set())
        yield from _misspelt_defaults(root)
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        reason = "is nested too deep" if isinstance(error, RecursionError) else None
        reason = reason or getattr(error, "problem", None) or "cannot be read as UTF-8 text"
        here = text.splitlines()[mark.line : mark.line + 1] if mark else []
        hint = "; a text that begins with { needs quotes" if any(map(_BRACE.search, here)) else ""
        yield f"{line}is not YAML: {reason}{hint}"
        return
    if re.search(_PACKAGE, text, re.MULTILINE):
        return
    if path.parent.name == "experiment":
        yield "an experiment needs the line '# @package _global_' to reach the other groups"
    elif key := _key_of_another_group(root, group):
        yield f"add '# @package _global_' as its first line, or its {key} would be {group}.{key}"


def _key_of_another_group(root: yaml.Node | None, group: str) -> str:
    """A key at the top of a file that its group cannot have; empty if there is none.

    A group holds no section of its own name, except as an argument of what it builds; a recipe,
    which is ours, no section of any other group.
    """
    top = root.value if isinstance(root, yaml.MappingNode) else []
    keys = [key.value for key, _ in top if isinstance(key, yaml.ScalarNode)]
    if "_target_" in keys:
        return ""
    refused = {group}
    if group == "recipe":
        refused |= {field.name for field in fields(Experiment)}
        refused -= {field.name for field in fields(Recipe)}
    return next((key for key in keys if key in refused), "")


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, _FAST_LOADER)
    except yaml.YAMLError:
        return yaml.compose(text, yaml.SafeLoader)  # the loader that Hydra uses decides


def _repeated_keys(node: yaml.Node | None, visited: set[int]) -> Iterator[str]:
    """Keys that occur twice in one mapping, at any depth."""
    if id(node) in visited:  # an alias, which may even contain itself
        return
    visited.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield f"line {key.start_mark.line + 1}: has {key.value!r} twice"
                seen.add(key.value)
            yield from _repeated_keys(value, visited)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, visited)


def _misspelt_defaults(root: yaml.Node | None) -> Iterator[str]:
    """Misspelt keywords: Hydra takes ``overide /data`` for the name of a group."""
    top = root.value if isinstance(root, yaml.MappingNode) else []
    lists = [value for key, value in top if key.value == "defaults"]
    items = [item for node in lists if isinstance(node, yaml.SequenceNode) for item in node.value]
    for item in items:
        key = item.value[0][0] if isinstance(item, yaml.MappingNode) and item.value else item
        if not isinstance(key, yaml.ScalarNode):
            continue
        word, _, _ = key.value.rpartition(" ")
        if word not in ("", "override", "optional"):
            line = key.start_mark.line + 1
            yield f"line {line}: defaults: {key.value!r}{did_you_mean(word, _WORDS)}"


_BRACE = re.compile(r":\s+\{[^}]*\}[^\s#]")
"""A value such as ``{stem}_lab.png``, which would be a mapping with something behind it."""
_PACKAGE = r"^# *@package _global_"
_WORDS = ("override", "optional")
