import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aerialseg.classes import IGNORE_COLOUR, IGNORE_INDEX, ClassTable
from aerialseg.errors import DataError

TABLE = {"ground": [0, 0, 0], "car": [200, 0, 0], "tree": [0, 200, 0]}


def problems_of(build, *arguments):
    with pytest.raises(DataError) as error:
        build(*arguments)
    assert not any("\n" in line for line in error.value.problems)
    return error.value.problems


def written(tmp_path, content):
    path = tmp_path / "classes.yaml"
    path.write_text(content, encoding="utf-8")
    return path


def test_an_id_is_an_index_into_the_table():
    table = ClassTable.from_mapping(TABLE)
    assert table.names == ("ground", "car", "tree")
    assert table.colours == ((0, 0, 0), (200, 0, 0), (0, 200, 0))
    assert len(table) == 3
    assert table.to_mapping() == TABLE
    assert list(table.to_mapping()) == list(TABLE)


colour = st.tuples(*[st.integers(0, 255)] * 3)
tables = st.lists(colour, min_size=1, max_size=255, unique=True).map(
    lambda colours: {f"class {index}": list(rgb) for index, rgb in enumerate(colours)}
)


@given(tables)
def test_every_valid_table_survives_a_round_trip_and_paints_its_ids(mapping):
    table = ClassTable.from_mapping(mapping)
    assert table.to_mapping() == mapping
    assert table == ClassTable.from_mapping(table.to_mapping())
    assert table.palette.shape == (256, 3)
    assert table.palette.dtype == np.uint8
    assert table.palette[: len(table)].tolist() == list(mapping.values())
    assert (table.palette[len(table) :] == IGNORE_COLOUR).all()
    assert tuple(table.palette[IGNORE_INDEX]) == IGNORE_COLOUR


def test_a_table_is_read_from_yaml(tmp_path):
    path = written(tmp_path, "# ids are indices\nStraße: [1, 2, 3]\ncar: [4, 5, 6]\n")
    assert ClassTable.read(path) == ClassTable(("Straße", "car"), ((1, 2, 3), (4, 5, 6)))
    assert ClassTable.read(str(path)) == ClassTable.read(path)


@pytest.mark.parametrize(
    "value",
    [
        [0, 0],
        [0, 0, 0, 0],
        [0, 0, 256],
        [0, 0, -1],
        [0.5, 0, 0],
        "red",
        "#ff0000",
        7,
        None,
        [True] * 3,
    ],
)
def test_a_colour_is_three_whole_numbers(value):
    (line,) = problems_of(ClassTable.from_mapping, TABLE | {"boat": value})
    assert line == (
        f"class table: the colour of 'boat' is {value!r}; "
        "write three whole numbers from 0 to 255, as in [192, 128, 128]"
    )


def test_every_duplicate_is_named_with_its_ids():
    colours = ((0, 0, 0), (9, 9, 9), (0, 0, 0), (9, 9, 9))
    assert problems_of(ClassTable, ("a", "b", "c", "a"), colours) == (
        "class table: name 'a' is used by ids 0, 3; each needs its own",
        "class table: colour (0, 0, 0) is used by ids 0, 2; each needs its own",
        "class table: colour (9, 9, 9) is used by ids 1, 3; each needs its own",
    )


def test_a_class_may_be_white():
    table = ClassTable.from_mapping(TABLE | {"snow": [255, 255, 255]})
    assert table.colours[3] == IGNORE_COLOUR


@pytest.mark.parametrize("count", [0, 256])
def test_a_table_holds_1_to_255_classes(count):
    mapping = {f"class {i}": [i // 16, i % 16, 0] for i in range(count)}
    (line,) = problems_of(ClassTable.from_mapping, mapping)
    assert f"has {count} names and {count} colours" in line


def test_there_are_as_many_names_as_colours():
    (line,) = problems_of(ClassTable, ("a", "b"), ((0, 0, 0),))
    assert "has 2 names and 1 colours" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- [0, 0, 0]\n", "line 1 is '- [0, 0, 0]', which is not a class with its colour"),
        ("- 7\n", "holds [7]; write one line per class"),
        ("", "is empty; write one line per class"),
        ("# names\n", "is empty; write one line per class"),
        ("a: [0, 0\n", "line 1 is 'a: [0, 0'"),
        ("a: [0, 0, 0]\n# b\n\nc [1, 1, 1]\n", "line 4 is 'c [1, 1, 1]'"),
        ("c [1, 1, 1]\n", "line 1 is 'c [1, 1, 1]'"),
        ("a: [0, 0, 0] ...\n", "line 1 is 'a: [0, 0, 0] ...'"),
        ("a: [0, 0, 0]\n...\nb: [1, 1, 1]\n", "line 2 is '...'"),
        ("a:\n- 0\n- 0\n- 0\n\tb: [1, 1, 1]\n", "cannot be read as YAML"),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1 is 'a: !!python"),
        ("car: [1, 1, 1]\nboat: [2, 2, 2]\ncar: [3, 3, 3]\n", "name 'car' appears twice"),
    ],
)
def test_a_file_that_is_not_a_table_is_named(tmp_path, content, said):
    path = written(tmp_path, content)
    (line,) = problems_of(ClassTable.read, path)
    assert line.startswith(f"class table {path}: ")
    assert said in line


def test_a_missing_file_says_what_to_write(tmp_path):
    (line,) = problems_of(ClassTable.read, tmp_path / "classes.yaml")
    assert line == (
        f"class table {tmp_path}/classes.yaml: no such file; write one line per class in the "
        "order of the mask ids, as in `person: [192, 128, 128]`"
    )


def test_a_file_that_is_not_text_is_named(tmp_path):
    path = tmp_path / "classes.yaml"
    path.write_bytes(b"\xff\xfe\x00\xd8")
    (line,) = problems_of(ClassTable.read, path)
    assert "cannot be read as YAML" in line


@given(tables)
def test_what_yaml_writes_is_read_back(mapping):
    text = yaml.safe_dump(mapping, sort_keys=False)
    assert ClassTable.from_mapping(yaml.safe_load(text)).to_mapping() == mapping
