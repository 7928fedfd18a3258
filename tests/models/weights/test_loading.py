import os
from pathlib import Path

import pytest
import torch
from torch import nn

from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.models import networks
from aerialseg.models.weights.loading import fit, is_file_name, load_weights

REAL_WEIGHTS = os.environ.get("AERIALSEG_REAL_WEIGHTS")
FINAL_LAYERS = ("classifier.1", "aux_classifier.1")


class Small(nn.Module):
    """A tiny network with the names of torchvision's segmentation networks."""

    def __init__(self, num_classes, *, aux_head=True, width=4):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, width, 1), nn.BatchNorm2d(width))
        self.classifier = nn.Sequential(nn.Conv2d(width, 2, 1), nn.Conv2d(2, num_classes, 1))
        self.aux_classifier = None
        if aux_head:
            self.aux_classifier = nn.Sequential(
                nn.Conv2d(width, 2, 1), nn.Conv2d(2, num_classes, 1)
            )


def small(num_classes=3, **arguments):
    torch.manual_seed(num_classes)
    return Small(num_classes, **arguments)


def donor(**arguments):
    """Another network's tensors, all different from those of ``small()``."""
    state = small(**arguments).state_dict()
    return {name: tensor + 1 for name, tensor in state.items()}


def load(network, tensors, tmp_path, *, name="given.pth"):
    torch.save(tensors, tmp_path / name)
    return load_file(network, tmp_path / name)


def load_file(network, path):
    return load_weights(network, str(path), final_layers=FINAL_LAYERS, weights_dir=path.parent)


def backbone_of(tensors, prefix):
    return {
        name.replace("backbone.", prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith("backbone.")
    }


def assert_equal(network, tensors):
    state = network.state_dict()
    assert all(torch.equal(state[name], tensor.to(state[name])) for name, tensor in tensors.items())


# What is loaded


def test_none_changes_nothing_and_says_so():
    network, untouched = small(), small().state_dict()
    report = load_weights(network, "none", final_layers=FINAL_LAYERS, weights_dir=Path("x"))
    assert_equal(network, untouched)
    assert str(report) == "weights: none; all 15 tensors are randomly initialised"


def test_a_whole_network_of_the_same_class_count(tmp_path):
    network, tensors = small(), donor()
    report = load(network, tensors, tmp_path)
    assert_equal(network, tensors)
    assert str(report) == "weights: 15 of 15 tensors from given.pth"
    assert report.path == tmp_path / "given.pth"


def test_final_layers_of_another_class_count_are_randomly_initialised(tmp_path):
    network, untouched = small(3), small(3).state_dict()
    tensors = donor(num_classes=21)
    report = load(network, tensors, tmp_path)
    final = {name for name in tensors if name.startswith(FINAL_LAYERS)}
    assert_equal(network, {name: tensors[name] for name in tensors if name not in final})
    assert_equal(network, {name: untouched[name] for name in final})
    assert str(report) == (
        "weights: 11 of 15 tensors from given.pth; "
        "4 randomly initialised: classifier.1 (2), aux_classifier.1 (2)"
    )


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: {"state_dict": tensors, "epoch": 3},
        lambda tensors: {"model": tensors},
        lambda tensors: {f"module.{name}": tensor for name, tensor in tensors.items()},
        lambda tensors: {f"model.{name}": tensor for name, tensor in tensors.items()},
        lambda tensors: {
            "state_dict": {f"network.{name}": tensor for name, tensor in tensors.items()}
            | {"loss.class_weights": torch.ones(3)}
        },
    ],
    ids=["state_dict", "model", "module.", "model.", "ours"],
)
def test_name_prefixes_of_other_programs_and_ours(tmp_path, wrap):
    network, tensors = small(), donor()
    report = load(network, wrap(tensors), tmp_path)
    assert_equal(network, tensors)
    assert (report.loaded, report.total, report.unused) == (15, 15, {})


@pytest.mark.parametrize("prefix", ["backbone.", "features.", ""])
def test_a_backbone_by_itself(tmp_path, prefix):
    network, untouched, tensors = small(), small().state_dict(), donor()
    report = load(network, backbone_of(tensors, prefix), tmp_path)
    assert_equal(network, backbone_of(tensors, "backbone."))
    assert_equal(network, {name: untouched[name] for name in untouched if "classifier" in name})
    assert str(report) == (
        "weights: 7 of 15 tensors from given.pth (backbone); "
        "8 randomly initialised: classifier (4), aux_classifier (4)"
    )


@pytest.mark.parametrize("head", ["classifier.3", "fc"])
def test_the_head_of_a_classification_network_is_not_used(tmp_path, head):
    network = small()
    tensors = backbone_of(donor(), "features.")
    tensors |= {f"{head}.weight": torch.ones(10, 4), f"{head}.bias": torch.ones(10)}
    report = load(network, tensors, tmp_path)
    assert report.loaded == 7
    assert str(report).endswith(f"; 2 of the file unused: {head.partition('.')[0]} (2)")


def test_an_auxiliary_head_that_is_off_is_not_used(tmp_path):
    report = load(small(aux_head=False), donor(), tmp_path)
    assert str(report) == (
        "weights: 11 of 11 tensors from given.pth; 4 of the file unused: aux_classifier (4)"
    )


def test_an_auxiliary_head_that_the_file_lacks_is_randomly_initialised(tmp_path):
    report = load(small(), donor(aux_head=False), tmp_path)
    assert report.fresh == {"aux_classifier": 4}


def test_half_precision_is_cast_up(tmp_path):
    network = small()
    tensors = {n: t.half() if t.is_floating_point() else t for n, t in donor().items()}
    load(network, tensors, tmp_path)
    assert_equal(network, tensors)
    assert {tensor.dtype for tensor in network.parameters()} == {torch.float32}


def test_batchnorm_counters_may_be_missing(tmp_path):
    tensors = {name: t for name, t in donor().items() if "num_batches" not in name}
    report = load(small(), tensors, tmp_path)
    assert (report.loaded, report.total, report.fresh) == (14, 14, {})


def test_loading_does_not_unfreeze(tmp_path):
    network = small().requires_grad_(False)
    load(network, donor(), tmp_path)
    assert not any(parameter.requires_grad for parameter in network.parameters())


# What is refused


def without(tensors, name):
    return {other: tensor for other, tensor in tensors.items() if other != name}


@pytest.mark.parametrize(
    ("tensors", "lines"),
    [
        (without(donor(), "backbone.1.weight"), ["missing: backbone.1.weight"]),
        (donor() | {"backbone.9.bias": torch.ones(1)}, ["unknown: backbone.9.bias"]),
        (donor() | {"decoder.bias": torch.ones(1)}, ["unknown: decoder.bias"]),
        (
            donor() | {"classifier.0.bias": torch.ones(5)},
            ["wrong shape: classifier.0.bias (5,) instead of (2,)"],
        ),
        (  # the class count is the first dimension: the others may not differ
            donor() | {"classifier.1.weight": torch.ones(21, 7, 1, 1)},
            ["wrong shape: classifier.1.weight (21, 7, 1, 1) instead of (3, 2, 1, 1)"],
        ),
        (
            without(donor(), "classifier.0.bias") | {f"x.{i}": torch.ones(1) for i in range(5)},
            ["unknown: x.0, x.1, x.2 and 2 more", "missing: classifier.0.bias"],
        ),
    ],
)
def test_mismatches_are_named_and_nothing_is_loaded(tmp_path, tensors, lines):
    network, untouched = small(), small().state_dict()
    with pytest.raises(CheckpointError) as caught:
        load(network, tensors, tmp_path)
    path = tmp_path / "given.pth"
    assert list(caught.value.problems) == [f"{path}: does not fit: {line}" for line in lines]
    assert_equal(network, untouched)


@pytest.mark.parametrize(
    ("tensors", "fitting"),
    [
        (donor(width=8), 1),  # of a BatchNorm only the counter fits
        ({"encoder.weight": torch.ones(3)}, 0),
        ({name: tensor for name, tensor in donor().items() if "classifier" in name}, 0),
    ],
    ids=["wider", "other names", "no backbone"],
)
def test_a_file_of_another_network_is_one_line(tmp_path, tensors, fitting):
    with pytest.raises(CheckpointError) as caught:
        load(small(), tensors, tmp_path)
    assert len(caught.value.problems) == 1
    assert f"is of another network: it has {fitting} of the 7 tensors" in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere\.pth: no such file$"):
        load_file(small(), tmp_path / "nowhere.pth")


def test_a_network_without_published_weights_knows_no_names(tmp_path):
    with pytest.raises(ConfigError, match=r"none is published for this network"):
        load_weights(small(), "V1", final_layers=FINAL_LAYERS, weights_dir=tmp_path)


@pytest.mark.parametrize(
    ("weights", "is_file"),
    [
        ("a/b", True),
        ("backbone.pth", True),
        ("best.ckpt", True),
        ("model.safetensors", True),
        ("COCO_WITH_VOC_LABELS_V1", False),
        ("MobileNet_V3_Large_Weights.IMAGENET1K_V2", False),
        ("imagenet", False),
    ],
)
def test_files_and_names_are_distinguished(weights, is_file):
    assert is_file_name(weights) is is_file


# The real network


@pytest.fixture(scope="module")
def mobilenet():
    return networks.deeplabv3_mobilenet_v3_large(12, aux_head=True)


def test_the_file_that_torchvision_publishes_fits(mobilenet):
    from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large

    torch.manual_seed(5)
    published = deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=21, aux_loss=True
    )
    layers = ("classifier.4", "aux_classifier.4")
    report = fit(mobilenet, published.state_dict(), path=Path("coco.pth"), final_layers=layers)
    assert (report.loaded, report.total) == (356, 360)
    assert report.fresh == {"classifier.4": 2, "aux_classifier.4": 2}


def test_the_classification_network_that_torchvision_publishes_fits(mobilenet):
    from torchvision.models import mobilenet_v3_large

    published = mobilenet_v3_large(weights=None).state_dict()
    report = fit(mobilenet, published, path=Path("imagenet.pth"), final_layers=("classifier.4",))
    assert (report.loaded, report.part) == (308, "backbone")
    assert report.unused == {"classifier": 4}
    assert_equal(mobilenet, {"backbone.0.0.weight": published["features.0.0.weight"]})


@pytest.mark.skipif(REAL_WEIGHTS is None, reason="AERIALSEG_REAL_WEIGHTS names no backbone file")
def test_a_real_backbone_fits(mobilenet):
    path = Path(str(REAL_WEIGHTS))
    report = load_file(mobilenet, path)
    assert str(report) == (
        f"weights: 308 of 360 tensors from {path.name} (backbone); "
        "52 randomly initialised: classifier (44), aux_classifier (8)"
    )
    assert all(torch.isfinite(tensor).all() for tensor in mobilenet.state_dict().values())
