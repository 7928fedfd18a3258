import ntpath
import posixpath
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerialseg.storage.names import (
    as_folder_name,
    fits_windows,
    folder_name_problem,
    is_folder_name,
    stays_inside,
)

DEVICES = ["CON", "nul", "Aux.txt", "COM1", "lpt9.tar.gz", "COM¹", "CONIN$", "NUL .txt"]


@pytest.mark.parametrize("name", ["default", "a b", "v1.2", "stage.epochs=3,seed=1", "Ünï", ".x"])
def test_names_that_every_system_allows(name):
    assert is_folder_name(name)
    assert fits_windows(name)
    assert as_folder_name(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is not a name"),
        ("..", "is not a name"),
        ("a/b", "has /, which not every system allows in names"),
        ("a\\b", "has \\, which not every system allows in names"),
        ("C:x", "has :, which"),
        ("what?*", "has * ?, which"),
        ("a\nb", "has a character that cannot be printed"),
        ("a.", "begins or ends with a space, or ends with a dot"),
        (" a", "begins or ends with a space, or ends with a dot"),
        *((name, "is the name of a device on Windows") for name in DEVICES),
        ("x" * 201, "has 201 bytes, wanted at most 200"),
        ("ü" * 101, "has 202 bytes, wanted at most 200"),
    ],
)
def test_names_that_some_system_does_not_allow(name, words):
    assert not is_folder_name(name)
    assert folder_name_problem(name).startswith(words)


def test_devices_are_those_that_python_knows():
    """``isreserved`` came with Python 3.13, ``is_reserved`` went with 3.15."""
    for name in [*DEVICES, "COM0", "CONSOLE", "nullify", "x.nul", "COM10", "LPT"]:
        if hasattr(ntpath, "isreserved"):
            known = ntpath.isreserved(name)
        else:
            known = PureWindowsPath(name).is_reserved()
        assert known == (not fits_windows(name)), name


@given(st.text(max_size=300))
def test_every_text_becomes_a_name_that_stays_where_it_is(text):
    name = as_folder_name(text)
    assert is_folder_name(name)
    for path, system in ((PurePosixPath(name), posixpath), (PureWindowsPath(name), ntpath)):
        assert path.parts == (name,)
        assert system.basename(name) == name


def test_two_texts_never_become_one_name():
    texts = ["a/b", "a:b", "a_b", "a?b", "a b ", f"{'x' * 300}1", f"{'x' * 300}2", "?", "*"]
    assert len({as_folder_name(text) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("imgs/a.jpg", True),
        ("imgs/", True),
        ("./a", True),
        ("imgs/a:b.jpg", False),
        ("aux/a.jpg", False),
        ("dir./a.jpg", False),
    ],
)
def test_paths_that_windows_allows(path, fits):
    assert fits_windows(path) == fits


@pytest.mark.parametrize("path", ["../x", "/x", "C:x", "a\\..\\..\\x", "\\\\server\\share\\x"])
def test_paths_that_lead_out_on_any_system(path):
    assert not stays_inside(path)
