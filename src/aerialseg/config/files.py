"""The YAML files themselves: what Hydra would meet with a traceback, or silently pass."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from aerialseg.config.problems import Problem, did_you_mean
from aerialseg.errors import ConfigError

# Reads the whole tree in a few milliseconds; not every build of PyYAML has it.
_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_files(conf_dir: Path) -> None:
    """Checks the form of every YAML file of a config tree.

    Raises:
        ConfigError: If a file is not YAML, has a key twice, has a word in its defaults list that
            Hydra does not know, or is an experiment that would not reach the other groups.
    """
    problems = [
        Problem(f"{path.relative_to(conf_dir.parent)}", text)
        for path in sorted(conf_dir.rglob("*.yaml"))
        for text in _file_problems(path.read_text(encoding="utf-8"), path.parent.name)
    ]
    if problems:
        raise ConfigError(*map(str, problems))


def _file_problems(text: str, group: str) -> Iterator[str]:
    try:
        root = _compose(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        yield f"{line}is not YAML: {getattr(error, 'problem', None) or 'cannot be read as text'}"
        return
    if isinstance(root, yaml.MappingNode):
        yield from _repeated_keys(root)
        yield from _misspelt_defaults(root)
    if group == "experiment" and not re.search(r"^# *@package _global_", text, re.MULTILINE):
        yield "an experiment needs the line '# @package _global_' to reach the other groups"


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, _QUICK)
    except yaml.YAMLError:
        return yaml.compose(text, yaml.SafeLoader)  # Hydra's own has the last word


def _repeated_keys(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield f"line {key.start_mark.line + 1}: has '{key.value}' twice"
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _misspelt_defaults(root: yaml.MappingNode) -> Iterator[str]:
    """Hydra takes ``overide /data`` for the name of a group."""
    lists = [value.value for key, value in root.value if key.value == "defaults"]
    for item in (item for entries in lists if isinstance(entries, list) for item in entries):
        key = item.value[0][0] if isinstance(item, yaml.MappingNode) else item
        word, _, group = key.value.rpartition(" ")
        if word not in ("", "override", "optional"):
            line = key.start_mark.line + 1
            yield f"line {line}: defaults: '{word} {group}'{did_you_mean(word, _WORDS)}"


_WORDS = ("override", "optional")
