"""Which layer groups a stage trains, and which it freezes."""

import pytest
import torch
from torch import nn

from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.freeze_proof import changed_tensors
from aerialseg.models.layer_groups import layer_groups
from helpers.model_files import build
from helpers.tiny_training import (
    HEAD_GROUPS,
    make_data,
    make_module,
    make_trainer,
    small_network,
)

BACKBONE_ONLY = ("classifier", "aux_classifier")


def trained(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def small_groups():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    return layer_groups(network, ["0", "1", "2", "3"])


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
    FreezePlan(groups, start).apply()
    assert trained(mobilenet) == count
    assert sum(row.parameters for row in FreezePlan(groups, start).rows() if row.trained) == count


def test_the_full_stage_trains_all_of_the_network_without_auxiliary_head(settings):
    network = build("deeplabv3_mobilenet_v3_large", aux_head=False)
    groups = layer_groups(network, settings["layer_groups"])
    FreezePlan(groups, settings["fine_tune_start"]["full"]).apply()
    assert trained(network) == sum(p.numel() for p in network.parameters()) == 11_023_164


def test_a_later_stage_unfreezes_groups_of_an_earlier_one(mobilenet, groups):
    FreezePlan(groups, 21).apply()
    FreezePlan(groups, 17).apply()
    assert trained(mobilenet) == 8_051_344 + 3_620


def test_rows_describe_each_group():
    rows = FreezePlan(small_groups(), 1).rows()
    assert [(row.index, row.name, row.parameters) for row in rows] == [
        (0, "0", 16),
        (1, "1", 8),
        (2, "2", 0),
        (3, "3", 10),
    ]
    assert [row.trained for row in rows] == [False, True, True, True]
    assert [row.batchnorm for row in rows] == ["none", "learns", "none", "none"]
    assert FreezePlan(small_groups(), 3).rows()[1].batchnorm == "frozen"


# What is still random


def tensors_of(network, *parts):
    return [name for name in network.state_dict() if name.startswith(parts)]


def test_random_groups_below_the_start_are_trained_too(mobilenet, groups):
    plan = FreezePlan(groups, 21, tensors_of(mobilenet, *BACKBONE_ONLY))
    plan.apply()
    assert plan.trained == {17, 18, 19, 20, 21}
    assert plan.only_as_fresh == {17, 18, 19, 20}
    assert plan.still_fresh == ()
    assert trained(mobilenet) == 8_051_344 + 3_620
    assert plan.notice == (
        "classifier.0, classifier.1, classifier.2: still random, so trained too, though below "
        "stage.fine_tune_start"
    )


def test_random_groups_stay_frozen_if_they_shall(mobilenet, groups):
    plan = FreezePlan(groups, 18, tensors_of(mobilenet, *BACKBONE_ONLY), train_fresh=False)
    plan.apply()
    assert plan.trained == {18, 19, 20, 21}
    assert plan.still_fresh == ("classifier.0",)
    assert trained(mobilenet) == 593_552 + 3_620
    assert plan.notice.startswith("stage.fresh=freeze: classifier.0 stay random")


def test_one_random_tensor_makes_its_module_fresh():
    plan = FreezePlan(small_groups(), 3, ["0.bias"])
    assert (plan.fresh, plan.trained) == ({0}, {0, 3})


def test_layers_without_tensors_go_with_the_random_layer_they_follow():
    """A dropout behind a layer that learns must be active, wherever the stage starts."""
    plan = FreezePlan(small_groups(), 3, ["1.weight", "3.weight"])
    assert plan.trained == {1, 2, 3}
    assert [row.only_as_fresh for row in plan.rows()] == [False, True, True, False]
    assert FreezePlan(small_groups(), 3, ["0.weight"]).trained == {0, 3}


def test_names_of_modules_are_as_good_as_names_of_tensors(groups):
    first = FreezePlan(groups, 21, ["classifier.1", "aux_classifier.3"], train_fresh=False)
    assert first.still_fresh == ("classifier.1", "aux_classifier.3")
    assert FreezePlan(groups, 21, first.still_fresh).trained == {18, 21}
    assert FreezePlan(groups, 21, ["classifier.10", "classifier"]).trained == {21}, "no module's"


def test_what_is_random_at_the_top_is_nothing_special(groups):
    plan = FreezePlan(groups, 21, ["classifier.4.weight", "classifier.4.bias"])
    assert (plan.fresh, plan.fresh_below, plan.notice) == ({21}, (), "")


@pytest.mark.parametrize("fresh", [["stem"], ["body"], ["stem", "body"], []])
def test_a_fit_changes_what_is_random_and_no_bit_of_what_is_frozen(tmp_path, fresh):
    network = small_network()
    module = make_module(network, start=2, fresh=fresh)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    make_trainer(epochs=1, enable_checkpointing=False).fit(module, make_data(tmp_path))
    learning = (*fresh, "classifier", "aux_classifier")
    assert set(changed_tensors(before, network.state_dict())) == set(tensors_of(network, *learning))


def test_random_heads_end_the_part_that_runs_once_per_image():
    torch.manual_seed(0)
    network = build("deeplabv3_mobilenet_v3_large")
    groups = ["backbone.*", *HEAD_GROUPS]
    whole = make_module(network, groups=groups, start=99)
    assert whole.frozen_prefix.depth == {"out": 4, "aux": 4}
    fresh = make_module(network, groups=groups, start=99, fresh=["classifier.1", "aux_classifier"])
    assert fresh.frozen_prefix.depth == {"out": 1, "aux": 0}
    assert make_module(network, groups=groups, start=99, fresh=["backbone.3"]).frozen_prefix is None
