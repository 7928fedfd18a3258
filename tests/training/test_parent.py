"""What a stage takes over from the checkpoint it starts from, and what it refuses."""

import pytest
import torch

from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.training.build import build_data
from aerialseg.training.stage_check import check_stage
from helpers.tiny_data import text, write_folders
from helpers.untrained_stages import (
    FLIGHTS,
    IDS,
    TABLE,
    built,
    config,
    write_classes,
    write_data,
    write_parent,
)


@pytest.fixture
def root(tmp_path):
    return write_data(tmp_path / "d")


def decoder(root, *overrides):
    return built(root, "stage=decoder", "stage.init_checkpoint=parent.ckpt", *overrides)


def ids(images):
    return {name for names in images.values() for name in names}


def test_a_stage_remembers_what_it_and_its_parents_were_trained_on(root, tmp_path):
    parent = write_parent(root, tmp_path / "parent.ckpt", FLIGHTS).description.seen
    val = ids(parent.validated)
    assert len(val) == 4
    assert ids(parent.trained) == set(IDS) - val
    other = write_folders(tmp_path / "other", [f"new{i:02}" for i in range(30)])
    for kind in ("images", "masks"):  # the first images are those of the other data set
        for path in sorted((other / kind).iterdir())[:20]:
            path.unlink()
    write_classes(other, *TABLE)
    child = decoder(other)[0].description.seen
    mine = build_data(config(other)).contents
    assert ids(child.trained) - ids(parent.trained) == ids(mine.ids_by_digest("train"))
    assert ids(child.trained) >= ids(parent.trained)
    assert ids(child.validated) == ids(mine.ids_by_digest("val"))


@pytest.mark.parametrize("changes", [(), ("data.split_seed=1", FLIGHTS)])
def test_validating_on_what_the_parent_was_trained_on_is_refused(root, tmp_path, changes):
    parent = write_parent(root, tmp_path / "parent.ckpt", FLIGHTS).description.seen
    val = ids(build_data(config(root, *changes)).contents.ids_by_digest("val"))
    leaked = val - ids(parent.validated)
    assert leaked
    for refuse in (
        lambda: decoder(root, *changes),
        lambda: check_stage(
            config(root, "stage=decoder", "stage.init_checkpoint=parent.ckpt", *changes)
        ),
    ):
        with pytest.raises(ConfigError) as error:
            refuse()
        (line,) = error.value.problems
        assert line.startswith(f"stage decoder: {len(leaked)} validation images ({min(leaked)}, ")
        assert f") of {len(val)} were trained on by parent.ckpt or before it" in line
        assert "the same data.split_seed, data.group_pattern and data.val_fraction" in line


def test_the_same_split_under_another_seed_is_not_refused(root, tmp_path):
    write_parent(root, tmp_path / "parent.ckpt", FLIGHTS)
    decoder(root, FLIGHTS, "seed=7")


def test_a_copy_of_an_image_on_the_other_side_does_not_stop_the_chain(root, tmp_path):
    val = sorted(ids(build_data(config(root)).contents.ids_by_digest("val")))[0]
    other = next(name for name in IDS if name != val)
    (root / f"images/{other}.jpg").write_bytes((root / f"images/{val}.jpg").read_bytes())
    write_parent(root, tmp_path / "parent.ckpt")
    decoder(root)


def test_weights_that_are_a_checkpoint_are_a_parent_too(root, tmp_path):
    write_parent(root, tmp_path / "parent.ckpt", FLIGHTS)
    start = f"model.weights={tmp_path / 'parent.ckpt'}"
    with pytest.raises(ConfigError, match=r"were trained on by .*parent\.ckpt or before it"):
        built(root, "stage=head", start)
    built(root, "stage=head", FLIGHTS, start)


def test_a_parent_that_does_not_say_is_warned_of_and_hands_it_on(root, tmp_path, caplog):
    write_parent(root, tmp_path / "parent.ckpt", trained_images=None, validated_images=None)
    module, _ = decoder(root, FLIGHTS)
    assert module.description.seen is None
    decoder(root, FLIGHTS)
    (line,) = [line for line in caplog.messages if "does not say" in line]
    assert line.startswith("parent.ckpt: does not say which images it was trained on")


def row_of(module, name):
    index = module.class_names.index(name)
    layers = (module.network.classifier.low_classifier, module.network.classifier.high_classifier)
    return torch.cat([t[index].flatten() for layer in layers for t in layer.parameters()])


def test_the_rows_of_classes_follow_their_names(root, tmp_path):
    parent = write_parent(root, tmp_path / "parent.ckpt")
    write_classes(root, "car", "tree", "ground")
    module, line = decoder(root)
    for name in TABLE:
        assert torch.equal(row_of(module, name), row_of(parent, name))
    assert line.endswith("; its classes are matched by name (kept: car, tree, ground)")


def test_other_colours_are_the_same_classes(root, tmp_path):
    write_parent(root, tmp_path / "parent.ckpt")
    text(root / "classes.yaml", "ground: [1, 1, 1]", "car: [2, 2, 2]", "tree: [3, 3, 3]")
    assert "by name" not in decoder(root)[1]


def test_a_new_name_must_be_said(root, tmp_path):
    parent = write_parent(root, tmp_path / "parent.ckpt")
    write_classes(root, "ground", "vehicle", "tree")
    with pytest.raises(CheckpointError, match=r"stage\.renamed_classes='\{vehicle: car\}'"):
        decoder(root)
    module, line = decoder(root, "stage.renamed_classes={vehicle: car}")
    assert torch.equal(row_of(module, "vehicle"), row_of(parent, "car"))
    assert "vehicle from car" in line
    module, line = decoder(root, "stage.renamed_classes={vehicle: null}")
    assert not torch.equal(row_of(module, "vehicle"), row_of(parent, "car"))
    assert torch.equal(row_of(module, "tree"), row_of(parent, "tree"))
    assert "new: vehicle; dropped: car" in line


def test_initial_weights_do_not_depend_on_the_matching(root, tmp_path):
    """The network that shows which tensors have a row for each class draws no random numbers."""
    write_parent(root, tmp_path / "parent.ckpt")
    drawn = []
    for names in (tuple(TABLE), ("car", "tree", "ground")):
        write_classes(root, *names)
        torch.manual_seed(0)
        decoder(root)
        drawn.append(torch.rand(1))
    assert torch.equal(*drawn)


def test_weights_of_ours_that_were_trained_on_other_bands_are_named(
    root, tmp_path, monkeypatch, caplog
):
    monkeypatch.chdir(tmp_path)
    write_parent(root, tmp_path / "w.ckpt", FLIGHTS, bands=[4, 3, 2], value_range=[[0, 9]] * 3)
    _, origin = built(root, "stage=head", "model.weights=w.ckpt", FLIGHTS)

    assert origin.startswith("weights: 319 of 319 tensors from w.ckpt")
    assert [line for line in caplog.messages if line.startswith("model.weights: ")] == [
        "model.weights: w.ckpt: was trained on bands 4, 3, 2, but the data give 8-bit RGB; set "
        "data.bands=[4,3,2], unless both mean the same; training starts from it all the same"
    ]
