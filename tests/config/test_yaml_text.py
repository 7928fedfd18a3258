"""What is written as YAML is read back the same, by OmegaConf and by PyYAML's own loader."""

import math
import random
from io import StringIO

import pytest
import yaml
from omegaconf import OmegaConf

from aerialseg.config.yaml_text import yaml_text

MISREAD = [
    *("1e-3", "1E5", "1_000", "1_0.5e3", "2024", "0o7", "0x1F", "0b1", "010", "1:30", "1:30.5"),
    *(".inf", "-.Inf", ".nan", "nan", "inf", "+1", "-0", "-1e-3", ".5", "5.", "1.e3"),
    *("2024-01-02", "12:30:45", "yes", "No", "on", "OFF", "true", "False", "null", "Null", "~"),
    *("", "=", "<<", "- a", "a: b", "a #b", "#a", "!a", "&a", "*a", "@a", "`a", "%a", "|", ">"),
    *("[", "{a}", "?", "-", "---", "...", "--- a", "'", '"', "'a'", "a\\", "\\", " a", "a "),
    *("a\nb", "\n", "a\n\n", "\ta", "\r", "\x85", "\u2028", "\x00", "\x1b", "\x7f", "\ufeff"),
    *("\udc80", "ä", "😀", "a" * 300, "${a}", "${", "$", "$${a}", "\\${a}", "\\\\${a}"),
    *("\\\\\\${a}", "a\\b ${c} \\", "${a}\\${b}", "${oc.env:HOME}", "${${a}}", "a${b"),
    *("}${", "'${a}'", "\\$", "\\{", "$\\{", "{${a}", "${a:1,2}"),
]
PLAIN = [0, 1, -7, 10**20, True, False, None, 0.0, -0.0, 1e-3, 1e-12, 1e22, 0.1 + 0.2, math.inf]


def assert_reads_back(tree):
    text = yaml_text(tree)
    text.encode()
    by_omegaconf = OmegaConf.to_container(OmegaConf.load(StringIO(text)), resolve=True)
    assert same(by_omegaconf, tree), text
    if "${" not in text:
        assert same(yaml.safe_load(text), tree), text


def same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return [*one] == [*other] and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)  # tells -0.0 from 0.0, and nan is nan


@pytest.mark.parametrize("text", MISREAD)
def test_text_that_looks_like_something_else_stays_text(text):
    assert_reads_back({"key": text, "list": [text, [text]], text: {text: text}})


@pytest.mark.parametrize("value", [*PLAIN, math.nan, -math.inf, [], {}, [[]], [{}]])
def test_values_keep_their_types(value):
    assert_reads_back({"key": value, "list": [value, value]})


def random_text(generator):
    pieces = [*MISREAD, *"${}\\'\":#-?&*!|>%@`,[]=~.0123456789eEoxyn_ \n\taä😀"]
    return "".join(generator.choices(pieces, k=generator.randrange(7)))


def random_tree(generator, depth):
    kind = generator.randrange(4 if depth else 2)
    if kind == 2:
        return [random_tree(generator, depth - 1) for _ in range(generator.randrange(4))]
    if kind == 3:
        return random_mapping(generator, depth - 1)
    return generator.choice(PLAIN) if kind else random_text(generator)


def random_mapping(generator, depth):
    return {
        random_text(generator): random_tree(generator, depth) for _ in range(generator.randrange(5))
    }


@pytest.mark.parametrize("seed", range(40))
def test_any_tree_of_plain_values_reads_back(seed):
    generator = random.Random(seed)
    for _ in range(5):
        assert_reads_back(random_mapping(generator, 3))


def test_a_config_reads_as_people_would_write_it():
    tree = {
        "run_name": "default",
        "root": "data/demo",
        "lr": 0.001,
        "size": (64, 96),
        "_target_": "a.B",
    }
    assert yaml_text(tree) == (
        "run_name: default\nroot: data/demo\nlr: 0.001\nsize:\n- 64\n- 96\n_target_: a.B\n"
    )


def test_the_tree_is_left_as_it_is():
    inner = ["${a}"]
    tree = {"a": inner, "b": inner}
    assert "&" not in yaml_text(tree)
    assert tree == {"a": ["${a}"], "b": ["${a}"]}
