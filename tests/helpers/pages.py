"""The pages for people: their links, blocks and commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:python run\.py|\./multirun_stages\.sh) [^`\n]+")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [text for kind, text in _BLOCK.findall(page.read_text("utf-8")) if kind == language]


def files_in(page: Path) -> dict[str, str]:
    """The blocks that are introduced as a file: its path and its content."""
    return dict(_FILE.findall(page.read_text("utf-8")))


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text("utf-8"))


def commands(page: Path) -> Iterator[list[str]]:
    """The arguments of every command of ours on a page, comments left out.

    Lines that show what a shell printed begin with ``$``; theirs are not among them.
    """
    text = page.read_text("utf-8").replace("\\\n", " ").replace("\\|", "|")
    for line in text.splitlines():
        if not line.startswith("$ "):
            for command in _COMMAND.findall(line):
                words = shlex.split(command, comments=True)
                words = words[: words.index("&&")] if "&&" in words else words
                is_script = words[0].startswith("./")
                yield ["task=curriculum", *words[1:]] if is_script else words[2:]
