import sys

import pytest
import torch
from torch.nn import functional as F

from aerialseg.config.targets import resolve_target
from aerialseg.errors import ConfigError
from aerialseg.kernels.upsampling import upsample
from aerialseg.models import networks
from aerialseg.models.networks.registry import find_builder


@pytest.fixture(scope="module")
def mobilenet():
    torch.manual_seed(0)
    return networks.deeplabv3_mobilenet_v3_large(12, aux_head=True).eval()


@pytest.fixture(scope="module")
def unet():
    pytest.importorskip("segmentation_models_pytorch")
    torch.manual_seed(0)
    network = networks.segmentation_models_pytorch(5, architecture="unet", encoder_name="resnet18")
    return network.eval()


def run(network, height, width):
    image = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return image, network(image)


def test_mobilenet_gives_both_heads_at_their_own_strides(mobilenet):
    _, logits = run(mobilenet, 64, 72)
    assert {name: tuple(value.shape) for name, value in logits.items()} == {
        "out": (1, 12, 4, 5),
        "aux": (1, 12, 8, 9),
    }
    assert not torch.equal(logits["out"], logits["aux"])


def test_the_auxiliary_head_can_be_left_out():
    network = networks.deeplabv3_mobilenet_v3_large(3, aux_head=False)
    assert not any(name.startswith("aux") for name in network.state_dict())
    assert set(run(network.eval(), 32, 32)[1]) == {"out"}


@pytest.mark.parametrize(("aux_head", "parameters"), [(True, 11_026_916), (False, 11_023_164)])
def test_mobilenet_has_the_parameters_of_the_published_network(aux_head, parameters):
    network = networks.deeplabv3_mobilenet_v3_large(12, aux_head=aux_head)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_names_are_those_of_torchvision(mobilenet):
    from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large

    theirs = deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=12, aux_loss=True
    )
    theirs.load_state_dict(mobilenet.state_dict(), strict=True)
    image, logits = run(mobilenet, 32, 48)
    with torch.no_grad():
        expected = theirs.eval()(image)
    for name in ("out", "aux"):
        assert torch.equal(upsample(logits[name], (32, 48)), expected[name])


def test_lraspp_has_one_head():
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    network = networks.lraspp_mobilenet_v3_large(7).eval()
    image, logits = run(network, 64, 40)
    assert {name: tuple(value.shape) for name, value in logits.items()} == {"out": (1, 7, 8, 5)}
    theirs = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=7).eval()
    theirs.load_state_dict(network.state_dict(), strict=True)
    with torch.no_grad():
        assert torch.equal(upsample(logits["out"], (64, 40)), theirs(image)["out"])


def test_resnet_has_two_heads():
    network = networks.deeplabv3_resnet50(4, aux_head=True).eval()
    logits = run(network, 32, 32)[1]
    assert {name: tuple(value.shape) for name, value in logits.items()} == {
        "out": (1, 4, 4, 4),
        "aux": (1, 4, 4, 4),
    }


def test_unet_equals_the_package_it_comes_from(unet):
    import segmentation_models_pytorch as smp

    theirs = smp.create_model("unet", "resnet18", encoder_weights=None, classes=5).eval()
    theirs.load_state_dict(unet.state_dict(), strict=True)
    image, logits = run(unet, 64, 96)
    with torch.no_grad():
        assert torch.equal(theirs(image), logits["out"])


def test_other_sizes_are_padded_to_the_stride_with_the_mean_and_cropped(unet):
    image, logits = run(unet, 70, 33)
    with torch.no_grad():
        padded = unet(F.pad(image, (0, 31, 0, 26)))["out"]
    assert logits["out"].shape == (1, 5, 70, 33)
    assert torch.equal(logits["out"], padded[..., :70, :33])


@pytest.mark.parametrize("architecture", ["fpn", "deeplabv3plus", "segformer"])
def test_other_architectures_take_any_size(architecture):
    pytest.importorskip("segmentation_models_pytorch")
    network = networks.segmentation_models_pytorch(
        2, architecture=architecture, encoder_name="resnet18"
    )
    assert run(network.eval(), 50, 70)[1]["out"].shape == (1, 2, 50, 70)


@pytest.mark.parametrize(
    ("architecture", "encoder_name", "line"),
    [
        ("unett", "resnet18", "no architecture 'unett'; did you mean 'unet'?"),
        ("unet", "resnet81", "no encoder_name 'resnet81'; did you mean 'resnet18'?"),
        ("unet", "?", "no encoder_name '?'; known: resnet18, "),
        ("linknet", "mit_b0", "linknet cannot be built on the encoder mit_b0"),
        ("unet", "tu-nonsense", "unet cannot be built on the encoder tu-nonsense"),
        ("unet", "tu-hf-hub:a/b", "'tu-hf-hub:a/b' is a location to load from"),
        ("unet", "tu-local-dir:/etc", "'tu-local-dir:/etc' is a location to load from"),
    ],
)
def test_unknown_names_are_one_line(architecture, encoder_name, line):
    pytest.importorskip("segmentation_models_pytorch")
    with pytest.raises(ConfigError) as caught:
        networks.segmentation_models_pytorch(
            2, architecture=architecture, encoder_name=encoder_name
        )
    assert line in caught.value.lines()
    assert "\n" not in caught.value.lines()


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[models\]"'):
        networks.segmentation_models_pytorch(2, architecture="unet", encoder_name="resnet18")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("deeplabv3_mobilenet_v3_large", "deeplabv3"),
        ("deeplabv3_resnet50", "deeplabv3"),
        ("lraspp_mobilenet_v3_large", "lraspp"),
        ("segmentation_models_pytorch", "encoder_decoder"),
    ],
)
def test_every_builder_of_a_model_file_is_registered_for_checkpoints(name, file):
    for target in (f"aerialseg.models.networks.{name}", f"aerialseg.models.networks.{file}.{name}"):
        assert find_builder(target) is resolve_target(target) is getattr(networks, name)


def test_every_builder_that_is_exported_is_registered():
    assert all(find_builder(f"aerialseg.models.networks.{name}") for name in networks.__all__)
