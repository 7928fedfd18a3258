"""`data=joint 'data.sets=[...]'`: the config of each data set, its keys, and what is mistyped."""

import inspect

import pytest
import yaml

from aerialseg.config.joint_sets import _FOR_ALL, as_single
from aerialseg.config.overrides import prepare_overrides
from aerialseg.config.remembered import inherited_overrides
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.notices import OWN_KEYS
from helpers.composing import CONF, composed, lines

JOINT = ("data=joint", "data.sets=[demo,folders]")


def test_each_data_set_has_its_whole_config_and_every_key_can_be_set():
    data = composed(
        *JOINT,
        *("data.parts.folders.root=2024", "data.parts.demo.layout.count=9"),
        "data/classes@data.parts.demo.classes=dubai",
    ).data

    assert data.parts.demo.layout.count == 9
    assert next(iter(data.parts.demo.classes)) == "building"
    assert data.parts.folders.root == "2024"  # a text, as data.root is
    assert data.parts.folders.classes == "2024/classes.yaml"
    assert lines(*JOINT) == []


def test_one_config_may_be_there_twice_under_two_names():
    sets = "data.sets={north: folders, south: folders}"
    data = composed("data=joint", sets, "data.parts.north.root=n").data

    assert [data.parts.north.root, data.parts.south.root] == ["n", "data/folders"]


def test_the_parts_of_a_command_that_is_typed_again_are_added_once():
    recorded = prepare_overrides(JOINT, CONF)
    again = prepare_overrides(recorded, CONF)

    parts = ["+data@data.parts.demo=demo", "+data@data.parts.folders=folders"]
    assert [word for word in recorded if "@" in word] == parts
    assert [word for word in again if "@" in word] == parts


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["data=joint", "data.sets=[demo,aeroscape]"],
            "data.sets: there is no data=aeroscape; did you mean 'aeroscapes'?",
        ),
        (
            ["data=joint", "data.sets=[demo,joint]"],
            "data.sets: there is no data=joint; known: aeroscapes, demo, ",
        ),
        (
            ["data=joint", "data.sets={a b: demo}"],
            "data.sets: 'a b' cannot be the name of a data set; it starts with a letter and has "
            "letters, digits, _ and - only; name it as in '{north: demo}'",
        ),
        (
            ["data=joint"],
            "data.sets: names no data set; choose two or more, as in "
            "'data.sets=[aeroscapes,folders]'",
        ),
        (
            ["data=joint", "data.sets=[demo,demo]"],
            "data.sets: names demo twice; give each a name of its own, as in '{a: demo, b: demo}'",
        ),
        (
            [*JOINT, "data.parts.foldrs.root=x"],
            "data.parts.foldrs: there is no such data set in data.sets; did you mean 'folders'?",
        ),
        (
            [*JOINT, "data.parts.demo.mask_fromat=index"],
            "data.parts.demo.mask_fromat: aerialseg.data.datamodule.AerialSegDataModule takes no "
            "'mask_fromat'; did you mean 'mask_format'?",
        ),
        (
            [*JOINT, "data.parts.demo.val_fraction=2"],
            "data.parts.demo.val_fraction: 2 is out of range, wanted less than 1",
        ),
        (
            [*JOINT, "data.root=x"],
            "data.root: aerialseg.data.joint.joint takes no 'root'",
        ),
    ],
)
def test_what_is_mistyped_is_one_line(words, line):
    (found,) = lines(*words)

    assert found.startswith(f"config error: {line}")


def test_a_file_may_name_the_parts_itself(tmp_path):
    (tmp_path / "data").mkdir()
    content = {
        "defaults": ["joint", "folders@parts.north", "demo@parts.d", "_self_"],
        "parts": {"north": {"root": "n", "map_classes": {"a": "b"}}},
    }
    (tmp_path / "data/both.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    conf = tmp_path / "conf"
    conf.mkdir()
    for path in CONF.iterdir():
        if path.name != "data":
            (conf / path.name).symlink_to(path)
    (conf / "data").mkdir()
    for path in [*(CONF / "data").iterdir(), tmp_path / "data/both.yaml"]:
        (conf / "data" / path.name).symlink_to(path)

    data = composed("data=both", conf=conf).data
    assert [data.parts.north.root, data.parts.d.root] == ["n", "data/demo"]
    assert lines("data=both", conf=conf) == []
    assert lines("data=both", "data.sets=[north]", conf=conf) == []
    (line,) = lines("data=both", "data.sets=[nord]", conf=conf)
    assert "there is no data.parts.nord; did you mean 'north'?" in line


def test_a_later_command_inherits_the_parts_unless_it_chooses_other_data():
    recorded = prepare_overrides([*JOINT, "data.parts.demo.root=d"], CONF)

    assert inherited_overrides(recorded, []) == recorded
    assert inherited_overrides(recorded, ["data=demo"]) == []
    one = inherited_overrides(recorded, ["++data.sets=[demo]"])
    assert one == [word for word in recorded if not word.startswith("++data.sets")]
    assert "++data.parts.demo.root=d" not in inherited_overrides(
        recorded, ["++data.parts.demo.root=e"]
    )


def test_keys_are_of_each_data_set_or_of_all():
    arguments = inspect.signature(AerialSegDataModule).parameters

    assert sorted([*OWN_KEYS, *_FOR_ALL]) == sorted(arguments)
    assert as_single("data.parts.my-set.layout.images") == "data.layout.images"
    assert as_single("data.parts.a") == "data"
    assert as_single("data.partsx") == "data.partsx"
