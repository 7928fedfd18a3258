"""What conf/ says: groups, choices, composed values, and the comments beside keys."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

CONF = Path(__file__).parents[2] / "conf"

_COMMAND = re.compile(r"((?:python run\.py|\./multirun_stages\.sh)[^)`]*)$")


@cache
def composed(*overrides: str) -> dict[str, Any]:
    """The config of some choices, with its interpolations as they are written."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        content: Any = OmegaConf.to_container(compose("config", list(overrides)), resolve=False)
    return dict(content)


def groups() -> list[str]:
    """The groups in the order of the defaults list."""
    names = [name for name in _defaults() if not name.startswith("override ")]
    names.insert(names.index("data") + 1, "data/classes")
    return names


def choices_of(group: str) -> list[str]:
    """The choices of a group; its default first."""
    names = sorted(path.stem for path in (CONF / group).glob("*.yaml") if path.stem[0] != "_")
    return sorted(names, key=lambda name: name != _defaults().get(group))


def first_comment(group: str, choice: str) -> str:
    """The first sentence of a file's comments, its command as code."""
    lines = (CONF / group / f"{choice}.yaml").read_text(encoding="utf-8").splitlines()
    header = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    header = [line for line in header if "@package" not in line]
    text = header.pop(0)
    while header and not (text.endswith(".") or _COMMAND.search(text)):
        text = f"{text} {header.pop(0)}"
    return _COMMAND.sub(r"`\1`", text)


def group_comments(group: str, choices: Iterable[str]) -> dict[str, str]:
    """The comments at the keys of a group, by path; those of the first choices win."""
    found = comments_of(CONF / "config.yaml")
    for choice in ("_base", *reversed(list(choices))):
        path = CONF / group / f"{choice}.yaml"
        if path.is_file():
            found |= {f"{group}.{key}": text for key, text in comments_of(path).items()}
    return found


def comments_of(path: Path) -> dict[str, str]:
    """By path of the key, the comment behind its value, or else the one above it."""
    text = path.read_text(encoding="utf-8")
    root = yaml.compose(text, yaml.SafeLoader)
    return {} if root is None else dict(_comments(root, text.splitlines(), ""))


def select(content: Any, path: str) -> Any:  # noqa: ANN401 - plain data
    """The value at a dotted path."""
    for key in path.split("."):
        content = content.get(key, {})  # a choice may have no such node
    return content


@cache
def _defaults() -> dict[str, str]:
    """By group, the choice in the defaults list."""
    content = yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8"))
    entries = [entry for entry in content["defaults"] if isinstance(entry, dict)]
    return {group: choice for entry in entries for group, choice in entry.items()}


def _comments(node: yaml.Node, lines: Sequence[str], path: str) -> Iterator[tuple[str, str]]:
    """Path and comment of every key in a node."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _comments(item, lines, f"{path}[{index}]")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{path}.{key.value}".lstrip(".")
            on_lines = isinstance(value, yaml.CollectionNode) and not value.flow_style
            end = key.end_mark if on_lines else value.end_mark
            behind = lines[end.line][end.column :].partition("# ")[2].strip()
            if text := behind or _above(lines, key.start_mark.line):
                yield inner, text
            yield from _comments(value, lines, inner)


def _above(lines: Sequence[str], number: int) -> str:
    """The comment right above a line, unless it is the header of the file."""
    first = number
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    block = [line.strip().removeprefix("# ") for line in lines[first:number]]
    return " ".join(block) if first > 0 else ""
