import copy

import pytest
import torch
from torch import nn

from aerialseg.kernels.folding import fold_batchnorm
from aerialseg.models.networks import deeplabv3_mobilenet_v3_large, deeplabv3_resnet50


def trained(build, **arguments):
    """With statistics and weights as a trained network has: none of them zero or one."""
    torch.manual_seed(0)
    network = build(3, **arguments)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    with torch.no_grad():
        network.train()(torch.randn(4, 3, 64, 64))
    return network.eval()


def count(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_a_folded_network_says_the_same():
    network = trained(deeplabv3_mobilenet_v3_large, aux_head=True)
    folded = copy.deepcopy(network)
    fold_batchnorm(folded)
    assert count(network) > count(folded) == 0
    image = torch.randn(2, 3, 50, 70)
    with torch.no_grad():
        for name, expected in network(image).items():
            torch.testing.assert_close(folded(image)[name], expected, rtol=1e-3, atol=1e-3)


def test_a_batchnorm_that_does_not_follow_a_convolution_stays():
    layers = [nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4), nn.BatchNorm2d(4)]
    network = nn.Sequential(*layers).eval()
    fold_batchnorm(network)
    assert list(network) == layers


def test_in_training_mode_there_is_nothing_to_fold_yet():
    with pytest.raises(ValueError, match="in eval mode only"):
        fold_batchnorm(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)))


def test_convolutions_outside_a_sequence_are_left_alone():
    network = trained(deeplabv3_resnet50, aux_head=False)
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        expected = network(image)["out"]
        fold_batchnorm(network)
        torch.testing.assert_close(network(image)["out"], expected, rtol=1e-3, atol=1e-3)
