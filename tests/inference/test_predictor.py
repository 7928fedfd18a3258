import copy
import os

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from aerialseg.classes import ClassTable
from aerialseg.errors import CheckpointError
from aerialseg.inference.predictor import Predictor, native_device
from aerialseg.models import networks
from aerialseg.storage.checkpoints import describe, write_checkpoint
from helpers.tiny_training import CLASSES, describe_run

BUILDERS = "aerialseg.models.networks"
LRASPP = {"_target_": f"{BUILDERS}.lraspp_mobilenet_v3_large", "num_classes": 3}


@pytest.fixture(scope="module")
def network():
    """A checkpoint with BatchNorm statistics of the images and balanced classes."""
    torch.manual_seed(0)
    network = networks.lraspp_mobilenet_v3_large(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    images = np.stack([(random_image(96, 96, seed) - 100.0) / 70 for seed in range(4)])
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        network(batch)
        mean = network.eval()(batch)["out"].mean((0, 2, 3))
        network.classifier.low_classifier.bias -= mean
    return network


@pytest.fixture
def write(tmp_path, network):
    def write(**changes):
        state = changes.pop("state", None) or network.state_dict()
        content = {"state_dict": {f"network.{name}": tensor for name, tensor in state.items()}}
        describe(content, describe_run(**{"network": LRASPP} | changes))
        path = tmp_path / "best.ckpt"
        write_checkpoint(path, content)
        return path

    return write


def random_image(height, width, seed=0):
    """An image with patches of different colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)


def logits_by_hand(network, image, size):
    """Normalised and resized without any of our own functions."""
    height, width = image.shape[:2]
    if size is not None:
        scale = size / min(height, width)
        target = (int(width * scale + 0.5), int(height * scale + 0.5))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(image, target, interpolation=way)
    scaled = (image / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    batch = torch.from_numpy(scaled.transpose(2, 0, 1)).float()[None]
    with torch.no_grad():
        logits = copy.deepcopy(network).eval()(batch)["out"]
    return F.interpolate(logits, (height, width), mode="bilinear", align_corners=False)[0]


@pytest.mark.parametrize("size", [None, 48, 96])
@pytest.mark.parametrize("shape", [(64, 64), (75, 101), (131, 49), (33, 200)])
def test_a_mask_has_the_original_size_and_equals_a_manual_forward(write, network, shape, size):
    image = random_image(*shape)
    mask = Predictor(write(image_min_size=size)).predict(image)
    assert mask.shape == shape
    assert mask.dtype == np.uint8
    logits = logits_by_hand(network, image, size)
    best = logits.max(0)
    chosen = logits.gather(0, torch.from_numpy(mask).long()[None])[0]
    assert float((best.values - chosen).max()) < 1e-4, "another class, and not for rounding"
    assert (best.indices.numpy() == mask).mean() > 0.99


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16"])
def test_half_precision_is_nearly_the_same(write, precision):
    image, path = random_image(75, 101), write(image_min_size=None)
    whole, half = Predictor(path), Predictor(path, precision=precision)
    agree = (whole.predict(image) == half.predict(image)).mean()
    assert 0.9 < agree < 1, "as precise as single precision, so it is not half"


def test_the_masks_are_not_all_of_one_class(write):
    """Otherwise the comparisons above would be meaningless."""
    mask = Predictor(write(image_min_size=None)).predict(random_image(75, 101))
    assert np.bincount(mask.ravel(), minlength=3).min() > 100


def test_the_image_is_not_changed_and_predictions_are_repeatable(write):
    predictor, image = Predictor(write()), random_image(40, 50)
    before = image.copy()
    first = predictor.predict(image)
    assert np.array_equal(image, before)
    assert np.array_equal(predictor.predict(image), first)
    flipped = image[:, ::-1]
    assert np.array_equal(predictor.predict(flipped), predictor.predict(flipped.copy()))


PIXELS = random_image(40, 50)


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (PIXELS.astype(np.float32) / 255, "a float32 array of shape (40, 50, 3)"),
        (PIXELS.astype(np.uint16) * 257, "a uint16 array of shape (40, 50, 3)"),
        (PIXELS > 127, "a bool array of shape (40, 50, 3)"),
        (PIXELS[..., 0], "a uint8 array of shape (40, 50)"),
        (np.dstack([PIXELS, PIXELS[..., :1]]), "a uint8 array of shape (40, 50, 4)"),
        (PIXELS.transpose(2, 0, 1), "a uint8 array of shape (3, 40, 50)"),
        (PIXELS[:0], "a uint8 array of shape (0, 50, 3)"),
        (PIXELS[:, :0], "a uint8 array of shape (40, 0, 3)"),
        (torch.from_numpy(PIXELS), "a Tensor"),
        ("image.jpg", "a str"),
        (None, "a NoneType"),
    ],
)
def test_what_is_no_rgb_image_of_bytes_is_refused_in_one_line(write, image, got):
    with pytest.raises(ValueError, match="wanted a uint8 array") as error:
        Predictor(write()).predict(image)
    assert str(error.value) == (
        f"image: got {got}; wanted a uint8 array of shape (H, W, 3), RGB from 0 to 255; read a "
        "file by np.asarray(PIL.Image.open(path).convert('RGB')), turn floats from 0 to 1 into "
        "(image * 255).round().astype(np.uint8)"
    )


def test_the_smallest_image_is_one_pixel(write):
    assert Predictor(write()).predict(PIXELS[:1, :1]).shape == (1, 1)


def test_the_classes_come_from_the_checkpoint(write):
    predictor = Predictor(write())
    assert predictor.classes.to_mapping() == CLASSES
    assert predictor.description.stage == "aspp"


@pytest.mark.parametrize(
    "target",
    [
        "os.mkdir",
        "torchvision.models.segmentation.lraspp_mobilenet_v3_large",
        "aerialseg.models.networks.os.system",
        "aerialseg.models.freeze_plan.FreezePlan",
        f"{BUILDERS}.unheard_of",
        f"{BUILDERS}._check_known",
        f"{BUILDERS}.lraspp_mobilenet_v3_large.__call__",
        f"{BUILDERS}.__doc__",
        f"{BUILDERS}.ConfigError",
        f"{BUILDERS}.nn",
        f"{BUILDERS}.encoder_decoder.EncoderDecoder",
        f"{BUILDERS}.encoder_decoder._check_known",
        f"{BUILDERS}.registry.find_builder",
        "lraspp_mobilenet_v3_large",
        "",
    ],
)
def test_a_checkpoint_may_only_name_a_registered_builder(write, tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    path = write(network={"_target_": target, "num_classes": 3})
    with pytest.raises(CheckpointError) as error:
        Predictor(path)
    (line,) = error.value.problems
    assert line == (
        f"{path}: names the network '{target}'; only builders of {BUILDERS} are accepted, "
        "and those that installed packages register as aerialseg.networks"
    )
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, f"{path.name}.sha256"}


@pytest.mark.parametrize(
    "described",
    [
        LRASPP | {"num_classes": 4},
        LRASPP | {"aux_head": True},
        {"_target_": LRASPP["_target_"]},
        {"_target_": f"{BUILDERS}.deeplabv3_mobilenet_v3_large", "num_classes": 3},
    ],
)
def test_tensors_that_do_not_fit_the_description_are_refused(write, described):
    path = write(network=described)
    with pytest.raises(CheckpointError) as error:
        Predictor(path)
    (line,) = error.value.problems
    assert line.startswith(f"{path}: does not fit the network it describes: ")
    assert "\n" not in line
    assert len(line) < 400


def test_functions_imported_by_builders_are_refused(write, monkeypatch):
    monkeypatch.setattr(networks, "mkdir", os.makedirs, raising=False)
    with pytest.raises(CheckpointError, match="names the network"):
        Predictor(write(network={"_target_": f"{BUILDERS}.mkdir", "name": "x"}))


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        Predictor(tmp_path / "best.ckpt")


@pytest.mark.parametrize("has_gpu", [True, False])
def test_the_device_follows_the_accelerator(monkeypatch, has_gpu):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    gpu = "cuda" if has_gpu else "cpu"
    assert [native_device(name) for name in ("auto", "gpu", "cuda", "cpu")] == [gpu] * 3 + ["cpu"]
    assert native_device() == gpu


@pytest.mark.parametrize(
    ("names", "difference"),
    [
        (["ground", "car", "bush"], "the data has 3; the first difference is class 2: 'tree' in"),
        (["ground", "car"], "2; the first difference is class 2: 'tree' in the checkpoint, none"),
        (
            ["ground", "car", "tree", "sea"],
            "4; the first difference is class 3: none in the checkpoint, 'sea' in the data; choose",
        ),
        (["car", "ground", "tree"], "class 0: 'ground' in the checkpoint, 'car' in the data;"),
    ],
)
def test_data_of_other_classes_are_refused_by_the_first_that_differs(write, names, difference):
    path = write()
    classes = ClassTable.from_mapping({name: [i, 0, 0] for i, name in enumerate(names)})
    with pytest.raises(CheckpointError) as error:
        Predictor(path).check_classes(classes)
    (line,) = error.value.problems
    assert line.startswith(f"{path}: was trained on 3 classes, the data has ")
    assert difference in line


def test_data_of_the_same_classes_may_have_other_colours(write):
    colours = {name: [i, 1, 2] for i, name in enumerate(CLASSES)}
    Predictor(write()).check_classes(ClassTable.from_mapping(colours))
