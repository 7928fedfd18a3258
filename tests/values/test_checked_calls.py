"""Calls from Python against the annotations of what is called."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import numpy as np
import pytest
from annotated_types import Ge, Gt, Lt

from aerialseg.values.checked_calls import checked


@checked
def part(
    size: Annotated[int, Ge(1)] | None,
    *,
    share: Annotated[float, Gt(0), Lt(1)] = 0.5,
    mode: Literal["min", "max"] = "max",
    samples: Literal["train", "val"] | Sequence[int] = (),
    place: str | Path = "here",
    table: Mapping[str, int] | None = None,
    layout: Callable[[], int] = int,
    is_mask: bool = False,
):
    """Does nothing."""
    return size


@pytest.mark.parametrize(
    "given",
    [
        {"share": np.float32(0.25)},
        {"mode": "min"},
        {"samples": "val"},
        {"samples": [1, 2]},
        {"samples": np.arange(3)},
        {"place": Path("there")},
        {"table": {"a": 1}},
        {"layout": lambda: 1},
        {"is_mask": True},
        {"is_mask": np.bool_(True)},
    ],
)
def test_what_fits_is_handed_on_as_it_is(given):
    assert part(3, **given) == 3


@pytest.mark.parametrize("size", [1, None, np.int64(7), np.uint8(7)])
def test_the_result_is_that_of_the_function(size):
    assert part(size) is size


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"size": 0}, "size: 0 is out of range, wanted 1 or more"),
        ({"size": np.int64(0)}, "size: 0 is out of range, wanted 1 or more"),
        ({"size": "48"}, "size: '48' is not a whole number"),
        ({"size": 2.5}, "size: 2.5 is not a whole number"),
        ({"size": True}, "size: True is not a whole number"),
        ({"share": 1}, "share: 1 is out of range, wanted less than 1"),
        ({"share": None}, "share: None is not a number"),
        ({"mode": "maximum"}, "mode: 'maximum' is not one of min, max; did you mean 'max'?"),
        ({"samples": "vall"}, "samples: 'vall' is not a list or one of train, val; did you mean"),
        ({"place": 5}, "place: 5 is not of type Path or text"),
        ({"table": 5}, "table: 5 is not a mapping"),
        ({"layout": "kaggle"}, "layout: 'kaggle' is not a function"),
        ({"is_mask": 1}, "is_mask: 1 is not True or False"),
        ({"is_mask": None}, "is_mask: None is not True or False"),
    ],
)
def test_what_does_not_fit_is_named_with_its_value(given, line):
    with pytest.raises(ValueError, match="^" + line.replace("?", r"\?")):
        part(**({"size": 1} | given))


def test_positional_arguments_are_checked_too_and_all_are_named_at_once():
    with pytest.raises(ValueError, match="is not") as error:
        part("x", mode=1)
    assert str(error.value).splitlines() == [
        "size: 'x' is not a whole number",
        "mode: 1 is not one of min, max",
    ]


def test_arguments_that_python_refuses_stay_type_errors():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'size'"):
        part()
    with pytest.raises(TypeError, match="unexpected keyword argument 'sise'"):
        part(1, sise=2)


def test_methods_are_checked_and_signature_and_annotations_stay():
    class Thing:
        def plain(self, size: Annotated[int, Ge(1)] = 2) -> int:
            """Gives the size."""
            return size

        method = checked(plain)

    assert Thing().method(3) == 3
    with pytest.raises(ValueError, match="size: 0 is out of range"):
        Thing().method(0)
    assert inspect.signature(Thing.method) == inspect.signature(Thing.plain)
    assert get_type_hints(Thing.method, include_extras=True) == get_type_hints(
        Thing.plain, include_extras=True
    )
    assert Thing.method.__doc__ == "Gives the size."
