"""Averages of views and networks against means by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from aerialseg.classes import ClassTable
from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.errors import CheckpointError
from aerialseg.inference.class_uncertainty import class_uncertainty
from aerialseg.inference.ensemble import AveragedPredictor, members_of, name_of, protocol_of
from aerialseg.inference.image_views import Views
from aerialseg.inference.predictor import Predictor
from aerialseg.models.networks import lraspp_mobilenet_v3_large
from aerialseg.storage.checkpoints import describe, write_checkpoint
from helpers.tiny_training import CLASSES, describe_run

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 36, 3), dtype=np.uint8)
LRASPP = {"_target_": "aerialseg.models.networks.lraspp_mobilenet_v3_large", "num_classes": 3}


class Pixelwise(nn.Module):
    """The colours of each pixel are its logits, so mirrored images have mirrored logits."""

    def forward(self, x):
        return {"out": 2 * x}


class Slanted(nn.Module):
    """The further right and down, the more likely is the last class."""

    def forward(self, x):
        rows, columns = (torch.linspace(0, 1, n) for n in x.shape[2:])
        logits = x.clone()
        logits[:, 2] += 3 * columns[None, None] + 2 * rows[None, :, None]
        return {"out": logits}


class Constant(nn.Module):
    """The same logits everywhere; remembers the sizes of what it saw."""

    def __init__(self, *probabilities):
        super().__init__()
        self.logits = torch.tensor(probabilities).log()[None, :, None, None]
        self.seen = []

    def forward(self, x):
        self.seen.append(tuple(x.shape[2:]))
        return {"out": self.logits.expand(len(x), -1, *x.shape[2:])}


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(3)
    return {f"network.{name}": tensor for name, tensor in network.state_dict().items()}


@pytest.fixture
def make(state, tmp_path):
    """A predictor of a checkpoint, with another network put in."""

    def make(network=None, *, name="a", **changes):
        content = {"state_dict": state}
        facts = {"network": LRASPP, "image_min_size": None} | changes
        describe(content, describe_run(**facts))
        path = tmp_path / f"{name}.ckpt"
        write_checkpoint(path, content)
        predictor = Predictor(path)
        if network is not None:
            predictor.network = network
        return predictor

    return make


def probabilities(predictor, image=IMAGE):
    return predictor.logits(image).softmax(1)


@pytest.mark.parametrize("flips", ["horizontal", "both"])
def test_flips_change_nothing_of_a_network_that_is_equivariant(make, flips):
    plain = make(Pixelwise())
    averaged = AveragedPredictor([plain], Views([1.0], flips))
    assert torch.allclose(probabilities(averaged), probabilities(plain), atol=1e-6)
    assert np.array_equal(averaged.predict(IMAGE), plain.predict(IMAGE))
    mask, confidence = averaged.predict_with_confidence(IMAGE)
    before, sure = plain.predict_with_confidence(IMAGE)
    assert np.array_equal(mask, before)
    assert np.abs(confidence.astype(int) - sure).max() <= 1


def test_flips_are_the_mean_of_the_mirrored_images_by_hand(make):
    plain = make(Slanted())
    p = {
        key: probabilities(plain, np.ascontiguousarray(image)).numpy()[0]
        for key, image in {
            "": IMAGE, "h": IMAGE[:, ::-1], "v": IMAGE[::-1], "hv": IMAGE[::-1, ::-1]
        }.items()
    }  # fmt: skip
    two = (p[""] + p["h"][:, :, ::-1]) / 2
    four = (two * 2 + p["v"][:, ::-1] + p["hv"][:, ::-1, ::-1]) / 4
    for flips, wanted in (("horizontal", two), ("both", four)):
        averaged = AveragedPredictor([plain], Views([1.0], flips))
        assert np.allclose(probabilities(averaged)[0].numpy(), wanted, atol=1e-6)
        assert np.array_equal(averaged.predict(IMAGE), wanted.argmax(0))
    assert not np.array_equal(two.argmax(0), p[""].argmax(0)), "the comparison means nothing"


def test_scales_are_the_mean_of_the_resized_images_at_the_largest_size_by_hand(make):
    plain = make(Slanted(), image_min_size=20)
    averaged = AveragedPredictor([plain], Views([0.5, 1.0, 1.5]))
    found = probabilities(averaged)
    sizes = [(10, 15), (20, 30), (30, 45)]
    wanted = torch.zeros(1, 3, 30, 45)
    for size in sizes:
        seen = resize_keep_aspect(IMAGE, size[0])
        assert seen.shape[:2] == size
        each = plain.batch_logits(seen[None]).softmax(1)
        wanted += nn.functional.interpolate(each, (30, 45), mode="bilinear") / 3
    assert torch.allclose(found, wanted, atol=1e-5)
    assert averaged.predict(IMAGE).shape == (24, 36)


def test_views_of_larger_scales_are_made_from_the_image_and_not_from_the_resized_one(make):
    network = Constant(0.5, 0.3, 0.2)
    AveragedPredictor([make(network, image_min_size=12)], Views([1.0, 2.0])).predict(IMAGE)
    assert network.seen == [(12, 18), (24, 36)]


def test_one_checkpoint_twice_is_that_checkpoint(make):
    plain = make()
    twice = AveragedPredictor([plain, make(name="b")])
    assert torch.allclose(probabilities(twice), probabilities(plain), atol=1e-6)
    logits = plain.logits(IMAGE).sort(1).values
    apart = nn.functional.interpolate((logits[:, -1] - logits[:, -2])[None], IMAGE.shape[:2])[0, 0]
    differ = twice.predict(IMAGE) != plain.predict(IMAGE)
    assert not differ[(apart > 1e-3).numpy()].any(), "another class, and not for rounding"


def test_class_and_confidence_are_those_of_the_mean_probabilities(make):
    sure, doubtful = Constant(0.9, 0.08, 0.02), Constant(0.1, 0.45, 0.45)
    averaged = AveragedPredictor([make(sure), make(doubtful, name="b")])
    mask, confidence = averaged.predict_with_confidence(IMAGE)
    assert set(mask.ravel()) == {0}
    assert set(confidence.ravel()) == {round(0.5 * 255)}
    mean = np.array([0.5, 0.265, 0.235])
    doubt = class_uncertainty(averaged.logits(IMAGE))
    assert np.allclose(doubt, mean * (1 - mean), atol=1e-6)


def test_what_is_impossible_is_no_missing_number(make):
    network = Constant(1.0, 0.0, 0.0)
    averaged = AveragedPredictor([make(network)], Views([1.0, 2.0], "both"))
    mask, confidence = averaged.predict_with_confidence(IMAGE[:21, :33])
    assert set(mask.ravel()) == {0}
    assert set(confidence.ravel()) == {255}
    assert np.allclose(class_uncertainty(averaged.logits(IMAGE)), 0, atol=1e-6)


def test_each_network_resizes_and_normalises_by_its_own_rule(make):
    small, large = Constant(0.6, 0.2, 0.2), Constant(0.2, 0.6, 0.2)
    members = [make(small, image_min_size=12), make(large, name="b", mean=[0, 0, 0])]
    averaged = AveragedPredictor(members)
    assert torch.allclose(probabilities(averaged)[0, :, 0, 0], torch.tensor([0.4, 0.4, 0.2]))
    assert (small.seen, large.seen) == ([(12, 18)], [(24, 36)])
    slanted = [make(Slanted()), make(Slanted(), name="b", mean=[0, 0, 0])]
    mean = (probabilities(slanted[0]) + probabilities(slanted[1])) / 2
    assert torch.allclose(probabilities(AveragedPredictor(slanted)), mean, atol=1e-6)


def test_parts_of_images_are_seen_as_large_as_in_the_whole(make):
    networks = [Constant(0.6, 0.2, 0.2), Constant(0.2, 0.6, 0.2)]
    small = make(networks[0], image_min_size=100, original_min_size=200)
    large = make(networks[1], image_min_size=150, original_min_size=200)
    members = [small, large]
    averaged = AveragedPredictor(members, Views([1.0, 2.0]))
    logits = averaged.batch_logits(np.stack([IMAGE, IMAGE]))
    assert logits.shape == (2, 3, 72, 108)
    assert [network.seen for network in networks] == [[(24, 36), (48, 72)], [(36, 54), (72, 108)]]
    assert torch.allclose(logits.exp()[:, :, 5, 5], torch.tensor([[0.4, 0.4, 0.2]] * 2))


def test_parts_of_images_are_seen_at_the_scales_of_training(make):
    networks = [Constant(0.6, 0.2, 0.2), Constant(0.2, 0.6, 0.2)]
    halved = make(networks[0], image_min_size=100, original_min_size=200)
    whole = make(networks[1], name="b", image_min_size=None, original_min_size=700)
    AveragedPredictor([halved, whole]).batch_logits(IMAGE[None])
    assert [network.seen for network in networks] == [[(24, 36)], [(48, 72)]]


def test_parts_of_images_are_seen_at_the_size_that_was_typed(make):
    members = [make(image_min_size=100, original_min_size=200), make(name="b", image_min_size=None)]
    typed = [Predictor(each.checkpoint, image_min_size=50) for each in members]
    networks = [Constant(0.6, 0.2, 0.2), Constant(0.2, 0.6, 0.2)]
    for each, network in zip(typed, networks, strict=True):
        each.network = network
    AveragedPredictor(typed).batch_logits(IMAGE[None])
    assert [network.seen for network in networks] == [[(24, 36)], [(24, 36)]]


@pytest.mark.parametrize(
    ("names", "difference"),
    [
        (
            ["ground", "tree", "car"],
            "3 classes, a.ckpt on 3; the first difference is class 1: 'tree'",
        ),
        (["ground", "car"], "2 classes, a.ckpt on 3; the first difference is class 2: 'none'"),
    ],
)
def test_networks_of_other_classes_are_refused(make, names, difference):
    first, other = make(), make(name="b")
    other.classes = ClassTable.from_mapping({name: [i, 0, 0] for i, name in enumerate(names)})
    with pytest.raises(CheckpointError) as error:
        AveragedPredictor([first, other])
    (line,) = error.value.problems
    assert difference in line.replace(f"{first.checkpoint.parent}/", "")
    assert line.startswith(str(other.checkpoint))


def test_networks_that_read_files_in_another_way_are_refused(make):
    first, other = make(), make(name="b")
    other.reading = replace(other.reading, bands=(1, 2, 4))
    with pytest.raises(CheckpointError, match="reads images in another way than"):
        AveragedPredictor([first, other])


def test_the_same_colours_are_no_condition(make):
    other = {name: [i, 1, 2] for i, name in enumerate(CLASSES)}
    assert AveragedPredictor([make(), make(name="b", classes=other)]).classes.names == tuple(
        CLASSES
    )


def test_what_any_was_trained_on_was_trained_on(make):
    one = make(trained_images={"1": ["a"], "2": ["b"]}, validated_images={"3": ["c"], "4": ["d"]})
    two = make(name="b", trained_images={"3": ["c"]}, validated_images={"4": ["d"], "5": ["e"]})
    seen = AveragedPredictor([one, two]).description.seen
    assert seen.trained == {"1": ["a"], "2": ["b"], "3": ["c"]}
    assert seen.validated == {"4": ["d"], "5": ["e"]}
    assert AveragedPredictor([one, make(name="c")]).description.seen is None


def test_names_and_protocols(make):
    one, two = make(), make(name="b")
    views = Views([1.0, 1.33], "horizontal")
    assert protocol_of(one) == "single scale"
    assert protocol_of(AveragedPredictor([one], views)) == "scales 1, 1.33, horizontal flip"
    assert protocol_of(AveragedPredictor([one, two])) == "2 checkpoints, single scale"
    both = AveragedPredictor([one, two], views)
    assert protocol_of(both) == "2 checkpoints, scales 1, 1.33, horizontal flip"
    assert (name_of(one), name_of(both)) == (
        str(Path(one.checkpoint)),
        "the ensemble of 2 checkpoints",
    )
    assert members_of(one) == (one,)
    assert members_of(both) == (one, two)
