"""Averages of tensors against the plain formula, and what of a network is averaged."""

import numpy as np
import pytest
import torch
from torch import nn

from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.layer_groups import layer_groups
from aerialseg.models.moving_average import MovingAverage, averaged_tensors
from helpers.tiny_training import GROUPS, small_network


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.97])
def test_updates_follow_the_plain_formula(decay):
    generator = np.random.default_rng(0)
    tensor = torch.from_numpy(generator.normal(size=(3, 4)))
    average, expected = MovingAverage({"weight": tensor}), tensor.numpy().copy()
    for step in range(400):
        tensor.copy_(torch.from_numpy(generator.normal(size=(3, 4))))
        d = min(decay, (1 + step) / (10 + step))
        expected = d * expected + (1 - d) * tensor.numpy()
        average.update(decay)
    np.testing.assert_allclose(average.values["weight"].numpy(), expected, rtol=1e-12)
    assert average.updates == 400


def test_a_decay_of_0_is_the_tensor_itself():
    tensor = torch.randn(100)
    average = MovingAverage({"weight": tensor})
    for _ in range(3):
        tensor.copy_(torch.randn(100))
        average.update(0.0)
        assert torch.equal(average.values["weight"], tensor)


def test_what_is_trained_is_averaged_but_no_integers_and_nothing_frozen():
    network = small_network()
    for start, missing in ((0, ()), (1, ("stem",)), (2, ("stem", "body"))):
        found = averaged_tensors(network, FreezePlan(layer_groups(network, GROUPS), start))
        wanted = {
            name
            for name in network.state_dict()
            if not name.startswith(missing or "nothing") and "num_batches_tracked" not in name
        }
        assert found.keys() == wanted
    assert any(name.endswith("running_var") for name in wanted | found.keys()) or start == 2


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.second = self.first


def test_in_place_means_until_the_end_even_after_an_error_and_with_two_names():
    network = Tied()
    average = MovingAverage(dict(network.state_dict(keep_vars=True)))
    before = {name: value.clone() for name, value in average.values.items()}
    with torch.no_grad():
        network.first.weight += 1
    trained = network.first.weight.detach().clone()
    for error in (None, KeyError()):
        try:
            with average.in_place():
                assert torch.equal(network.first.weight, before["first.weight"])
                if error is not None:
                    raise error
        except KeyError:
            pass
        assert torch.equal(network.first.weight, trained)
        assert all(torch.equal(average.values[name], before[name]) for name in before)


def test_memory_formats_stay_and_restored_averages_go_on():
    network = nn.Conv2d(4, 6, 3).to(memory_format=torch.channels_last)
    average = MovingAverage(dict(network.state_dict(keep_vars=True)))
    other = MovingAverage(dict(network.state_dict(keep_vars=True)))
    for moment in range(6):
        with torch.no_grad():
            network.weight.normal_()
        average.update(0.9)
        if moment < 3:
            other.update(0.9)
        else:
            values = {name: value.contiguous() for name, value in other.values.items()}
            other = MovingAverage(dict(network.state_dict(keep_vars=True)))
            other.restore(values, moment)
            other.update(0.9)
    assert torch.equal(average.values["weight"], other.values["weight"])
    with other.in_place():
        assert network.weight.is_contiguous(memory_format=torch.channels_last)
