"""The architecture page names every room, and no file that is not there."""

import ast
import re

from helpers.pages import ROOT, blocks

PAGE = ROOT / "docs/architecture.md"
TEXT = PAGE.read_text("utf-8")
PACKAGE = ROOT / "src/aerialseg"


def layers():
    """The layers as tests/test_imports.py has them, lowest first."""
    tree = ast.parse((ROOT / "tests/test_imports.py").read_text("utf-8"))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS"
    )
    return ast.literal_eval(value)


def test_the_diagram_has_the_layers_of_the_import_test():
    (diagram,) = blocks(PAGE, "mermaid")
    labels = re.findall(r"\[(.+?)\]|-> (tasks) --> (training)", diagram)
    drawn = [set(re.findall(r"[a-z]+", " ".join(label).replace(".py", ""))) for label in labels]
    drawn = [drawn[0], *({room} for room in ("tasks", "training")), *drawn[2:]]
    for shown, wanted in zip(reversed(drawn), layers(), strict=True):
        assert wanted <= shown


def test_every_room_is_in_the_tree():
    tree = blocks(PAGE, "")[0]
    for path in PACKAGE.iterdir():
        if path.suffix not in ("", ".py"):
            continue
        name = path.name.removesuffix(".py")
        assert name.startswith("__") or re.search(rf"\b{name}\b", tree), name


def test_files_that_are_named_exist():
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", TEXT)
    assert named
    assert [path for path in named if not (PACKAGE / path).exists()] == []


def test_functions_that_are_named_exist():
    named = [
        (PACKAGE / f"{module}.py", name)
        for module, name in re.findall(r"`((?:\w+/)+\w+)\.(\w+)`", TEXT)
        if (PACKAGE / f"{module}.py").exists() and name != "py"
    ]
    assert named
    for path, name in named:
        assert re.search(rf"^(?:def|class) {name}\b", path.read_text("utf-8"), re.MULTILINE), name
