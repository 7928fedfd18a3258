import pytest
import torch
from torch import nn

from aerialseg.errors import CheckpointError
from aerialseg.models.networks import deeplabv3_mobilenet_v3_large, lraspp_mobilenet_v3_large
from aerialseg.models.weights.transfer import continue_from
from helpers.tiny_training import small_network

SOURCE = "runs/default/head/train/checkpoints/best.ckpt"


def line_of(network, state):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(CheckpointError) as error:
        continue_from(network, state, SOURCE)
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before), "refused, yet changed"
    (line,) = error.value.problems
    return line


def equal_names(network, state):
    own = network.state_dict()
    return {name for name in own if name in state and torch.equal(own[name], state[name])}


def moved(network):
    """A state in which every tensor differs from its initial value."""
    return {name: tensor + 1 for name, tensor in network.state_dict().items()}


def test_every_parameter_and_buffer_is_copied():
    network, state = small_network(1), moved(small_network(2))
    assert str(continue_from(network, state, SOURCE)) == (
        f"weights: {len(state)} of {len(state)} tensors from {SOURCE}"
    )
    assert equal_names(network, state) == set(state)


def test_the_network_does_not_share_memory_with_the_checkpoint():
    network, state = small_network(1), moved(small_network(2))
    continue_from(network, state, SOURCE)
    state["stem.0.weight"].zero_()
    assert network.stem[0].weight.abs().min() > 0


def test_a_stage_without_the_auxiliary_head_drops_it():
    network, state = small_network(1, aux_head=False), moved(small_network(2))
    total = len(network.state_dict())
    assert str(continue_from(network, state, SOURCE)) == (
        f"weights: {total} of {total} tensors from {SOURCE}; "
        "its auxiliary head is dropped (2 tensors)"
    )
    assert len(equal_names(network, state)) == total


def test_a_branch_from_a_stage_without_it_initialises_the_auxiliary_head_randomly():
    network, state = small_network(1), moved(small_network(2, aux_head=False))
    fresh = network.aux_classifier.weight.detach().clone()
    total = len(network.state_dict())
    assert str(continue_from(network, state, SOURCE)) == (
        f"weights: {total - 2} of {total} tensors from {SOURCE}; "
        "the auxiliary head is randomly initialised (2 tensors)"
    )
    assert torch.equal(network.aux_classifier.weight, fresh)
    assert equal_names(network, state) == set(state)


@pytest.mark.parametrize("aux_head", [True, False])
def test_another_class_count_is_named(aux_head):
    network = small_network(num_classes=12, aux_head=aux_head)
    line = line_of(network, small_network(num_classes=6).state_dict())
    assert line == (
        f"{SOURCE}: was trained for 6 classes, the data has 12; choose the data it was trained "
        "on, or start a new chain with stage=head"
    )


def test_another_network_is_named_with_counts_and_an_example():
    network = small_network(aux_head=False)
    state = small_network(aux_head=False).state_dict()
    state["extra.weight"] = torch.ones(1)
    state["body.0.weight"] = torch.ones(6, 6, 5, 5)
    del state["stem.0.bias"]
    assert line_of(network, state) == (
        f"{SOURCE}: holds another network: 1 of its tensors are unknown, 1 are missing and "
        "1 have another shape, first 'extra.weight'; choose the model it was trained with"
    )


@pytest.mark.parametrize("swapped", [False, True])
def test_real_networks_are_not_confused(swapped):
    pair = [deeplabv3_mobilenet_v3_large(3), lraspp_mobilenet_v3_large(3)]
    network, other = reversed(pair) if swapped else pair
    assert "holds another network" in line_of(network, other.state_dict())


def test_a_wider_network_is_not_confused_with_more_classes():
    """Its tensors differ in their first dimension alone, as with another class count."""
    network, other = nn.Sequential(nn.Conv2d(3, 8, 1)), nn.Sequential()
    other.append(nn.Conv2d(3, 16, 1))
    other.append(nn.BatchNorm2d(16))
    assert "holds another network" in line_of(network, other.state_dict())
