"""Checks of the YAML files: mistakes that Hydra ignores or reports with a traceback."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from aerialseg.config.problems import Problem
from aerialseg.errors import ConfigError, did_you_mean

# The C loader reads the whole tree in a few milliseconds; not every PyYAML build has it.
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_files(conf_dir: Path) -> None:
    """Checks the syntax of every YAML file of a config tree.

    Raises:
        ConfigError: If a file is not YAML, has a duplicate key, has an unknown keyword in its
            defaults list, or is an experiment without ``@package _global_``.
    """
    problems = [
        Problem(path.relative_to(conf_dir.parent).as_posix(), text)
        for path in sorted(conf_dir.rglob("*.yaml"))
        for text in _file_problems(path)
    ]
    if problems:
        raise ConfigError(*map(str, problems))


def _file_problems(path: Path) -> Iterator[str]:
    """The problems of one file, each with its line number."""
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
    if path.parent.name == "experiment" and not re.search(_PACKAGE, text, re.MULTILINE):
        yield "an experiment needs the line '# @package _global_' to reach the other groups"


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
