"""Every line that the page quotes is one that the source prints."""

import ast
import re

import pytest

from aerialseg import errors
from helpers.pages import ROOT, blocks

PAGE = ROOT / "docs/troubleshooting.md"
QUOTED = [line for block in blocks(PAGE, "text") for line in block.splitlines()]
QUOTED = [line for line in QUOTED if not line.startswith("zsh: ")]
LABELS = [kind.label for kind in vars(errors).values() if hasattr(kind, "label")]
HOLE = "\0"  # stands for what a message fills in


def texts_of(node):
    """A string constant, or an f-string with holes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[sd]|\{[^}]*\}", HOLE, node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(texts_of(part) or HOLE for part in node.values)
    return None


def source_texts():
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "src").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return "\n".join(text for node in nodes if (text := texts_of(node)))


SOURCE = source_texts()


def constant_parts(line):
    """A quoted line without its label, its key and what stands for names and numbers."""
    line = re.sub(rf"^(?:{'|'.join(LABELS)}): ", "", line)
    line = re.sub(r"^(?:[a-z_.]+|<[a-z]+>): ", "", line)
    parts = re.split(r"<[^>]*>|\.\.\.|; |=", line)
    return [part.strip(" ,.:;()'?`") for part in parts]


@pytest.mark.parametrize("line", QUOTED)
def test_every_quoted_line_is_in_the_source(line):
    parts = [part for part in constant_parts(line) if len(part) > 3]
    assert max(map(len, parts)) > 8, "nothing of the line is constant"
    assert [part for part in parts if part not in SOURCE] == []


def test_the_page_has_twenty_messages():
    assert len(re.findall(r"^### ", PAGE.read_text("utf-8"), re.MULTILINE)) >= 20
