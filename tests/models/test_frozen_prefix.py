import pytest
import torch
from torch import nn

from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.frozen_prefix import FrozenPrefix, has_frozen_prefix
from aerialseg.models.layer_groups import layer_groups
from aerialseg.models.networks import deeplabv3_mobilenet_v3_large, lraspp_mobilenet_v3_large
from helpers.tiny_training import HEAD_GROUPS

GROUPS = ["backbone.*", *HEAD_GROUPS]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return deeplabv3_mobilenet_v3_large(3)


def split(network, start):
    groups = layer_groups(network, GROUPS)
    network.train().requires_grad_(True)
    plan = FreezePlan(groups, start)
    plan.apply()
    frozen = plan.frozen_modules
    return frozen, FrozenPrefix(network, frozen) if has_frozen_prefix(network, frozen) else None


@pytest.mark.parametrize(
    ("start", "depth"),
    [
        ("classifier.0", {"out": 0, "aux": 0}),
        ("classifier.1", {"out": 1, "aux": 0}),
        ("classifier.2", {"out": 2, "aux": 3}),
        ("classifier.4", {"out": 4, "aux": 4}),
    ],
)
def test_prefix_and_rest_equal_the_network(network, start, depth):
    _, prefix = split(network, start)
    assert prefix.depth == depth
    images = torch.randn(2, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    features = prefix.features(images)
    torch.manual_seed(5)
    logits = prefix.logits({name: value.clone() for name, value in features.items()})
    torch.manual_seed(5)
    for name, expected in network(images).items():
        torch.testing.assert_close(logits[name], expected, rtol=0, atol=1e-6)


def test_only_trained_parameters_get_a_gradient(network):
    _, prefix = split(network, "classifier.1")
    features = prefix.features(torch.randn(2, 3, 48, 64))
    logits = prefix.logits({name: value.clone() for name, value in features.items()})
    network.zero_grad()
    sum(value.square().sum() for value in logits.values()).backward()
    with_gradient = {n for n, p in network.named_parameters() if p.grad is not None}
    learning = {n for n, p in network.named_parameters() if p.requires_grad}
    assert with_gradient == learning


def test_tensors_are_the_frozen_ones(network):
    frozen, prefix = split(network, "classifier.4")
    expected = {t.data_ptr() for module in frozen for t in module.state_dict().values()}
    assert {tensor.data_ptr() for tensor in prefix.tensors()} == expected


@pytest.mark.parametrize("start", [0, 5])
def test_a_trained_backbone_cannot_be_split_off(network, start):
    frozen, prefix = split(network, start)
    assert prefix is None
    with pytest.raises(ValueError, match="no completely frozen backbone"):
        FrozenPrefix(network, frozen)


@pytest.mark.parametrize("network", [nn.Conv2d(3, 2, 1), lraspp_mobilenet_v3_large(2)])
def test_other_networks_cannot_be_split(network):
    assert not has_frozen_prefix(network, list(network.modules()))


class OneLayer(nn.Module):
    """A third-party network whose backbone is a layer without children."""

    def __init__(self):
        super().__init__()
        self.backbone = Features(3, 4, 1)
        self.head = nn.Sequential(nn.Conv2d(4, 2, 1))

    def forward(self, image):
        return {"out": self.head(self.backbone(image)["out"])}

    def backbone_and_heads(self):
        return self.backbone, {"out": self.head}


class Features(nn.Conv2d):
    def forward(self, image):
        return {"out": super().forward(image)}


def test_any_network_with_backbone_and_heads_can_be_split():
    network = OneLayer().eval()
    prefix = FrozenPrefix(network, [network.backbone])
    images = torch.randn(2, 3, 8, 8)
    with torch.inference_mode():
        logits = prefix.logits(prefix.features(images))
        assert torch.equal(logits["out"], network(images)["out"])


@pytest.mark.parametrize("frozen", [[], ["head"]])
def test_a_trained_backbone_without_children_cannot_be_split_off(frozen):
    network = OneLayer()
    assert not has_frozen_prefix(network, [network.get_submodule(name) for name in frozen])


def test_a_backbone_with_its_own_parameter_is_more_than_its_children():
    network = OneLayer()
    network.backbone = nn.Sequential(nn.Conv2d(3, 4, 1))
    assert has_frozen_prefix(network, list(network.backbone))
    network.backbone.scale = nn.Parameter(torch.ones(1))
    assert not has_frozen_prefix(network, list(network.backbone))
    assert has_frozen_prefix(network, [network.backbone])
