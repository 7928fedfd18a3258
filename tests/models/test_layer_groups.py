import pytest
import torch
from torch import nn

from aerialseg.errors import ConfigError
from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.layer_groups import layer_groups, resolve_start
from helpers.model_files import MODEL_FILES, build, model_file
from helpers.stages import STAGES


def trained(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def small_network():
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))


def small_groups():
    return layer_groups(small_network(), ["0", "1", "2", "3"])


# The groups


def test_mobilenet_has_the_22_groups(groups):
    assert [group.names[0] for group in groups] == [
        *(f"backbone.{index}" for index in range(17)),
        *(f"classifier.{index}" for index in range(5)),
    ]
    assert groups[18].name == (
        "classifier.1 + aux_classifier.0 + aux_classifier.1 + aux_classifier.2 + aux_classifier.3"
    )
    assert groups[21].names == ("classifier.4", "aux_classifier.4")


def test_without_auxiliary_head_the_indices_are_unchanged(settings):
    network = build("deeplabv3_mobilenet_v3_large", aux_head=False)
    groups = layer_groups(network, settings["layer_groups"])
    assert len(groups) == 22
    assert groups[18].names == ("classifier.1",)
    assert groups[21].names == ("classifier.4",)


@pytest.mark.parametrize("name", sorted(path.stem for path in MODEL_FILES.glob("*.yaml")))
def test_every_model_file_covers_its_network_and_unlocks_more_at_each_stage(name):
    settings = model_file(name)
    network = build(name)
    groups = layer_groups(network, settings["layer_groups"])
    covered = [tensor_name for group in groups for tensor_name, _ in group.tensors()]
    assert sorted(covered) == sorted(network.state_dict())
    assert list(settings["fine_tune_start"]) == list(STAGES)
    counts = []
    for start in settings["fine_tune_start"].values():
        FreezePlan(groups, start).apply()
        counts.append(trained(network))
    assert counts == sorted(set(counts))
    assert counts[-1] == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (["0", "1", "3"], "layer_groups: in no group: 2"),
        (["0", "1", "2"], "layer_groups: in no group: 3, 3.weight, 3.bias"),
        (["0"], "layer_groups: in no group: 1, 2, 3 and 7 more"),
        (["0", ["1", "2"], "2", "3"], "layer_groups: in more than one group: 2"),
        (["0", "1", "2", "3", "4"], "layer_groups: no module '4'"),
    ],
)
def test_modules_not_covered_exactly_once_are_an_error(spec, line):
    with pytest.raises(ConfigError) as caught:
        layer_groups(small_network(), spec)
    assert caught.value.problems[0].startswith(line)


def test_an_unknown_module_suggests_the_nearest(mobilenet):
    with pytest.raises(ConfigError, match=r"no module 'clasifier\.4'; did you mean 'classifier\.4"):
        layer_groups(mobilenet, ["backbone.*", "clasifier.4"])


def test_a_parameter_outside_all_modules_is_reported():
    network = small_network()
    network.scale = nn.Parameter(torch.ones(1))
    with pytest.raises(ConfigError, match="in no group: scale"):
        layer_groups(network, ["0", "1", "2", "3"])


# Where a stage starts


@pytest.mark.parametrize(
    ("start", "index"),
    [
        (0, 0),
        (18, 18),
        (21, 21),
        (22, 21),
        (99, 21),
        ("backbone.8", 8),
        ("backbone.8.block.0", 8),
        ("aux_classifier.3", 18),
        ("classifier", 17),
        ("backbone", 0),
    ],
)
def test_start_is_an_index_or_a_module(groups, start, index):
    assert resolve_start(groups, start) == index


@pytest.mark.parametrize(
    ("start", "line"),
    [
        (-1, "got -1; wanted an index from 0 to 21"),
        ("backbon.8", "no module 'backbon.8'; did you mean 'backbone.8'?"),
        ("backbone.8.nothing", "no module 'backbone.8.nothing'"),
        ("backbone.1.", "no module 'backbone.1.'"),
    ],
)
def test_a_start_that_does_not_exist_is_an_error(groups, start, line):
    with pytest.raises(ConfigError) as caught:
        resolve_start(groups, start)
    assert line in caught.value.lines()


def test_a_start_above_all_parameters_is_an_error():
    groups = layer_groups(nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU()), ["0", "1"])
    with pytest.raises(ConfigError, match="nothing would be trained"):
        resolve_start(groups, 99)
