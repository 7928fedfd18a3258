import copy
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from aerialseg.errors import ConfigError
from aerialseg.models import networks
from aerialseg.models.freeze_proof import changed_tensors, frozen_state
from aerialseg.models.layer_groups import (
    describe,
    freeze_below,
    frozen_modules,
    layer_groups,
    resolve_start,
)
from helpers.stages import STAGES

MODEL_FILES = Path(__file__).parents[2] / "conf" / "model"


def model_file(name):
    return yaml.safe_load((MODEL_FILES / f"{name}.yaml").read_text(encoding="utf-8"))


def build(name, *, aux_head=True):
    arguments = model_file(name)["network"]
    builder = getattr(networks, arguments.pop("_target_").rpartition(".")[2])
    if "aux_head" in arguments:
        arguments["aux_head"] = aux_head
    if builder is networks.segmentation_models_pytorch:
        pytest.importorskip("segmentation_models_pytorch")
    return builder(12, **arguments)


@pytest.fixture(scope="module")
def pristine():
    torch.manual_seed(0)
    return build("deeplabv3_mobilenet_v3_large")


@pytest.fixture
def mobilenet(pristine):
    return copy.deepcopy(pristine)


@pytest.fixture(scope="module")
def settings():
    return model_file("deeplabv3_mobilenet_v3_large")


@pytest.fixture
def groups(mobilenet, settings):
    return layer_groups(mobilenet, settings["layer_groups"])


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
        freeze_below(groups, start)
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


# What is trained


@pytest.mark.parametrize(
    ("stage", "count"),
    [
        ("head", 3_216),
        ("decoder", 593_552 + 3_620),
        ("aspp", 8_051_344 + 3_620),
        ("half_backbone", 10_930_096 + 3_620),
        ("full", 11_026_916),
    ],
)
def test_trained_parameters_of_each_stage(mobilenet, groups, settings, stage, count):
    start = settings["fine_tune_start"][stage]
    freeze_below(groups, start)
    assert trained(mobilenet) == count
    assert sum(row.parameters for row in describe(groups, start) if row.trained) == count


def test_the_full_stage_trains_all_of_the_network_without_auxiliary_head(settings):
    network = build("deeplabv3_mobilenet_v3_large", aux_head=False)
    groups = layer_groups(network, settings["layer_groups"])
    freeze_below(groups, settings["fine_tune_start"]["full"])
    assert trained(network) == sum(p.numel() for p in network.parameters()) == 11_023_164


def test_a_later_stage_unfreezes_groups_of_an_earlier_one(mobilenet, groups):
    freeze_below(groups, 21)
    freeze_below(groups, 17)
    assert trained(mobilenet) == 8_051_344 + 3_620


def test_rows_describe_each_group():
    rows = describe(small_groups(), 1)
    assert [(row.index, row.name, row.parameters) for row in rows] == [
        (0, "0", 16),
        (1, "1", 8),
        (2, "2", 0),
        (3, "3", 10),
    ]
    assert [row.trained for row in rows] == [False, True, True, True]
    assert [row.batchnorm for row in rows] == ["none", "learns", "none", "none"]
    assert describe(small_groups(), 3)[1].batchnorm == "frozen"


# Frozen means identical


def train_mode(network, groups, start):
    network.train()
    for module in frozen_modules(groups, start):
        module.eval()


def one_step(network):
    generator = torch.Generator().manual_seed(2)
    logits = network(torch.randn(2, 3, 64, 64, generator=generator))
    optimizer = torch.optim.SGD(
        [p for p in network.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1
    )
    (logits["out"].square().mean() + logits["aux"].square().mean()).backward()
    optimizer.step()


@pytest.mark.parametrize("stage", STAGES)
def test_a_training_step_changes_trained_tensors_and_no_bit_of_frozen_ones(
    mobilenet, groups, settings, stage
):
    start = settings["fine_tune_start"][stage]
    freeze_below(groups, start)
    train_mode(mobilenet, groups, start)
    before = {name: tensor.clone() for name, tensor in mobilenet.state_dict().items()}
    proof = frozen_state(groups, start)
    one_step(mobilenet)
    assert changed_tensors(proof, frozen_state(groups, start)) == []
    changed = changed_tensors(before, mobilenet.state_dict())
    assert set(changed) == set(before) - set(proof)


def test_disabling_gradients_alone_is_detected_as_not_frozen(mobilenet, groups):
    freeze_below(groups, 17)
    mobilenet.train()
    proof = frozen_state(groups, 17)
    one_step(mobilenet)
    moved = changed_tensors(proof, frozen_state(groups, 17))
    assert len(moved) == 3 * 46  # the statistics and the counter of every BatchNorm
    assert all("running" in name or "num_batches" in name for name in moved)


def test_freezing_sets_eval_mode_at_once(mobilenet, groups):
    freeze_below(groups, 17)
    assert not any(m.training for group in groups[:17] for m in group.modules)
    assert all(m.training for group in groups[17:] for m in group.modules)


def test_only_trained_groups_are_in_train_mode(mobilenet, groups):
    freeze_below(groups, 18)
    train_mode(mobilenet, groups, 18)
    modes = {name: module.training for name, module in mobilenet.named_modules()}
    assert not any(
        mode for name, mode in modes.items() if name.startswith(("backbone.", "classifier.0"))
    )
    assert all(modes[f"classifier.{index}"] for index in range(1, 5))
    assert all(modes[f"aux_classifier.{index}"] for index in range(5))


def test_frozen_dropout_is_inactive(mobilenet, groups):
    freeze_below(groups, 21)
    train_mode(mobilenet, groups, 21)
    image = torch.randn(2, 3, 32, 32)
    first, second = mobilenet(image), mobilenet(image)
    assert torch.equal(first["out"], second["out"])
    assert torch.equal(first["aux"], second["aux"])


def test_the_proof_holds_copies_of_parameters_and_buffers(mobilenet, groups):
    proof = frozen_state(groups, 17)
    assert set(proof) == {name for name in mobilenet.state_dict() if name.startswith("backbone.")}
    with torch.no_grad():
        mobilenet.get_parameter("backbone.0.0.weight").zero_()
    assert changed_tensors(proof, frozen_state(groups, 17)) == ["backbone.0.0.weight"]


def test_changes_of_a_single_bit_are_found():
    nan = torch.tensor([float("nan")])
    before = {"nan": nan, "zero": torch.zeros(1), "type": torch.zeros(2), "gone": torch.ones(1)}
    after = {"nan": nan.clone(), "zero": -torch.zeros(1), "type": torch.zeros(2).half()}
    assert changed_tensors(before, after) == ["zero", "type", "gone"]
    assert changed_tensors({}, after) == ["nan", "zero", "type"]
