"""Signatures of ours and of others as the schema of a node."""

import inspect

import albumentations
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from aerialseg.config import signatures
from aerialseg.config.signatures import schema_problems
from aerialseg.config.tasks import find_task
from aerialseg.config.yaml_types import complaints
from aerialseg.errors import ConfigError
from aerialseg.tasks.check import check


def part(
    size: int,
    *,
    name: str = None,  # noqa: RUF013 - as others leave the null out
    count: int = 1,
):
    """Something to be built."""


def anything(depth: int = 1, **rest: object):
    """Takes any keyword."""


@pytest.fixture
def found(monkeypatch):
    """The lines about a node of one of the two functions above."""
    targets = {"aerialseg.part": part, "aerialseg.anything": anything}
    monkeypatch.setattr(signatures, "resolve_target", targets.__getitem__)

    def lines(name, /, path="node", **values):
        node = {"_target_": f"aerialseg.{name}", **values}
        return [str(p) for p in schema_problems({path: node}) if p.path.startswith(f"{path}.")]

    return lines


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"size": 1}, []),
        ({"size": 1, "name": None, "count": 1}, []),
        ({}, ["node.size: aerialseg.part needs a value here"]),
        ({"size": "x"}, ["node.size: 'x' is not a whole number"]),
        ({"size": 1, "count": None}, ["node.count: null is not a whole number"]),
        ({"size": 1, "count": True}, ["node.count: true is not a whole number"]),
        (
            {"sise": 1},
            [
                "node.sise: aerialseg.part takes no 'sise'; did you mean 'size'?",
                "node.size: aerialseg.part needs a value here",
            ],
        ),
        (
            {"size": 1, "_partial_": True},
            ["node._partial_: aerialseg.part takes no '_partial_'; known: count, name, size"],
        ),
    ],
)
def test_a_node_is_called_with_what_its_target_takes(found, values, wanted):
    assert found("part", **values) == wanted


def test_a_target_that_takes_anything_still_has_names_of_its_own(found):
    assert found("anything", depth=2, colour="red") == []
    assert found("anything", dept=2) == [
        "node.dept: aerialseg.anything takes no 'dept'; did you mean 'depth'?"
    ]


def test_nodes_are_found_in_lists_and_mappings_of_nodes(found):
    inner = {"_target_": "aerialseg.part"}
    assert found("anything", parts=[{"deeper": inner}, [inner]]) == [
        "node.parts[0].deeper.size: aerialseg.part needs a value here",
        "node.parts[1][0].size: aerialseg.part needs a value here",
    ]


def libraries():
    optimizers = inspect.getmembers(torch.optim, inspect.isclass)
    schedulers = inspect.getmembers(torch.optim.lr_scheduler, inspect.isclass)
    callbacks = inspect.getmembers(pl.callbacks, inspect.isclass)
    transforms = inspect.getmembers(albumentations, inspect.isclass)
    kinds = (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler, Callback)
    kinds += (albumentations.BasicTransform, pl.Trainer)
    everything = [*optimizers, *schedulers, *callbacks, *transforms, ("Trainer", pl.Trainer)]
    return [member for _, member in everything if issubclass(member, kinds)]


def as_yaml(value):
    return [as_yaml(item) for item in value] if isinstance(value, tuple | list) else value


def test_no_default_of_the_libraries_is_refused_when_written_out():
    tried = 0
    for target in libraries():
        for name, argument in signatures._arguments(target).items():
            value = as_yaml(argument.default)
            if isinstance(value, bool | int | float | str | list):
                tried += 1
                assert complaints(name, value, argument.annotation) == [], target
    assert tried > 500


def test_tasks_are_found_by_name():
    assert find_task("check").function is check
    with pytest.raises(ConfigError, match=r"aerialseg\.tasks has no 'chek'; did you mean 'check'"):
        find_task("chek")


def test_a_class_in_the_augmentation_is_a_transform():
    def lines(target):
        node = {"_target_": target}
        outer = {"_target_": "albumentations.OneOf", "transforms": [node]}
        whole = {"_target_": "albumentations.Compose", "transforms": [node, outer]}
        return [str(p) for p in schema_problems({"augmentation": whole}) if "[" in p.path]

    assert lines("albumentations.HorizontalFlip") == []
    assert lines("albumentations.RandomRotate90") == []
    text = "torch.nn.ReLU is no Albumentations transform; wanted a class derived from one"
    assert lines("torch.nn.ReLU") == [
        f"augmentation.transforms[0]._target_: {text}",
        f"augmentation.transforms[1].transforms[0]._target_: {text}",
    ]
