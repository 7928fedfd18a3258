from pathlib import Path

import pytest
import torch

from aerialseg.errors import CheckpointError
from aerialseg.storage.averaged_weights import beside, exchanged, put_beside, to_train_on
from helpers.comparison import same
from helpers.tiny_training import checkpoint_of, describe_run, small_network

PATH = Path("best.ckpt")


def checkpoint(*, average=True):
    metrics = {"train/dice": 0.1, "val/dice": 0.2, "val/iou_car": 0.3}
    flag = False if average else None
    content = checkpoint_of(
        small_network(), describe_run(metrics=metrics, averaged_weights=flag, epoch=2)
    )
    if average:
        other = {"network.classifier.weight": torch.full((3, 6, 1, 1), 7.0)}
        put_beside(content, other, {"val/dice": 0.4}, 5)
    return content


def test_exchanged_has_the_other_weights_and_their_scores():
    before = checkpoint()
    after = exchanged(before)
    changed = {
        name
        for name, tensor in after["state_dict"].items()
        if not torch.equal(tensor, before["state_dict"][name])
    }
    assert changed == {"network.classifier.weight"}
    assert (after["state_dict"]["network.classifier.weight"] == 7).all()
    assert after["aerialseg"]["metrics"] == {"train/dice": 0.1, "val/dice": 0.4}
    assert after["aerialseg"]["averaged_weights"] is True
    assert after["aerialseg"]["epoch"] == 2
    assert beside(after)["updates"] == 5


def test_exchanged_twice_is_as_before():
    assert same(exchanged(exchanged(checkpoint())), checkpoint())


def test_training_goes_on_with_its_own_weights_from_either_file():
    assert same(to_train_on(exchanged(checkpoint()), PATH), checkpoint())
    assert same(to_train_on(checkpoint(), PATH), checkpoint())
    assert same(to_train_on(checkpoint(average=False), PATH), checkpoint(average=False))
    assert beside(checkpoint(average=False)) is None


def test_an_average_alone_cannot_be_trained_on():
    alone = exchanged(checkpoint())
    del alone["ema"]
    with pytest.raises(CheckpointError, match=r"best\.ckpt: holds averaged weights without those"):
        to_train_on(alone, PATH)
