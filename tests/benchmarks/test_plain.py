"""The plain training: what it leaves out, pads and stops, and that it follows the recipe."""

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from aerialseg.data.layouts.listing import Sample
from benchmarks.experiment import STAGES
from benchmarks.plain.data import PlainDataset, padded
from benchmarks.plain.loss import dice_cross_entropy
from benchmarks.plain.seed import plain_stage, seed_stage, train
from benchmarks.plain.step import labelled
from benchmarks.plain.training import patient
from benchmarks.scores import read_scores
from helpers.composing import CONF


def test_ignored_pixels_change_neither_loss_nor_gradient():
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    target = torch.randint(0, 3, (2, 4, 5))
    target[:, :, 3:] = 255
    weights = torch.tensor([1.0, 2.0, 3.0])
    chosen, labels = labelled({"out": logits}, target)
    loss = dice_cross_entropy(chosen["out"], labels, weights)
    cut = dice_cross_entropy(logits[..., :3], target[..., :3], weights)
    torch.testing.assert_close(loss, cut)
    (gradient,) = torch.autograd.grad(loss, logits, retain_graph=True)
    assert not gradient[..., 3:].any()
    torch.testing.assert_close(gradient, torch.autograd.grad(cut, logits)[0])


def test_without_ignored_pixels_nothing_is_rearranged():
    logits, target = {"out": torch.randn(1, 2, 3, 4)}, torch.zeros(1, 3, 4, dtype=torch.int64)
    assert labelled(logits, target) == (logits, target)


def test_smaller_images_are_padded_and_ignored_there():
    samples = [
        (torch.ones(3, *size), torch.ones(size, dtype=torch.int64)) for size in ((2, 4), (3, 3))
    ]
    images, masks = padded(samples)
    assert images.shape == (2, 3, 3, 4)
    assert masks.tolist() == [
        [[1, 1, 1, 1], [1, 1, 1, 1], [255, 255, 255, 255]],
        [[1, 1, 1, 255]] * 3,
    ]
    assert images[1, :, :, 3].eq(0).all()


def test_colours_become_ids_and_others_are_ignored(tmp_path):
    colours = ((1, 2, 3), (4, 5, 6))
    mask = np.array([[colours[1], colours[0]], [(255, 255, 255), colours[1]]], np.uint8)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(mask).save(tmp_path / "image.png")
    sample = Sample("a", tmp_path / "image.png", tmp_path / "mask.png", None)
    _, ids = PlainDataset([sample], colours=colours)[0]
    assert ids.tolist() == [[1, 0], [255, 1]]
    image, ids = PlainDataset([sample], colours=colours, min_size=4)[0]
    assert image.shape == (3, 4, 4)
    assert set(ids.unique().tolist()) == {0, 1, 255}


def test_training_ends_when_the_loss_has_not_fallen_for_a_while():
    losses = [5.0, 4.0, 4.5, 4.0, 3.9, 4.0, 3.9, 3.8]
    assert list(patient(iter(losses), 2)) == [5.0, 4.0, 4.5, 4.0]
    assert list(patient(iter(losses), 3)) == losses
    assert list(patient(iter([]), 1)) == []


@pytest.mark.parametrize("experiment", ["demo", "dubai"])
def test_the_seed_is_that_of_the_recipe_whatever_the_experiment_says(experiment):
    recipe = yaml.safe_load((CONF / "recipe" / "seed.yaml").read_text(encoding="utf-8"))["recipe"]
    assert list(STAGES) == recipe["stages"]
    for stage in STAGES:
        config = seed_stage(stage, f"experiment={experiment}", scale=0.1)
        assert config.stage.epochs == recipe["epochs"][stage] / 10
        assert config.stage.learning_rate == float(recipe["learning_rate"][stage])
        assert config.optimizer.function["lr"] == config.stage.learning_rate
        assert config.optimizer.function["_target_"] == "torch.optim.SGD"
        assert config.optimizer.layer_decay == 1
        assert config.stage.fresh == recipe["fresh"]
        assert config.data["crop_size"] is None
        assert bool(config.augmentation["transforms"]) is (recipe["augmentation"][stage] == "drone")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return (
        *("experiment=demo", "data.layout.count=10", "data.layout.size=[64,96]"),
        *("data.layout.test_count=0", "data.image_min_size=64", f"data.root='{folder / 'demo'}'"),
        *(f"paths.cache_dir='{folder / 'cache'}'", f"paths.runs_dir='{folder / 'runs'}'"),
    )


def test_a_stage_learns_only_what_it_trains_and_begins_where_the_last_ended(tiny):
    first = plain_stage(seed_stage("head", *tiny))
    learning = {n for n, p in first.step.network.named_parameters() if p.requires_grad}
    assert learning == {
        f"{head}.4.{name}"
        for head in ("classifier", "aux_classifier")
        for name in ("weight", "bias")
    }
    before = {name: value.clone() for name, value in first.step.network.named_parameters()}
    loss, scores = first.epoch()
    assert loss > 0
    assert 0 <= scores["miou"] <= scores["dice"] <= 1
    for name, value in first.step.network.named_parameters():
        assert torch.equal(value, before[name]) is (name not in learning)
    assert first.step.optimizer.param_groups[0]["lr"] == pytest.approx(2e-2 * (29 / 30) ** 0.9)
    ended = first.step.network.state_dict()
    last = plain_stage(seed_stage("full", *tiny), ended)
    state = last.step.network.state_dict()
    assert set(ended) - set(state) == {n for n in ended if n.startswith("aux_classifier")}
    assert all(torch.equal(value, ended[name]) for name, value in state.items())


def test_what_the_plain_training_does_not_know_is_refused_in_a_line(tiny):
    with pytest.raises(ValueError, match="SGD only; set optimizer=sgd"):
        plain_stage(seed_stage("head", *tiny, "optimizer=adamw"))


@pytest.mark.slow
def test_all_stages_are_trained_and_each_epoch_is_noted(tiny, tmp_path, capsys):
    train(tmp_path / "scores", 0.01, [*tiny, "stage.epochs=2"])
    scores = read_scores(tmp_path / "scores")
    times = [score["at"] for score in scores]
    assert len(times) == 2 * len(STAGES)
    assert times == sorted(times)
    assert len(capsys.readouterr().out.splitlines()) == len(times)
