"""Whatever text stands in a CSV or YAML file, it is read, or refused in lines that say why."""

import csv
import os.path
from io import StringIO
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aerialseg.classes import ClassTable
from aerialseg.config.yaml_files import check_files
from aerialseg.data.layouts import kaggle
from aerialseg.data.layouts.tables import read_id_column, read_id_lines, read_rows
from aerialseg.errors import AerialsegError, ConfigError, DataError

FORMULAS = ["=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "NA", "007", "1e5", "nan", "true"]


def some_text(*words):
    """Texts of words that matter to a parser, and of anything else."""
    return st.lists(st.sampled_from(words) | st.text(max_size=4), max_size=20).map("".join)


tables = some_text(
    "ImageID", ",", '"', "\n", "\r\n", "\r", "../", "/", "a", "\0", "\ufeff", "\u2028"
)
documents = some_text(
    *(": ", "\n", "  ", "- ", "[", "]", "{", "}", "&a ", "*a", "!!int ", "!!timestamp ", "? ", "#"),
    *("'", '"', "|", ">", "<<: ", "%", "---\n", "~", "yes", "2001-99-99", "0x", "1:60", "a", "b"),
    *("a: [1, 2, 3]\n", "defaults:\n", "  - override /data: x\n", "!!python/name:os ", "\\ud800"),
)
content = st.binary(max_size=60)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("conf") / "text.yaml"


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return path


def outcome(read, argument, error_type):
    """What is read; None if it is refused, then as it should be."""
    try:
        return read(argument)
    except AerialsegError as caught:
        error = caught
    assert type(error) is error_type
    assert error.problems
    for line in error.problems:
        assert len(line.splitlines()) == 1
        assert len(line) < 1000
    return None


@given(tables | content)
@example("ImageID\n\n")
def test_any_table_is_read_or_refused(path, text):
    write(path, text)
    for read in (read_id_column, read_id_lines):
        for key in outcome(read, path, DataError) or ():
            joined = os.path.normpath(os.path.join("/folder", key))  # noqa: PTH118 - another way
            assert joined.startswith("/folder/") or joined == "/folder"
            assert key == key.strip()
            assert len(key.splitlines()) == 1
    rows = outcome(read_rows, path, DataError)
    assert rows is None or all(row for _, row in rows)


@given(st.lists(st.sampled_from(FORMULAS) | st.text("ab=+-@;'_", min_size=1), unique=True))
def test_ids_are_text_to_the_letter(path, ids):
    buffer = StringIO(newline="")
    csv.writer(buffer).writerows([("Note", "ImageID"), *(("n", key) for key in ids)])
    write(path, "\ufeff" + buffer.getvalue())
    assert list(read_id_column(path)) == ids
    write(path, "\n".join(ids))
    assert list(read_id_lines(path)) == ids


@given(tables)
def test_any_table_in_its_place_is_refused_for_the_images_it_lacks(tmp_path_factory, text):
    root = tmp_path_factory.getbasetemp() / "kaggle"
    for folder in ("imgs/imgs", "masks/masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    write(root / "train.csv", text)
    assert outcome(lambda place: kaggle(place, place / "cache"), root, DataError) is None


@given(documents | content)
@example("a: &a [*a]")
@example("a: &a [1]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]")
def test_any_class_table_is_read_or_refused(path, text):
    table = outcome(ClassTable.read, write(path, text), DataError)
    if table is not None:
        assert ClassTable.from_mapping(table.to_mapping()) == table
        assert all(name.isprintable() and name.strip() for name in table.names)


@given(documents | content)
@example("? [a]\n: 1")
@example("a: &a [*a]")
@example("defaults:\n  - {}\n  - [a b]\n  - {[a]: b}")
@example(
    "a: &a []\n"
    + "".join(f"{i}: &{i} [*{p},*{p},*{p}]\n" for p, i in pairwise("abcdefghijklmnopqrstuvwxyz"))
)
def test_any_config_file_is_sound_or_refused(path, text):
    assert outcome(check_files, write(path, text).parent, ConfigError) is None
