"""Rules about the teachers of a stage."""

import pytest

from helpers.composing import lines_for_values


def at(runs, *arguments):
    return lines_for_values(*arguments, f"paths.runs_dir={runs}")


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("=best.ckpt", "loss.distillation: 'best.ckpt' is not a mapping or null"),
        (".teacher=[]", "loss.distillation.teacher: [] is out of range, wanted 1 to 16 values"),
        (
            ".teacher=[here.ckpt,none.ckpt]",
            "loss.distillation.teacher: none.ckpt does not exist; check the path",
        ),
        (
            ".teacher=.",
            "loss.distillation.teacher: . is a folder; give a file, such as "
            "loss.distillation.teacher=best.ckpt",
        ),
        (
            "={teacher: here.ckpt, temprature: 2}",
            "loss.distillation.temprature: loss.distillation takes no 'temprature'; did you mean "
            "'temperature'?",
        ),
        (".weight=0.3", "loss.distillation.teacher: loss.distillation needs a value here"),
        (
            "={teacher: here.ckpt, weight: 2}",
            "loss.distillation.weight: 2 is out of range, wanted 1 or less",
        ),
        (
            "={teacher: here.ckpt, temperature: 0}",
            "loss.distillation.temperature: 0 is out of range, wanted 0.01 or more",
        ),
    ],
)
def test_a_wrong_teacher_prints_one_line(tmp_path, override, line):
    (tmp_path / "here.ckpt").touch()
    command = (f"loss.distillation{override}", "model.weights=none")
    assert at(tmp_path, *command) == [f"config error: {line}"]
    if "does not" in line:  # what teaches is read by training only
        assert at(tmp_path, *command, "task=layers") == []


def test_features_alone_are_not_enough_for_a_teacher(tmp_path):
    (tmp_path / "a.ckpt").touch()
    command = ("loss.distillation.teacher=a.ckpt", "model.weights=none")
    assert at(tmp_path, *command, "stage.cache_features=on") == [
        "config error: stage.cache_features: is on, but the teachers of loss.distillation need the "
        "images; set it to auto or off"
    ]
    assert at(tmp_path, *command, "stage.cache_features=off") == []


def test_one_or_several_teachers_may_be_named(tmp_path):
    for name in ("a.ckpt", "b.ckpt"):
        (tmp_path / name).touch()
    for given in ("a.ckpt", "[a.ckpt,b.ckpt]"):
        assert at(tmp_path, f"loss.distillation.teacher={given}", "model.weights=none") == []
