"""The architecture page names every package, and no file that is not there."""

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
    labels = dict(re.findall(r"(\w+)\[\"?(.+?)\"?\]", diagram))
    arrows = re.sub(r"\[.+?\]", "", diagram).splitlines()[1:]
    drawn = [list(map(str.strip, line.split("-->"))) for line in arrows]
    chain = drawn[0]
    for first, *rest in drawn[1:]:
        assert first == chain[-1]
        chain += rest
    shown = [set(labels.get(name, name).removesuffix(".py").split(" · ")) for name in chain]
    assert shown[::-1] == list(layers())


def test_every_package_is_in_the_tree():
    tree = blocks(PAGE, "")[0]
    for path in [*PACKAGE.glob("*/__init__.py"), *PACKAGE.glob("[!_]*.py")]:
        name = path.parent.name if path.stem == "__init__" else path.stem
        assert re.search(rf"\b{name}\b", tree), name


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
