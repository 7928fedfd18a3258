"""Networks for other bands than RGB, and what becomes of weights of RGB."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from aerialseg.errors import ConfigError
from aerialseg.models.networks import (
    deeplabv3_mobilenet_v3_large,
    deeplabv3_resnet50,
    lraspp_mobilenet_v3_large,
    segmentation_models_pytorch,
)
from aerialseg.models.networks.input_bands import build_for_bands, input_weight, widened
from aerialseg.models.normalisation import for_bands
from aerialseg.models.weights.loading import load_weights

WEIGHT = torch.arange(2 * 3 * 4, dtype=torch.float32).reshape(2, 3, 2, 2)


def test_rgb_keeps_its_weights_and_what_is_new_gets_their_mean():
    found = widened(WEIGHT, 5)
    for out in range(2):
        red, green, blue = WEIGHT[out]
        mean = (red + green + blue) / 3
        wanted = torch.stack([red, green, blue, mean, mean]) * 3 / 5
        assert torch.allclose(found[out], wanted)
    assert widened(WEIGHT, 3) is WEIGHT


@pytest.mark.parametrize("bands", [1, 2, 4, 7])
def test_grey_gives_the_same_activations_with_any_number_of_bands(bands):
    grey = torch.rand(1, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    wanted = F.conv2d(grey.repeat(1, 3, 1, 1), WEIGHT)
    assert torch.allclose(F.conv2d(grey.repeat(1, bands, 1, 1), widened(WEIGHT, bands)), wanted)


@pytest.mark.parametrize("bands", [1, 4])
@pytest.mark.parametrize(
    ("builder", "arguments"),
    [
        (lraspp_mobilenet_v3_large, {}),
        (deeplabv3_mobilenet_v3_large, {"aux_head": True}),
        pytest.param(deeplabv3_resnet50, {"aux_head": False}, marks=pytest.mark.slow),
        (segmentation_models_pytorch, {"architecture": "unet", "encoder_name": "resnet18"}),
    ],
)
def test_our_networks_take_any_number_of_bands(builder, arguments, bands):
    network = build_for_bands(builder, {"num_classes": 2, **arguments}, bands).eval()
    with torch.no_grad():
        logits = network(torch.zeros(1, bands, 32, 32))["out"]
    assert logits.shape[:2] == (1, 2)
    assert network.get_parameter(input_weight(network)).shape[1] == bands


def test_weights_of_rgb_are_loaded_and_the_line_says_so(tmp_path):
    rgb = lraspp_mobilenet_v3_large(2)
    torch.save(rgb.state_dict(), tmp_path / "w.pth")
    network = build_for_bands(lraspp_mobilenet_v3_large, {"num_classes": 2}, 4)
    report = load_weights(network, str(tmp_path / "w.pth"), final_layers=(), weights_dir=tmp_path)
    name = input_weight(network)
    assert torch.equal(network.state_dict()[name], widened(rgb.state_dict()[name], 4))
    assert str(report).endswith("; the first convolution, of RGB, made for 4 bands")
    torch.save(network.state_dict(), tmp_path / "w.pth")
    again = load_weights(network, str(tmp_path / "w.pth"), final_layers=(), weights_dir=tmp_path)
    assert again.widened == 0


def test_a_builder_that_takes_channels_is_asked():
    def build(num_classes, in_channels=3):
        return nn.Conv2d(in_channels, num_classes, 1)

    assert build_for_bands(build, {"num_classes": 2}, 5).in_channels == 5
    assert build_for_bands(build, {"num_classes": 2}, 3).in_channels == 3


@pytest.mark.parametrize("count", [0, 2])
def test_a_network_whose_input_is_not_known_is_refused(count):
    def build(num_classes):
        return nn.Sequential(*[nn.Conv2d(3, 3, 1) for _ in range(count)])

    with pytest.raises(ConfigError) as error:
        build_for_bands(build, {"num_classes": 2}, 4)
    (line,) = error.value.problems
    assert f"Sequential has {count} convolutions on three channels" in line
    assert "let its builder take 'in_channels', or choose another model" in line


def test_numbers_of_rgb_serve_other_bands():
    rgb = [0.3, 0.4, 0.8]
    assert for_bands(rgb, 3, "model.mean") == rgb
    assert for_bands(rgb, 5, "model.mean") == [*rgb, 0.5, 0.5]
    assert for_bands(rgb, 2, "model.mean") == [0.5, 0.5]
    assert for_bands([0.1, 0.2], 2, "model.mean") == [0.1, 0.2]
    with pytest.raises(ConfigError, match=r"model\.std: has 2 numbers for 4 bands; wanted 4, one"):
        for_bands([0.1, 0.2], 4, "model.std")
