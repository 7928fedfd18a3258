"""The checkpoints that teach a stage: what is taken of them, and which are refused."""

import logging
from hashlib import sha256

import numpy as np
import pytest
import torch

from aerialseg.errors import CheckpointError, ConfigError
from aerialseg.inference.predictor import Predictor
from aerialseg.training.build import build_data
from aerialseg.training.disk import snapshot_bytes
from aerialseg.training.identity import run_identity, teachers_of
from aerialseg.training.stage_check import check_stage
from helpers.comparison import same
from helpers.tiny_data import text
from helpers.untrained_stages import (
    FLIGHTS,
    TABLE,
    built,
    config,
    write_classes,
    write_data,
    write_parent,
)

TAUGHT = "loss.distillation.teacher=teacher.ckpt"
OTHER_NETWORK = ("model=deeplabv3_mobilenet_v3_large", "model.weights=none")


@pytest.fixture
def root(tmp_path):
    return write_data(tmp_path / "d")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "teacher.ckpt"


def taught(root, *overrides, teacher=TAUGHT):
    module, _ = built(root, "stage=head", teacher, *overrides)
    return module


def problem(root, *overrides, kind=CheckpointError):
    """The one line with which a stage refuses its teacher."""
    with pytest.raises(kind) as error:
        taught(root, *overrides)
    (line,) = error.value.problems
    return line


@pytest.mark.parametrize("names", [tuple(TABLE), ("tree", "ground", "car")])
def test_a_teacher_of_another_network_predicts_as_its_checkpoint_does(root, path, names):
    torch.manual_seed(1)
    mean = "model.mean=[0.1,0.2,0.3]"
    write_parent(root, path, FLIGHTS, mean, *OTHER_NETWORK)
    write_classes(root, *names)
    (teacher,) = taught(root, FLIGHTS).distillation.teachers
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None]
    predictor = Predictor(path)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.1, 0.2, 0.3], [0.229, 0.224, 0.225]))
    with torch.no_grad():
        expected = predictor.network((batch / 255 - mean) / std)["out"]
    logits = teacher(batch)
    for index, name in enumerate(names):
        its = predictor.classes.names.index(name)
        torch.testing.assert_close(logits[:, index], expected[:, its], rtol=1e-3, atol=1e-4)


def test_weight_temperature_and_every_teacher_are_taken_from_the_config(root, tmp_path):
    write_parent(root, tmp_path / "a.ckpt", FLIGHTS)
    write_parent(root, tmp_path / "b.ckpt", FLIGHTS)
    ensemble = "loss.distillation={teacher: [a.ckpt, b.ckpt], weight: 0.25, temperature: 3}"
    distillation = taught(root, FLIGHTS, teacher=ensemble).distillation
    assert (distillation.weight, distillation.temperature) == (0.25, 3)
    first, second = (each.network.state_dict() for each in distillation.teachers)
    assert not same(first, second)
    assert taught(root, FLIGHTS, teacher="loss.distillation=null").distillation is None


def test_classes_that_a_teacher_lacks_are_refused(root, path):
    write_parent(root, path)
    colours = ("ground: [1, 2, 3]", "cars: [2, 2, 3]", "tree: [3, 2, 3]", "water: [4, 2, 3]")
    text(root / "classes.yaml", *colours)
    assert problem(root) == (
        "loss.distillation.teacher: teacher.ckpt: does not know the classes cars, water of the "
        "data; did you mean 'car'?; it knows ground, car, tree; give a teacher that was trained "
        "on the classes of the data"
    )


def test_the_classes_of_a_teacher_are_listed_once(root, path):
    write_parent(root, path)
    text(root / "classes.yaml", "paved: [1, 2, 3]", "roof: [2, 2, 3]", "lake: [3, 2, 3]")
    assert problem(root) == (
        "loss.distillation.teacher: teacher.ckpt: does not know the classes paved, roof, lake of "
        "the data; it knows ground, car, tree; give a teacher that was trained on the classes of "
        "the data"
    )


def test_classes_that_the_data_lack_are_refused(root, path):
    write_classes(root, "ground", "car", "tree", "water")
    write_parent(root, path)
    write_classes(root, *TABLE)
    line = problem(root)
    assert line.startswith("loss.distillation.teacher: teacher.ckpt: knows the class water that ")


def test_other_bands_and_values_are_refused(root, path):
    write_parent(root, path, FLIGHTS, bands=[4, 3, 2])
    start = "loss.distillation.teacher: teacher.ckpt: was trained "
    assert problem(root, FLIGHTS) == (
        f"{start}on bands 4, 3, 2, but the data give 8-bit RGB; set data.bands=[4,3,2]"
    )
    write_parent(root, path, FLIGHTS, value_range=[[0, 9]] * 3)
    assert problem(root, FLIGHTS).startswith(f"{start}with values by another data.value_range; ")


def test_a_teacher_that_was_trained_on_images_of_the_validation_is_refused(root, path):
    write_parent(root, path, FLIGHTS)
    line = problem(root, kind=ConfigError)
    assert line.startswith("stage head: ")
    assert "were trained on by teacher.ckpt or before it" in line
    assert line.endswith("or give a teacher that was not trained on them")
    taught(root, FLIGHTS)


def test_what_a_teacher_has_seen_counts_as_seen(root, path, tmp_path):
    other = write_data(tmp_path / "other")
    for image in (other / "images").iterdir():  # trailing bytes make other files of them
        image.write_bytes(image.read_bytes() + b"x")
    of_teacher = write_parent(other, path).description.seen
    alone = built(root, "stage=head")[0].description.seen
    both = taught(root).description.seen
    assert set(both.trained) == {*alone.trained, *of_teacher.trained}
    assert len(both.trained) == len(alone.trained) + len(of_teacher.trained)
    assert both.validated == alone.validated


def test_a_teacher_that_does_not_say_what_it_has_seen_is_warned_of(root, path, caplog):
    write_parent(root, path, trained_images=None, validated_images=None)
    assert taught(root).description.seen is None
    (line,) = [line for line in caplog.messages if "does not say" in line]
    assert line.startswith("teacher.ckpt: does not say which images it was trained on")


def test_another_size_than_that_of_the_teacher_is_said(root, path, caplog):
    write_parent(root, path, image_min_size=48)
    taught(root, "data.image_min_size=24")
    (line,) = [line for line in caplog.messages if "image_min_size" in line]
    assert line.startswith("teacher.ckpt: was trained at data.image_min_size=48 and sees ")
    caplog.clear()
    taught(root, "data.image_min_size=48")
    assert not any("image_min_size" in line for line in caplog.messages)


def test_the_student_starts_and_is_counted_as_without_a_teacher(root, path):
    write_parent(root, path)
    modules = []
    for distillation in ("loss.distillation=null", TAUGHT):
        torch.manual_seed(0)
        modules.append(taught(root, teacher=distillation))
        modules.append(torch.rand(1))
    plain, drawn, module, drawn_too = modules
    assert same(plain.state_dict(), module.state_dict())
    assert torch.equal(drawn, drawn_too)
    assert snapshot_bytes(plain) == snapshot_bytes(module)
    counts = [sum(p.numel() for p in each.parameters()) for each in (plain, module)]
    assert counts[0] == counts[1]


def test_the_check_of_a_stage_names_its_teachers(root, path, caplog):
    caplog.set_level(logging.INFO)
    write_parent(root, path)
    check_stage(config(root, "stage=head", TAUGHT))
    assert "taught by teacher.ckpt: a share of 0.5 of the loss, at temperature 1" in caplog.messages


def test_a_file_that_is_no_checkpoint_is_refused(root, path):
    path.write_bytes(b"no checkpoint")
    assert problem(root).startswith("teacher.ckpt: ")


def test_a_run_is_known_by_the_contents_of_its_teachers(root, tmp_path):
    for name, content in {"a": b"same", "b": b"same", "c": b"other"}.items():
        (tmp_path / f"{name}.ckpt").write_bytes(content)

    def identity(*overrides):
        return run_identity(config(root, *overrides), "0" * 64, "0" * 64)

    plain = identity()
    assert "distillation" not in plain["loss"]  # as in runs of older releases
    first, second, third = (identity(f"loss.distillation.teacher={n}.ckpt") for n in "abc")
    assert first == second == identity("loss.distillation.teacher=[a.ckpt]")
    assert first["loss"]["distillation"]["teacher"] == [sha256(b"same").hexdigest()]
    others = [
        identity("loss.distillation.teacher=[a.ckpt,c.ckpt]"),
        identity("loss.distillation={teacher: a.ckpt, weight: 0.4}"),
        identity("loss.distillation={teacher: a.ckpt, temperature: 2}"),
    ]
    assert all(first != other for other in (plain, third, *others))
    with pytest.raises(CheckpointError, match=r"loss\.distillation\.teacher: x\.ckpt: no such"):
        teachers_of(config(root, "loss.distillation.teacher=x.ckpt"))


def test_a_teacher_may_teach_the_stage_that_starts_from_it(root, path):
    write_parent(root, path, FLIGHTS)
    both = ("stage=decoder", "stage.init_checkpoint=teacher.ckpt", TAUGHT, FLIGHTS)
    module, _ = built(root, *both)
    assert module.description.seen.trained == build_data(
        config(root, FLIGHTS)
    ).contents.ids_by_digest("train")
