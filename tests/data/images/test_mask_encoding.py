import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from aerialseg.classes import ClassTable
from aerialseg.data.images.mask_encoding import MaskEncoding, mask_values_of
from aerialseg.errors import ConfigError

CLASSES = ClassTable(("ground", "roof", "tree"), ((10, 20, 30), (200, 0, 0), (255, 255, 255)))


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({}, {0: 0, 1: 1, 2: 2, 255: 255}),
        ({"ignore_values": [7]}, {0: 0, 1: 1, 2: 2, 7: 255, 255: 255}),
        ({"mask_values": {0: "ground", 255: "roof"}}, {0: 0, 255: 1}),
        ({"mask_values": {0: "tree", 128: "tree", 300: "roof"}}, {0: 2, 128: 2, 300: 1, 255: 255}),
        (
            {"mask_values": {1: "ground", 2: "roof", 3: "tree"}, "ignore_values": [0]},
            {1: 0, 2: 1, 3: 2, 0: 255, 255: 255},
        ),
    ],
)
def test_a_value_is_a_class_or_ignored(arguments, wanted):
    assert MaskEncoding(CLASSES, **arguments).id_of_value == wanted


def test_white_is_ignored_unless_a_class_is_white():
    assert MaskEncoding(CLASSES, "colour").ignored_colours == []
    others = ClassTable(CLASSES.names[:2], CLASSES.colours[:2])
    assert MaskEncoding(others, "colour").ignored_colours == [(255, 255, 255)]
    with_black = MaskEncoding(others, "colour", ignore_values=[[0, 0, 0]])
    assert with_black.ignored_colours == [(0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            {"mask_values": {0: "ground", 255: "rof"}},
            "data.mask_values.255: there is no class 'rof'; did you mean 'roof'?",
        ),
        (
            {"mask_values": {"water": "ground"}},
            "data.mask_values.water: is no value of a mask; wanted a whole number, 0 or more",
        ),
        (
            {"mask_values": {-1: "ground"}},
            "data.mask_values.-1: is no value of a mask; wanted a whole number, 0 or more",
        ),
        (
            {"mask_format": "colour", "mask_values": {0: "ground"}},
            "data.mask_values: is for masks of values, but data.mask_format is colour, where the "
            "class table gives the colours; leave one of the two out",
        ),
        (
            {"ignore_values": [0]},
            "data.ignore_values: 0 is the id of class 'ground'; say which value is which class, "
            "as in 'data.mask_values={1: ground, 2: roof, 3: tree}'",
        ),
        (
            {"mask_values": {0: "ground", 1: "roof"}, "ignore_values": [1]},
            "data.ignore_values: 1 is 'roof' in data.mask_values; leave one of the two out",
        ),
        (
            {"ignore_values": [[0, 0, 0]]},
            "data.ignore_values: [0, 0, 0] is no value of a mask; wanted a whole number, 0 or "
            "more, as data.mask_format is index",
        ),
        (
            {"mask_format": "colour", "ignore_values": [0]},
            "data.ignore_values: 0 is no colour; wanted a colour [red, green, blue], as "
            "data.mask_format is colour",
        ),
        (
            {"mask_format": "colour", "ignore_values": [[0, 0, 256]]},
            "data.ignore_values: [0, 0, 256] is no colour; wanted a colour [red, green, blue], as "
            "data.mask_format is colour",
        ),
        (
            {"mask_format": "colour", "ignore_values": [[200, 0, 0]]},
            "data.ignore_values: [200, 0, 0] is the colour of class 'roof'; change one of the two",
        ),
    ],
)
def test_what_contradicts_itself_is_one_line(arguments, line):
    with pytest.raises(ConfigError) as error:
        MaskEncoding(CLASSES, **arguments)
    assert error.value.problems == (line,)


def test_all_problems_come_at_once():
    with pytest.raises(ConfigError) as error:
        MaskEncoding(CLASSES, mask_values={0: "x", 1: "y"}, ignore_values=[0, -1])
    assert len(error.value.problems) == 4


def test_an_advice_shows_plain_names_without_quotes():
    names = ("ground", "low veg", "roof (flat)", "42")
    assert mask_values_of(range(1, 5), names) == (
        '\'data.mask_values={1: ground, 2: low veg, 3: "roof (flat)", 4: "42"}\''
    )


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ground",
            "low veg",
            "a-b",
            "roof (flat)",
            "42",
            "1e3",
            "Straße",
            "水",
            "it's a car: [1]",
        ),
        *(
            "null",
            "True",
            "nan",
            "inf",
            "no",
            'the "roof"',
            "a\\",
            'a\\"',
            "a\\b",
            "a, b",
            "{x}",
            "é",
        ),
    ],
)
def test_an_advice_can_be_typed_as_it_stands(name):
    (word,) = shlex.split(mask_values_of([1, 2], [name, "b"]))
    assert OverridesParser.create().parse_override(word).value() == {1: name, 2: "b"}
