"""The feature cache: the same learning, and when it is made, kept, refused and removed."""

import copy
import gc
import logging
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch

from aerialseg.data.cache.features import open_features
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from aerialseg.errors import ConfigError
from aerialseg.models.distillation import Distillation, Teacher
from aerialseg.models.networks import deeplabv3_mobilenet_v3_large
from aerialseg.training.feature_cache import cache_features, is_short_run
from helpers.mapped_files import refuse_while_mapped
from helpers.systems import needs_linux
from helpers.tiny_training import (
    CLASSES,
    HEAD_GROUPS,
    SmallNetwork,
    make_data,
    make_module,
    make_trainer,
    show_images,
)

GROUPS = ["backbone", *HEAD_GROUPS]


class Flip:
    """Stands for any augmentation."""

    transforms = ("flip",)

    def __call__(self, **data):
        return data

    def set_random_state(self, random_generator, py_random):
        pass


@pytest.fixture(autouse=True)
def _say(caplog):
    caplog.set_level(logging.INFO)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = deeplabv3_mobilenet_v3_large(3)
    show_images(network)
    return network


@pytest.fixture
def module(network):
    """Makes modules; a dropout is after the cut, which must go on and drop the same."""

    def make(start="classifier.1", *, net=None, groups=GROUPS):
        net = copy.deepcopy(network) if net is None else net
        index = next(i for i, entry in enumerate(groups) if start == entry or start in [*entry])
        optimizer = partial(torch.optim.SGD, lr=0.05, momentum=0.9)
        return make_module(net, groups=groups, start=index, optimizer=optimizer)

    return make


def again(data, **changes):
    """Another data module over the same files."""
    given = {"image_min_size": None, "batch_size": data.batch_size, "num_workers": 0} | changes
    return AerialSegDataModule(
        data.root, folders, classes=CLASSES, cache_dir=data.cache_dir, **given
    )


def cache(module, data, setting="auto", *, run_name="default", short_run=False):
    cache_features(
        module,
        data,
        cache_dir=Path("cache"),
        run_name=run_name,
        setting=setting,
        device="cpu",
        short_run=short_run,
    )


def stores():
    return sorted(path.name for path in Path("cache/features/default").iterdir())


def learn(trained, data, wanted):
    curve = []
    cache(trained, data, wanted)
    assert (data.loaders.features is not None) == (wanted == "on")
    trainer = make_trainer(epochs=3, enable_checkpointing=False)

    def note(*_):
        metrics = trainer.callback_metrics
        curve.append([float(metrics[name]) for name in ("train/loss", "val/loss", "val/dice")])

    trained.on_train_epoch_end = lambda original=trained.on_train_epoch_end: (original(), note())
    trainer.fit(trained, data)
    return torch.tensor(curve), trained.network.state_dict()


@pytest.mark.parametrize("num_workers", [0, 1])
def test_learning_from_features_is_learning_from_images(tmp_path, module, network, num_workers):
    data = make_data(tmp_path / "data", batch_size=3, num_workers=num_workers)
    curve, state = learn(module(), data, "on")
    plain_curve, plain_state = learn(module(), again(data), "off")
    assert curve.shape == (3, 3)
    torch.testing.assert_close(curve, plain_curve, rtol=2e-3, atol=2e-3)
    before = network.state_dict()
    for name, tensor in state.items():
        expected = plain_state[name].double()
        moved = (expected - before[name]).norm()
        assert (tensor.double() - expected).norm() <= 0.02 * moved


def test_made_once_and_opened_again(tmp_path, module, caplog):
    data = make_data(tmp_path / "data")
    cache(module(), data)
    assert "features of 9 images, once" in caplog.text
    (key,) = stores()
    caplog.clear()
    second = again(data)
    cache(module(), second)
    assert "there already" in caplog.text
    assert stores() == [key]
    assert second.loaders.features.splits == ("train", "val")


def test_a_damaged_store_is_made_again(tmp_path, module, caplog):
    data = make_data(tmp_path / "data")
    cache(module(), data)
    (key,) = stores()
    os.truncate(f"cache/features/default/{key}/train-out.f16", 10)
    second = again(data)
    cache(module(), second)
    assert "train-out.f16 is damaged; the features are computed again" in caplog.text
    assert second.loaders.features.read("train", 0)["out"].shape == (2, 2, 256)


def test_other_tensors_images_or_cuts_have_other_features(tmp_path, module):
    data = make_data(tmp_path / "data")

    def key(trained=None, **changes):
        cache(trained or module(), again(data, **changes))
        (only,) = stores()  # what a stage does not need is removed
        return only

    keys = [key(), key(module("classifier.4")), key(image_min_size=40)]
    other = module()
    with torch.no_grad():
        other.network.backbone["0"][1].running_mean += 1
    keys += [key(other)]
    os.utime(tmp_path / "data/images/0.png", (1, 1))
    keys += [key()]
    assert len(set(keys)) == len(keys)
    learning = module()
    with torch.no_grad():
        learning.network.classifier[4].bias += 1
    assert key(learning) == keys[-1]  # what learns has no part in it


@pytest.mark.parametrize(
    ("trained", "changes", "reason"),
    [
        ("classifier.1", {"augmentation": Flip()}, "this stage augments its images"),
        ("classifier.1", {"crop_size": 16}, "training shows random crops"),
        ("classifier.1", {"paste_rare": 0.5}, r"training pastes objects .*\(data\.paste_rare\)"),
        ("backbone", {}, "no backbone of its own that this stage wholly freezes"),
        (None, {}, "no backbone of its own that this stage wholly freezes"),
    ],
)
def test_on_where_it_cannot_be(tmp_path, module, trained, changes, reason):
    data = make_data(tmp_path / "data", **changes)
    small = ["stem", "body", "classifier", "aux_classifier"]
    stage = module(trained) if trained else module("body", net=SmallNetwork(), groups=small)
    with pytest.raises(ConfigError, match=rf"stage\.cache_features: is on, but .*{reason}"):
        cache(stage, data, "on")
    cache(stage, data, "auto")
    assert data.loaders.features is None


@pytest.mark.parametrize("short", [False, True])
def test_a_stage_with_a_teacher_trains_from_images_and_says_so(tmp_path, module, caplog, short):
    data, stage = make_data(tmp_path / "data"), module()
    seen = Teacher(SmallNetwork(), mean=[0, 0, 0], std=[1, 1, 1], class_order=[0, 1, 2])
    stage.distillation = Distillation([seen], weight=0.5, temperature=1.0)
    cache(stage, data, "auto", short_run=short)
    assert data.loaders.features is None
    said = "the teachers of loss.distillation need the images"
    # A short run would have none without a teacher either.
    assert (f"the frozen part runs in every step: {said}" in caplog.text) is not short
    with pytest.raises(ConfigError, match=rf"stage\.cache_features: is on, but {said}"):
        cache(stage, data, "on")
    make_trainer(epochs=1, enable_checkpointing=False).fit(stage, data)


def test_images_of_very_different_sizes_are_not_padded_to_one(tmp_path, module):
    data = make_data(tmp_path / "data", count=8)
    make_data(tmp_path / "data", count=3, size=(12, 12))
    with pytest.raises(ConfigError, match="differ too much in size"):
        cache(module(), data, "on")


@pytest.mark.parametrize("setting", ["auto", "on"])
def test_auto_leaves_it_where_there_is_nothing_to_gain(tmp_path, module, setting):
    data = make_data(tmp_path / "data")
    cache(module(), data, setting, short_run=True)
    assert (data.loaders.features is None) == (setting == "auto")


@pytest.mark.parametrize(
    ("max_epochs", "limit", "short"),
    [(1, None, True), (3, 2, True), (3, 0.5, True), (3, None, False), (None, None, False)],
)
def test_a_run_is_short_that_sees_no_image_twice(max_epochs, limit, short):
    assert is_short_run(max_epochs, limit) == short


def test_a_full_disk_is_known_before(tmp_path, module, monkeypatch, caplog):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    data = make_data(tmp_path / "data")
    cache(module(), data, "auto")
    assert data.loaders.features is None
    assert "the frozen part runs in every step: features of 9 images need" in caplog.text
    with pytest.raises(ConfigError, match=r"is on, but .* point paths\.cache_dir"):
        cache(module(), data, "on")
    assert not Path("cache/features/default").exists()


def test_a_cache_that_cannot_be_written_to_is_named(tmp_path, module, caplog):
    data = make_data(tmp_path / "data")
    Path("cache").touch()
    cache(module(), data)
    assert data.loaders.features is None
    assert "paths.cache_dir: cache cannot be written to: " in caplog.text
    with pytest.raises(ConfigError, match=r"is on, but .*cannot be written: .*paths\.cache_dir"):
        cache(module(), data, "on")


@pytest.mark.parametrize("factor", [1e9, 1e-9, torch.nan])
def test_features_beyond_half_precision_are_not_kept(tmp_path, module, caplog, factor):
    trained = module()
    with torch.no_grad():
        trained.network.classifier[0].project[1].weight *= factor
    data = make_data(tmp_path / "data")
    cache(trained, data, "auto")
    assert data.loaders.features is None
    assert "for half precision" in caplog.text


def test_a_stage_that_needs_none_removes_those_of_its_run_alone(tmp_path, module):
    data = make_data(tmp_path / "data")
    cache(module(), data)
    cache(module(), data, run_name="b")
    cache(module(), again(data), "off")
    assert stores() == []
    (other,) = Path("cache/features/b").iterdir()
    assert open_features(other).splits == ("train", "val")


@needs_linux
def test_the_features_of_a_stage_that_has_ended_are_not_in_use(tmp_path, module, monkeypatch):
    refuse_while_mapped(monkeypatch)
    gc.disable()
    try:
        data, trained = make_data(tmp_path / "data"), module()
        cache(trained, data)
        make_trainer(epochs=1, enable_checkpointing=False).fit(trained, data)
        (key,) = stores()
        following = again(data)
        del data, trained
        cache(module("classifier.4"), following)
    finally:
        gc.enable()
    assert stores() != [key]
    assert len(stores()) == 1
