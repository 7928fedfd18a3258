"""``import aerialseg``: light, and every public name is there when it is asked for."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import aerialseg


def names_for_type_checkers():
    """Names that are imported under ``if TYPE_CHECKING``, with their modules."""
    tree = ast.parse(Path(aerialseg.__file__).read_text(encoding="utf-8"))
    block = next(
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test)[0] == "T"
    )
    return {alias.name: node.module for node in block.body for alias in node.names}


@pytest.mark.parametrize("name", aerialseg.__all__)
def test_a_public_name_is_that_of_its_module(name):
    module = import_module(names_for_type_checkers()[name])
    assert getattr(aerialseg, name) is getattr(module, name)


def test_type_checkers_see_the_same_names():
    assert set(names_for_type_checkers()) == set(aerialseg.__all__)


def test_all_names_are_listed_before_they_are_imported():
    script = "import aerialseg; print(*dir(aerialseg))"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    names = {name for name in found.stdout.split() if not name.startswith("__")}
    assert names == set(aerialseg.__all__), "and nothing that is imported for this package's use"
    assert "__version__" in found.stdout.split()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'aerialseg' has no attribute 'Predicter'"):
        _ = aerialseg.Predicter


def test_the_package_says_that_it_is_typed():
    assert (Path(aerialseg.__file__).parent / "py.typed").is_file()
