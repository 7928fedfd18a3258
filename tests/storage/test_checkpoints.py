import math
import os
import pickle
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
import torch

from aerialseg.errors import AerialsegError, CheckpointError
from aerialseg.storage import checkpoints
from aerialseg.storage.checkpoints import (
    FORMAT,
    Description,
    check_room,
    describe,
    network_state,
    read_checkpoint,
    read_description,
    tensor_bytes,
    write_checkpoint,
)
from aerialseg.storage.seen_images import SeenImages
from helpers.tiny_training import checkpoint_of, describe_run, small_network

OTHER = "get it again, or use the release of aerialseg that wrote it"


ADDED = {"exif_orientation", "trained_images", "validated_images", "original_min_size"}
ADDED |= {"original_min_sizes", "window", "bands", "value_range", "nodata", "file_kind", "fresh"}
ADDED |= {"averaged_weights"}
"""What the first checkpoints of this format do not say."""


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "checkpoints" / "best.ckpt"
    write_checkpoint(path, checkpoint_of(small_network()))
    return path


def rewritten(path, change):
    content = read_checkpoint(path)
    change(content)
    write_checkpoint(path, content)
    return path


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def line_of(read, *arguments):
    with pytest.raises(CheckpointError) as error:
        read(*arguments)
    (line,) = error.value.problems
    assert "\n" not in line
    return line


def test_what_is_written_is_read(written):
    content = read_checkpoint(written)
    expected = small_network().state_dict()
    state = network_state(content)
    assert list(state) == list(expected)
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    assert names_in(written.parent) == ["best.ckpt", "best.ckpt.sha256"]


def test_a_description_survives_whole(tmp_path):
    description = describe_run(
        image_min_size=None,
        epoch=7,
        metrics={"val/dice": 0.5, "val/loss": math.inf},
        network={"_target_": "a.b", "aux_head": True, "num_classes": 3, "names": ["x"]},
        parent={"weights": "none"},
    )
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, checkpoint_of(small_network(), description))
    assert read_description(read_checkpoint(path), path) == description


def test_the_images_that_a_network_has_seen_survive_and_older_checkpoints_have_none(written):
    images = {"trained_images": {"0f" * 8: ["a", "b"]}, "validated_images": {"1f" * 8: ["c"]}}
    assert read_description(read_checkpoint(written), written).seen is None
    rewritten(written, lambda content: content["aerialseg"].update(images))
    assert read_description(read_checkpoint(written), written).seen == SeenImages(*images.values())
    for name in images:
        rewritten(written, lambda content, name=name: content["aerialseg"].pop(name))
        assert read_description(read_checkpoint(written), written).seen is None


def test_damage_of_the_seen_images_is_named(written):
    rewritten(written, lambda content: content["aerialseg"].update(trained_images={"a": 3}))
    line = line_of(read_description, read_checkpoint(written), written)
    assert f"{written}: its description is damaged: trained_images.a: " in line


def test_later_changes_of_a_description_do_not_reach_the_checkpoint():
    description, content = describe_run(), {}
    describe(content, description)
    description.metrics["val/dice"] = 1.0
    assert content["aerialseg"] == {"format": FORMAT, **asdict(replace(description, metrics={}))}


def test_tensors_of_the_loss_or_the_optimizer_are_not_the_networks():
    content = {"state_dict": {"network.a": torch.ones(1), "loss.network.b": torch.ones(1)}}
    assert list(network_state(content)) == ["a"]


def test_a_write_that_fails_leaves_the_old_checkpoint(written):
    before = {path.name: path.read_bytes() for path in written.parent.iterdir()}
    with pytest.raises((AttributeError, pickle.PicklingError)):
        write_checkpoint(written, {"state_dict": lambda: None})
    assert {path.name: path.read_bytes() for path in written.parent.iterdir()} == before


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": {"network.a": torch.ones(1)}},
        {"aerialseg": "yes", "state_dict": {}},
        {"aerialseg": {"format": FORMAT}},
        [torch.ones(1)],
        torch.ones(1),
    ],
)
def test_a_foreign_file_is_named_and_says_what_to_do_with_it(tmp_path, content):
    path = tmp_path / "foreign.pth"
    torch.save(content, path)
    assert line_of(read_checkpoint, path) == (
        f"{path}: is not a checkpoint of aerialseg; weights of other projects can start a run "
        "instead: stage=head model.weights=PATH"
    )


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_truncated_file_is_damaged(written, kept):
    content = written.read_bytes()
    size = int(kept * len(content)) if isinstance(kept, float) else kept
    written.write_bytes(content[:size])
    line = line_of(read_checkpoint, written)
    assert line.startswith(f"{written}: ")
    assert "get it again" in line or "not a file that torch.save wrote" in line


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    assert line_of(read_checkpoint, tmp_path / "a.ckpt") == f"{tmp_path}/a.ckpt: no such file"
    assert "is a folder" in line_of(read_checkpoint, tmp_path)


class Payload:
    """Runs as soon as it is unpickled by anything that trusts it."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_in_a_file_is_ever_run(tmp_path, zipped):
    path, proof = tmp_path / "evil.ckpt", tmp_path / "proof"
    content = checkpoint_of(small_network()) | {"payload": Payload(proof)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    line = line_of(read_checkpoint, path)
    assert "mkdir" in line
    assert "could run anything" in line
    assert not proof.exists()
    torch.load(path, weights_only=False)
    assert proof.exists(), "the payload must be a real one"


def test_a_checkpoint_of_a_newer_release_says_so(written):
    rewritten(written, lambda content: content["aerialseg"].update(format=FORMAT + 1))
    assert line_of(read_description, read_checkpoint(written), written) == (
        f"{written}: has checkpoint format {FORMAT + 1}, this release reads format {FORMAT}; "
        "use the release of aerialseg that wrote it"
    )


def test_a_checkpoint_without_a_format_is_not_guessed_at(written):
    rewritten(written, lambda content: content["aerialseg"].pop("format"))
    assert "has checkpoint format None" in line_of(
        read_description, read_checkpoint(written), written
    )


@pytest.mark.parametrize(
    "names",
    [["classes"], ["mean", "std"], [f.name for f in fields(Description) if f.name not in ADDED]],
)
def test_missing_parts_of_a_description_are_named(written, names):
    def change(content):
        for name in names:
            del content["aerialseg"][name]

    rewritten(written, change)
    line = line_of(read_description, read_checkpoint(written), written)
    assert line == f"{written}: its description lacks {', '.join(sorted(names))}; {OTHER}"


def test_a_checkpoint_from_before_orientations_mattered_is_read(written):
    described = read_description(read_checkpoint(written), written)
    rewritten(written, lambda content: content["aerialseg"].pop("exif_orientation"))
    old = read_description(read_checkpoint(written), written)
    assert old == described
    assert old.exif_orientation is None


@pytest.mark.parametrize(
    ("part", "value", "place"),
    [
        ("network", None, "network"),
        ("classes", ["ground"], "classes"),
        ("classes", {"ground": [0, 0]}, "classes.ground"),
        ("classes", {"ground": [0, 0, 0.5]}, "classes.ground.2"),
        ("classes", {"ground": [0, 0, -1]}, "classes.ground.2"),
        ("mean", 0.5, "mean"),
        ("mean", [0.5] * 4, "mean"),
        ("mean", ["0.5"] * 3, "mean.0"),
        ("std", [0.5, 0.5, 0.0], "std.2"),
        ("std", [0.5, math.nan, 0.5], "std.1"),
        ("image_min_size", 0, "image_min_size"),
        ("image_min_size", True, "image_min_size"),
        ("stage", 3, "stage"),
        ("parent", {"path": 1}, "parent.path"),
        ("epoch", -1, "epoch"),
        ("metrics", {"val/dice": "high"}, "metrics.val/dice"),
    ],
)
def test_a_part_that_is_not_what_it_should_be_is_named(written, part, value, place):
    rewritten(written, lambda content: content["aerialseg"].update({part: value}))
    line = line_of(read_description, read_checkpoint(written), written)
    assert line.startswith(f"{written}: its description is damaged: {place}: ")
    assert line.endswith(f"; {OTHER}")


def test_a_score_may_be_none_at_all(written):
    description = describe_run(metrics={"val/dice": 1, "val/iou_car": math.nan})
    write_checkpoint(written, checkpoint_of(small_network(), description))
    found = read_description(read_checkpoint(written), written).metrics
    assert found["val/dice"] == 1
    assert math.isnan(found["val/iou_car"])


@pytest.mark.parametrize(
    "state", [None, [], {"network.a": "text"}, {1: torch.zeros(1)}, {"network.a": [1.0]}]
)
def test_a_state_of_anything_but_named_tensors_is_refused(written, state):
    rewritten(written, lambda content: content.update(state_dict=state))
    assert "is not a checkpoint of aerialseg" in line_of(read_checkpoint, written)


def test_unknown_parts_of_a_description_do_not_disturb(written):
    rewritten(written, lambda content: content["aerialseg"].update(extra=1))
    assert read_description(read_checkpoint(written), written) == describe_run()


def test_reading_needs_no_gpu_and_shares_nothing_with_the_file(written):
    state = network_state(read_checkpoint(written))
    assert {tensor.device.type for tensor in state.values()} == {"cpu"}
    for tensor in state.values():
        tensor.zero_()
    again = network_state(read_checkpoint(Path(written)))
    assert any(tensor.any() for tensor in again.values())


def test_a_write_that_the_system_refuses_says_why(written):
    resource = pytest.importorskip("resource", reason="Windows limits no file sizes")
    before = {path.name: path.read_bytes() for path in written.parent.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(AerialsegError) as error:
            write_checkpoint(written, {"state_dict": {"network.a": torch.zeros(100_000)}})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(error.value) == f"{written}: cannot be written: File too large"
    assert {path.name: path.read_bytes() for path in written.parent.iterdir()} == before


def test_nothing_is_begun_that_the_disk_has_no_room_for(written, monkeypatch):
    monkeypatch.setattr(checkpoints, "free_space", lambda path: 3_000_000)
    state = {"a": torch.zeros(500_000), "b": [torch.zeros(500_000, dtype=torch.uint8)]}
    check_room(written, tensor_bytes(state))
    state["c"] = {"d": (torch.zeros(250_000),)}
    assert tensor_bytes(state) == 3_500_000
    assert line_of(write_checkpoint, written, {"state_dict": state}) == (
        f"{written}: needs 4 MB, but 3 MB are free on its disk; make room there"
    )
