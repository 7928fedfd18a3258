"""Values against annotations: words for a person, and the same verdict as pydantic."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

import pytest
from annotated_types import Ge, Gt, Le, Len, Lt
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from aerialseg.config.problems import Problem
from aerialseg.config.types import UNRESOLVED, Node, Nothing
from aerialseg.config.yaml_types import complaints
from aerialseg.errors import did_you_mean

NODE = {"_target_": "torch.nn.ReLU"}


class Shape(Protocol):
    size: int


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (1, int),
        (1, float),
        (1.5, float),
        ("x", str),
        ("a/b", Path),
        (None, None),
        (True, bool),
        (None, int | None),
        ("head", int | str),
        ([1, 2], list[int]),
        ([1, 2], tuple[int, int]),
        ([1, 2, 3], tuple[int, ...]),
        ([], Sequence[str]),
        (["a", ["b"]], list[str | list[str]]),
        ({"car": [1, 2, 3]}, Mapping[str, list[int]]),
        ("mean", Literal["mean", "sum"]),
        (0.5, Annotated[float, Ge(0), Le(1)]),
        ([1.0, 2.0], Annotated[list[float], Len(2, 2)]),
        (None, Annotated[int | None, Gt(0)]),
        ([5], Annotated[int | list[int], Gt(9)]),
        (NODE, Node),
        ({}, Node | Nothing),
        (NODE, Tensor),
        (NODE, Callable[[Path], int]),
        ([NODE], list[Tensor]),
        ("anything", Any),
        ("anything", object),
        ("anything", TypeVar("T")),
        ("anything", Shape),
        ({"no": "target"}, Any),
        (UNRESOLVED, int),
        ([UNRESOLVED, 1], list[int]),
        ([UNRESOLVED, "x"], list[int] | list[str]),
        ({1: [2]}, dict[str, list[int]]),
        ("anything", Annotated[int, Ge(0.5)]),  # pydantic refuses to build it
        ("anything", Annotated[int, []]),  # not hashable
    ],
)
def test_what_fits(value, annotation):
    assert complaints("key", value, annotation) == []


@pytest.mark.parametrize(
    ("value", "annotation", "line"),
    [
        ("1", int, "key: '1' is not a whole number"),
        (1.0, int, "key: 1.0 is not a whole number"),
        (True, int, "key: true is not a whole number"),
        (False, float, "key: false is not a number"),
        (1, bool, "key: 1 is not true or false"),
        (1, str, "key: 1 is not text; as text it needs quotes within quotes, as in 'key=\"1\"'"),
        (None, str, "key: null is not text"),
        (1, Path, "key: 1 is not a path"),
        (1, None, "key: 1 is not null"),
        ("x", list[int], "key: 'x' is not a list"),
        (1, Iterable[int], "key: 1 is not a list"),
        ([1], dict[str, int], "key: [1] is not a mapping"),
        ({"a": 1}, int, "key: a mapping is not a whole number"),
        (NODE, Literal["a"], "key: a mapping is not one of a"),
        (NODE, bool | None, "key: a mapping is not true or false or null"),
        (NODE, Annotated[float, Gt(0)], "key: a mapping is not a number"),
        ({"int": "x"}, dict[str, int] | int, "key.int: 'x' is not a whole number"),
        ({1: ["x"]}, dict[str, list[int]], "key.1[0]: 'x' is not a whole number"),
        (True, Literal[1, 2], "key: true is not one of 1, 2"),
        ("x", int | None, "key: 'x' is not a whole number or null"),
        ("x", float | Tensor, "key: 'x' is not a number"),
        ("x", Tensor, "key: 'x' is not a mapping with a _target_"),
        ("x", timedelta | None, "key: 'x' is not null"),
        ("x", Callable[[], int], "key: 'x' is not a mapping with a _target_"),
        ("x", Node | Nothing, "key: 'x' is not a mapping with a _target_"),
        ({"a": 1}, Node, "key: has no _target_, so nothing can be built from it"),
        (
            {"_traget_": "a"},
            Tensor | None,
            "key: has no _target_, so nothing can be built from it; "
            "did you mean '_target_' by '_traget_'?",
        ),
        ([1, "x"], list[int], "key[1]: 'x' is not a whole number"),
        ([[1], ["x"]], list[list[int]], "key[1][0]: 'x' is not a whole number"),
        ({"a": {"b": "x"}}, dict[str, dict[str, int]], "key.a.b: 'x' is not a whole number"),
        ([1, 2, 3], tuple[int, int], "key: [1, 2, 3] is out of range, wanted 2 values"),
        ([1, "x"], list[int] | int, "key[1]: 'x' is not a whole number"),
        (0, Annotated[int, Gt(0)], "key: 0 is out of range, wanted more than 0"),
        (-1, Annotated[int, Ge(0)] | None, "key: -1 is out of range, wanted 0 or more"),
        (1, Annotated[float, Lt(1)], "key: 1 is out of range, wanted less than 1"),
        (2, Annotated[float, Ge(0), Le(1)], "key: 2 is out of range, wanted 1 or less"),
        (float("nan"), Annotated[float, Gt(0)], "key: nan is not a finite number"),
        ("x", Annotated[int, Gt(0)], "key: 'x' is not a whole number"),
        ([1], Annotated[list[int], Len(2, 3)], "key: [1] is out of range, wanted 2 to 3 values"),
        ("smu", Literal["mean", "sum"], "key: 'smu' is not one of mean, sum; did you mean 'sum'?"),
        (
            "bf61",
            Literal[16, 32] | Literal["bf16"] | None,
            "key: 'bf61' is not one of 16, 32, bf16 or null; did you mean 'bf16'?",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_words(value, annotation, line):
    assert [str(problem) for problem in complaints("key", value, annotation)] == [line]


@pytest.mark.parametrize(
    ("annotation", "options"), [(Literal["a", "b"], "a, b"), (Literal["b", "a"], "b, a")]
)
def test_options_are_listed_in_the_order_of_their_own_annotation(annotation, options):
    assert complaints("key", 1, annotation) == [Problem("key", f"1 is not one of {options}")]


def test_every_wrong_item_is_named():
    found = complaints("key", [1, "x", 2, None], list[int])
    assert found == [
        Problem("key[1]", "'x' is not a whole number"),
        Problem("key[3]", "null is not a whole number"),
    ]


SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, -1.5, 2.0, "a", "b"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=5,
)
LEAVES = st.sampled_from(
    [
        *(bool, int, float, str, None, Literal["a"], Literal["a", "b"]),
        *(Annotated[int, Gt(0)], Annotated[float, Ge(0), Lt(1)]),
    ]
)
ANNOTATIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda a: list[a], inner)
        | st.builds(lambda a: dict[str, a], inner)
        | st.builds(lambda a, b: tuple[a, b], inner, inner)
        | st.builds(lambda a: tuple[a, ...], inner)
        | st.builds(lambda a, b: Annotated[a, ""] | b, inner, inner)
    ),
    max_leaves=4,
)


@given(VALUES, ANNOTATIONS)
@example(2.0, int)
@example(True, float)
def test_the_verdict_is_pydantics(value, annotation):
    # In JSON, where a list may be a tuple, and strictly, where nothing is converted.
    try:
        TypeAdapter(annotation).validate_json(json.dumps(value), strict=True)
        fits = True
    except ValidationError:
        fits = False
    assert (complaints("key", value, annotation) == []) is fits


@given(VALUES, ANNOTATIONS)
def test_problems_are_single_lines_below_the_path(value, annotation):
    for problem in complaints("key", value, annotation):
        assert problem.path.startswith("key")
        assert "\n" not in str(problem)


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("max_epoch", ["max_epochs", "min_epochs"], "; did you mean 'max_epochs'?"),
        ("prob", ["p", "limit"], "; did you mean 'p'?"),
        ("apss", ["head", "aspp"], "; did you mean 'aspp'?"),
        ("unet", ["deeplabv3_resnet50", "unet_resnet18"], "; did you mean 'unet_resnet18'?"),
        ("zzz", ["b", "a"], "; known: a, b"),
        ("zzz", [], ""),
        ("zzz", [f"name{i}" for i in range(60)], ""),
    ],
)
def test_did_you_mean(name, known, hint):
    assert did_you_mean(name, known) == hint


@given(st.sampled_from(["learning_rate", "batch_size", "epochs", "monitor"]), st.data())
def test_one_slip_of_the_finger_is_understood(name, data):
    place = data.draw(st.integers(0, len(name) - 2))
    slips = {
        "left out": name[:place] + name[place + 1 :],
        "twice": name[:place] + name[place] + name[place:],
        "swapped": name[:place] + name[place + 1] + name[place] + name[place + 2 :],
    }
    known = ["learning_rate", "batch_size", "epochs", "monitor", "seed", "root"]
    for slip in slips.values():
        assert did_you_mean(slip, known) == f"; did you mean '{name}'?"
