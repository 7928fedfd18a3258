import numpy as np
import pytest
import torch

from aerialseg.errors import AerialsegError
from aerialseg.inference.image_batches import stream_logits
from aerialseg.inference.predictor import Predictor
from aerialseg.models.networks import lraspp_mobilenet_v3_large
from aerialseg.storage.checkpoints import describe, write_checkpoint
from helpers.tiny_training import describe_run

SIZES = [(40, 60), (40, 60), (40, 60), (60, 40), (40, 60), (33, 51), (33, 51)]
IMAGES = [
    (f"{row}", np.random.default_rng(row).integers(0, 256, (*size, 3), dtype=np.uint8))
    for row, size in enumerate(SIZES)
]


@pytest.fixture
def predictor(tmp_path):
    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(3)
    content = {"state_dict": {f"network.{k}": v for k, v in network.state_dict().items()}}
    described = {"_target_": "aerialseg.models.networks.lraspp_mobilenet_v3_large"}
    describe(content, describe_run(network=described | {"num_classes": 3}, image_min_size=32))
    write_checkpoint(tmp_path / "best.ckpt", content)
    return Predictor(tmp_path / "best.ckpt")


@pytest.fixture
def batches(predictor, monkeypatch):
    """How many images went through the network together, call by call."""
    sizes, plain = [], predictor.batch_logits

    def counted(images):
        sizes.append(len(images))
        return plain(images)

    monkeypatch.setattr(predictor, "batch_logits", counted)
    return sizes


def test_neighbours_of_one_size_are_predicted_together_in_their_order(predictor, batches):
    found = list(stream_logits(predictor, iter(IMAGES)))
    assert batches == [3, 1, 1, 2]
    assert [key for key, _, _ in found] == [key for key, _ in IMAGES]
    assert all(image is given for (_, image, _), (_, given) in zip(found, IMAGES, strict=True))


def test_masks_are_those_of_one_image_at_a_time(predictor):
    for _, image, logits in stream_logits(predictor, iter(IMAGES)):
        assert torch.allclose(logits, predictor.logits(image), atol=1e-4)
        size = image.shape[:2]
        alone = predictor.predict(image)
        sure = predictor.logits(image).sort(1).values
        apart = torch.nn.functional.interpolate((sure[:, -1] - sure[:, -2])[None], size)[0, 0]
        same = predictor.labels(logits, size) == alone
        assert same[(apart > 1e-3).numpy()].all(), "another class, and not for rounding"


def test_few_images_are_in_memory_at_once(predictor, batches):
    read = []

    def images():
        for row in range(40):
            read.append(row)
            yield row, IMAGES[0][1]

    first = next(stream_logits(predictor, images()))
    assert first[0] == 0
    assert len(read) <= 17
    assert batches == [16]


def test_large_images_go_alone(predictor, batches):
    predictor.image_min_size = 600
    predictor._chosen = 600
    images = [(row, IMAGES[0][1]) for row in range(2)]
    list(stream_logits(predictor, iter(images)))
    assert batches == [1, 1]


def test_a_batch_that_needs_too_much_memory_goes_one_at_a_time(predictor, monkeypatch):
    plain = predictor.logits_of

    def limited(images):
        if len(images) > 1:
            raise AerialsegError("an image of 60x40 pixels needs more memory")
        return plain(images)

    monkeypatch.setattr(predictor, "logits_of", limited)
    found = list(stream_logits(predictor, iter(IMAGES)))
    assert len(found) == len(IMAGES)
    assert torch.equal(found[1][2], predictor.logits(IMAGES[1][1]))
