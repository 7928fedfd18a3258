"""Which layers of a chain are still random, and that they learn until a stage has trained them."""

import logging
from dataclasses import replace

import pytest
import torch

from aerialseg.models.networks import lraspp_mobilenet_v3_large
from aerialseg.models.weights.loading import expected_fresh, load_weights
from aerialseg.storage.checkpoints import describe, write_checkpoint
from aerialseg.training.build import build_data, build_module
from aerialseg.training.stage_check import check_stage
from helpers.composing import experiment
from helpers.tiny_data import write_folders

GROUPS = (
    "model.layer_groups=[backbone,classifier.cbr,classifier.scale,"
    "[classifier.low_classifier,classifier.high_classifier]]"
)
HEADS = ("classifier.cbr", "classifier.scale")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("fresh") / "field", [f"{i}" for i in range(8)])


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """The weights of a backbone alone."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save(lraspp_mobilenet_v3_large(3).backbone.state_dict(), path)
    return path


def config(root, *overrides):
    return experiment(
        "data=folders",
        f"data.root={root}",
        "data/classes=dubai",
        "data.image_min_size=null",
        "model=lraspp_mobilenet_v3_large",
        GROUPS,
        "model.fine_tune_start.head=3",
        "model.fine_tune_start.decoder=3",
        "model.fine_tune_start.aspp=2",
        "trainer=cpu",
        "logger=none",
        *overrides,
    )


def built(root, *overrides):
    chosen = config(root, *overrides)
    return build_module(chosen, build_data(chosen))[0]


def saved(module, path, **changes):
    """The checkpoint of a stage, as if it had been trained."""
    state = {f"network.{k}": v for k, v in module.network.state_dict().items()}
    content = {"state_dict": state}
    describe(content, replace(module.description, **changes))
    write_checkpoint(path, content)
    return f"stage.init_checkpoint={path}"


def trained(module):
    return {name for name, p in module.network.named_parameters() if p.requires_grad}


def top(names):
    return {
        ".".join(name.split(".")[:2]) if "backbone" not in name else "backbone" for name in names
    }


FINAL = {"classifier.low_classifier", "classifier.high_classifier"}


def test_what_the_weights_do_not_give_learns_once_and_is_then_frozen(root, backbone, tmp_path):
    head = built(root, "stage=head", f"model.weights={backbone}")
    assert top(trained(head)) == {*HEADS, *FINAL}
    assert head.description.fresh == []
    decoder = built(root, "stage=decoder", saved(head, tmp_path / "head.ckpt"))
    assert top(trained(decoder)) == FINAL


def test_what_was_frozen_at_random_is_known_to_be_random_later(root, backbone, tmp_path):
    frozen = ("stage.fresh=freeze",)
    head = built(root, "stage=head", f"model.weights={backbone}", *frozen)
    assert top(trained(head)) == FINAL
    assert head.description.fresh == list(HEADS)
    start = saved(head, tmp_path / "head.ckpt")
    decoder = built(root, "stage=decoder", start, *frozen)
    assert decoder.description.fresh == list(HEADS)
    assert top(trained(built(root, "stage=decoder", start))) == {*HEADS, *FINAL}
    aspp = built(root, "stage=aspp", saved(decoder, tmp_path / "decoder.ckpt"), *frozen)
    assert aspp.description.fresh == ["classifier.cbr"]


def test_a_checkpoint_taken_for_weights_says_it_too(root, backbone, tmp_path):
    head = built(root, "stage=head", f"model.weights={backbone}", "stage.fresh=freeze")
    path = tmp_path / "head.ckpt"
    saved(head, path)
    assert top(trained(built(root, "stage=head", f"model.weights={path}"))) == {*HEADS, *FINAL}


def test_random_weights_leave_nothing_frozen(root):
    module = built(root, "stage=head", "model.weights=none")
    assert trained(module) == {name for name, _ in module.network.named_parameters()}
    assert module.frozen_prefix is None


def test_a_checkpoint_of_an_older_release_is_taken_for_trained_with_a_warning(
    root, backbone, tmp_path, caplog
):
    head = built(root, "stage=head", f"model.weights={backbone}")
    start = saved(head, tmp_path / "old.ckpt", fresh=None)
    with caplog.at_level(logging.WARNING):
        decoder = built(root, "stage=decoder", start)
    assert top(trained(decoder)) == FINAL
    assert any("which of its layers are still random" in line for line in caplog.messages)


def test_the_check_says_what_is_random_and_what_becomes_of_it(root, backbone, caplog):
    caplog.set_level(logging.INFO)
    check_stage(config(root, "stage=head", f"model.weights={backbone}"))
    assert (
        "classifier.cbr, classifier.scale: still random, so trained too, though below "
        "stage.fine_tune_start"
    ) in caplog.messages
    caplog.clear()
    check_stage(config(root, "stage=head", f"model.weights={backbone}", "stage.fresh=freeze"))
    (warning,) = [r.getMessage() for r in caplog.records if "stage.fresh" in r.getMessage()]
    assert warning.startswith("stage.fresh=freeze: classifier.cbr, classifier.scale stay random")


def test_a_stage_checked_before_its_predecessor_is_trained_takes_that_for_done(root, caplog):
    caplog.set_level(logging.INFO)
    check_stage(config(root, "stage=decoder", "model.weights=none"), place="later")
    assert not any("still random" in line for line in caplog.messages)


@pytest.mark.parametrize("weights", ["none", "backbone", "whole"])
def test_what_will_be_random_is_known_without_loading(backbone, tmp_path, weights):
    network, final = lraspp_mobilenet_v3_large(3), tuple(sorted(FINAL))
    source = {"none": "none", "backbone": str(backbone), "whole": str(tmp_path / "w.pth")}[weights]
    torch.save(lraspp_mobilenet_v3_large(21).state_dict(), tmp_path / "w.pth")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    expected = expected_fresh(network, source, final_layers=final)
    assert all(torch.equal(before[name], own) for name, own in network.state_dict().items())
    report = load_weights(network, source, final_layers=final, weights_dir=tmp_path)
    assert set(expected) == set(report.fresh_tensors)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("COCO_WITH_VOC_LABELS_V1", FINAL),
        ("MobileNet_V3_Large_Weights.IMAGENET1K_V2", {*HEADS, *FINAL}),
    ],
)
def test_published_weights_are_known_without_a_download(name, parts):
    network, final = lraspp_mobilenet_v3_large(3), tuple(sorted(FINAL))
    assert top(expected_fresh(network, name, final_layers=final)) == parts
