"""The learning rate of each layer."""

from functools import partial

import pytest
import torch

from helpers.tiny_training import make_module, small_network


def rates(module):
    """By parameter name, its learning rate and its weight decay."""
    optimizer = module.configure_optimizers()
    names = {id(p): name for name, p in module.network.named_parameters()}
    return {
        names[id(p)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for p in group["params"]
    }


def build(**options):
    adamw = partial(torch.optim.AdamW, lr=0.1, weight_decay=0.5)
    return make_module(small_network(), optimizer=adamw, scheduler=None, **options)


def part(name):
    return name.partition(".")[0].removeprefix("aux_")


def test_without_factors_there_are_two_groups_as_ever():
    module = build()
    optimizer = module.configure_optimizers()
    learning = list(module.network.parameters())
    weights, others = ([id(p) for p in group["params"]] for group in optimizer.param_groups)
    assert weights == [id(p) for p in learning if p.ndim > 1]
    assert others == [id(p) for p in learning if p.ndim <= 1]


def test_groups_are_called_by_what_they_hold_and_where_rates_differ_by_their_layers():
    def names(**options):
        return [group["name"] for group in build(**options).configure_optimizers().param_groups]

    assert names() == ["weights", "biases_and_norms"]
    assert names(layer_decay=0.5) == [
        f"{layers}/{kind}"
        for layers in ("stem", "body", "classifier")
        for kind in ("weights", "biases_and_norms")
    ]
    fresh = ["stem", "classifier", "aux_classifier"]
    assert set(names(fresh=fresh, fresh_factor=2)) == {
        f"{layers}/{kind}"
        for layers in ("stem,classifier", "body")
        for kind in ("weights", "biases_and_norms")
    }
    assert {name.partition("/")[0] for name in names(fresh=fresh[1:], fresh_factor=2)} == {
        "stem..body",
        "classifier",
    }


def test_each_group_has_a_part_of_the_rate_of_the_one_above_it():
    wanted = {"stem": 0.1 * 0.25, "body": 0.1 * 0.5, "classifier": 0.1}
    for name, (rate, decay) in rates(build(layer_decay=0.5)).items():
        assert rate == pytest.approx(wanted[part(name)])
        assert decay == (0.5 if name.endswith("weight") and ".1." not in name else 0.0), name


def test_random_groups_have_their_own_factor():
    found = rates(build(start=0, fresh=["body", "classifier", "aux_classifier"], fresh_factor=5))
    assert {part(name): rate for name, (rate, _) in found.items()} == {
        "stem": pytest.approx(0.1),
        "body": pytest.approx(0.5),
        "classifier": pytest.approx(0.5),
    }


def test_both_factors_multiply_and_frozen_groups_are_left_out():
    module = build(start=1, fresh=["body"], fresh_factor=3, layer_decay=0.5)
    found = rates(module)
    assert {part(name): rate for name, (rate, _) in found.items()} == {
        "body": pytest.approx(0.1 * 0.5 * 3),
        "classifier": pytest.approx(0.1),
    }
    trained = {name for name, p in module.network.named_parameters() if p.requires_grad}
    assert set(found) == trained


def test_the_step_of_a_layer_is_its_rate_times_the_gradient():
    sgd = partial(torch.optim.SGD, lr=1.0)
    module = make_module(small_network(), optimizer=sgd, scheduler=None, layer_decay=0.1, start=0)
    optimizer = module.configure_optimizers()
    before = {name: p.detach().clone() for name, p in module.network.named_parameters()}
    for p in module.network.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    wanted = {"stem": 0.01, "body": 0.1, "classifier": 1.0}
    for name, p in module.network.named_parameters():
        step = before[name] - p.detach()
        assert step.flatten().tolist() == pytest.approx([wanted[part(name)]] * p.numel(), rel=1e-4)
