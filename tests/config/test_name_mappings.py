"""Mappings of names on the command line: every name as it stands."""

import pytest
from omegaconf import OmegaConf

from aerialseg.config.name_mappings import as_interpolation, read_names
from aerialseg.config.texts import in_quotes, parse_override
from helpers.composing import experiment

TYPED = {
    "{car: vehicle, tree: null}": {"car": "vehicle", "tree": None},
    "{Straße: Weg, 水: null}": {"Straße": "Weg", "水": None},
    "{1: one, 1e3: two, 007: 0}": {"1": "one", "1e3": "two", "007": "0"},
    "{true: 'null', null: no}": {"true": "null", "null": "no"},
    "{'roof, flat': a_b}": {"roof, flat": "a_b"},
    r"{roof\, flat: a b}": {"roof, flat": "a b"},
    """{'it''s a "car": [1]': '${seed} & 50% = x'}""": {'it\'s a "car": [1]': "${seed} & 50% = x"},
    "{}": {},
}


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("key", ["data.map_classes", "stage.renamed_classes"])
def test_names_are_read_as_they_stand(key, typed):
    config = experiment("data=folders", f"{key}={typed}")
    found = config.data["map_classes"] if key[0] == "d" else config.stage.renamed_classes
    assert found == TYPED[typed]
    assert all(isinstance(name, str) for name in found)


def test_names_of_one_of_several_data_sets_are_read_as_they_stand():
    typed = ["data=joint", "data.sets={a: folders, b: folders}", "data.parts.b.map_classes={1: 水}"]
    assert experiment(*typed).data["parts"]["b"]["map_classes"] == {"1": "水"}


@pytest.mark.parametrize("text", ["[a]", "{a: {b: c}}", "{a: b, a: c}", "{a", "a"])
def test_what_is_no_mapping_of_names_is_left_to_others(text):
    assert read_names(text) is None


@pytest.mark.parametrize("names", TYPED.values())
def test_an_interpolation_may_be_recorded_and_read_again(names):
    recorded = OmegaConf.create({"overrides": [f"key={in_quotes(as_interpolation(names))}"]})
    (override,) = OmegaConf.to_container(OmegaConf.create(OmegaConf.to_yaml(recorded)))["overrides"]
    value = parse_override(override).value()
    assert OmegaConf.to_container(OmegaConf.create({"key": value}), resolve=True)["key"] == names
