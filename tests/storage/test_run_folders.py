import json
import os
import shutil
import subprocess

import pytest
import torch

from aerialseg import __version__
from aerialseg.errors import AerialsegError, ConfigError
from aerialseg.storage import system_calls
from aerialseg.storage.run_folders import RunFolder, check_same_run, environment
from helpers.finished_runs import stage_result

IDENTITY = {
    "seed": 0,
    "stage": {"name": "aspp", "learning_rate": 8e-3, "epochs": 30},
    "model": {"mean": [0.5, 0.4, 0.3]},
    "scheduler": {},
    "parent": "a" * 64,
}
RESULT = stage_result(epochs=2)


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "runs/default/aspp/train")


def begin(folder, identity=IDENTITY):
    folder.begin("seed: 0\n", {"identity": identity, "parent": {"weights": "none"}})
    return folder


def test_a_run_folder_says_how_far_it_came(folder):
    assert (folder.holds_run(), folder.finished()) == (False, False)
    begin(folder)
    assert (folder.holds_run(), folder.finished()) == (True, False)
    folder.finish(RESULT.to_mapping())
    assert (folder.holds_run(), folder.finished()) == (True, True)
    assert (folder.path / "config.yaml").read_text() == "seed: 0\n"
    assert folder.result() == RESULT
    assert folder.provenance()["identity"] == IDENTITY


def test_a_folder_with_other_things_holds_no_run(folder):
    folder.checkpoints.mkdir(parents=True)
    (folder.path / "notes.txt").write_text("")
    assert not folder.holds_run()


def test_a_checkpoint_leads_to_its_folder(folder):
    assert RunFolder.of_checkpoint(folder.checkpoints / "best.ckpt") == folder


def test_clear_removes_the_run_and_nothing_beside_it(folder):
    begin(folder).finish({})
    folder.checkpoints.mkdir()
    (folder.checkpoints / "best.ckpt").write_bytes(b"")
    neighbour = folder.path.parent / "evaluate"
    neighbour.mkdir()
    folder.clear()
    assert not folder.path.exists()
    assert neighbour.exists()
    folder.path.mkdir()
    folder.clear()
    assert not folder.path.exists()


def test_beginning_anew_removes_what_a_killed_process_was_writing(folder):
    left = f".last.aerialseg-{'0' * 32}.ckpt"
    folder.checkpoints.mkdir(parents=True)
    for path in (folder.path / left, folder.checkpoints / left, folder.checkpoints / "last.ckpt"):
        path.write_bytes(b"")
    begin(folder)
    assert [path.name for path in folder.checkpoints.iterdir()] == ["last.ckpt"]
    assert not (folder.path / left).exists()


def test_a_finished_run_keeps_no_way_back(folder):
    begin(folder)
    folder.checkpoints.mkdir()
    for name in ("last.ckpt", "previous.ckpt", "previous.ckpt.sha256"):
        (folder.checkpoints / name).write_bytes(b"")
    folder.finish({})
    assert [path.name for path in folder.checkpoints.iterdir()] == ["last.ckpt"]


def test_two_processes_cannot_train_in_one_folder(folder):
    taken = "another process is training in this folder"
    with folder.locked():
        with pytest.raises(ConfigError, match=taken), folder.locked():
            pytest.fail("both have the lock")
        assert not folder.path.exists(), "only the stage's folder is made"
    with folder.locked():
        pass
    assert not list(folder.path.parent.iterdir())


def test_whether_a_folder_is_free_can_be_asked_without_making_it(folder):
    folder.check_free()
    assert not folder.path.parent.exists()
    with folder.locked(), pytest.raises(ConfigError, match="another process is training"):
        folder.check_free()
    folder.check_free()


def finished_run(folder):
    begin(folder).finish({})
    folder.checkpoints.mkdir()
    for name in ("last", "previous", "best"):
        (folder.checkpoints / f"{name}.ckpt").write_bytes(b"")
    return sorted(path.relative_to(folder.path) for path in folder.path.rglob("*"))


def test_half_a_removal_leaves_nothing_that_could_be_resumed_or_trusted(folder, monkeypatch):
    finished_run(folder)

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            folder.clear()
    assert not folder.holds_run()
    assert not folder.checkpoints.exists()
    begin(folder)
    assert list(folder.path.parent.iterdir()) == [folder.path]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (
            PermissionError(13, "Access is denied"),
            "Access is denied; if another program has it open, close that and run the command "
            "again",
        ),
        (OSError(30, "Read-only file system"), "Read-only file system"),
    ],
)
def test_a_run_that_cannot_be_removed_is_one_line_and_stays(folder, monkeypatch, refusal, reason):
    before = finished_run(folder)

    def refuse(*args, **kwargs):
        raise refusal

    monkeypatch.setattr(system_calls, "_PAUSES", ())
    for call in ("rename", "replace", "unlink", "rmdir"):
        monkeypatch.setattr(os, call, refuse)
    with pytest.raises(AerialsegError) as error:
        folder.clear()
    assert error.value.problems == (
        f"{folder.path}: cannot be removed: {reason}; or choose another run_name",
    )
    assert sorted(path.relative_to(folder.path) for path in folder.path.rglob("*")) == before
    assert folder.finished()


def changed(**changes):
    return {**IDENTITY, **changes}


@pytest.mark.parametrize(
    ("identity", "difference"),
    [
        (changed(seed=1), "seed was 0, is 1; type seed=0 to continue it, "),
        (
            changed(seed=1, stage={**IDENTITY["stage"], "learning_rate": 4e-3}),
            "seed was 0, is 1; stage.learning_rate was 0.008, is 0.004; "
            "type seed=0 stage.learning_rate=0.008 to continue it, ",
        ),
        (
            changed(model={"mean": [0.5, 0.4, 0.2]}),
            "model.mean was [0.5, 0.4, 0.3], is [0.5, 0.4, 0.2]; ",
        ),
        (changed(parent="b" * 64), f"parent was {'a' * 12}..., is {'b' * 12}...; "),
        (changed(parent=None), f"parent was {'a' * 12}..., is absent; "),
        (changed(scheduler={"power": 0.9}), "scheduler.power was absent, is 0.9; "),
        (
            changed(seed=1, parent="none", scheduler={"a": 1, "b": 2, "c": 3}),
            "seed was 0, is 1; scheduler.a was absent, is 1; scheduler.b was absent, is 2; "
            "scheduler.c was absent, is 3; and 1 more; ",
        ),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_another_run_is_refused_by_a_line_that_names_what_differs(
    folder, identity, difference, finished
):
    begin(folder)
    if finished:
        folder.finish({})
    with pytest.raises(ConfigError) as error:
        check_same_run(folder, identity)
    (line,) = error.value.problems
    state = "a finished" if finished else "an unfinished"
    assert line == (
        f"existing=resume: {folder.path} holds {state} run that differs: {difference}"
        "choose another run_name, or existing=overwrite to train it anew"
    )


def test_values_that_are_taken_from_the_stage_are_not_named_beside_it(folder):
    def identity(epochs):
        stage = {"name": "aspp", "epochs": epochs}
        return {"scheduler": {"total_iters": epochs}, "stage": stage, "seed": epochs - 25}

    begin(folder, identity(30))
    with pytest.raises(ConfigError) as error:
        check_same_run(folder, identity(29))
    assert "differs: stage.epochs was 30, is 29; seed was 5, is 4; type" in str(error.value)


@pytest.mark.parametrize(
    "same",
    [
        dict(reversed(IDENTITY.items())),
        changed(model={"mean": (0.5, 0.4, 0.3)}),
        changed(seed=0.0),  # as YAML gives where 0.0 was typed instead of 0
        changed(comment=None),
    ],
)
def test_the_same_run_may_go_on_however_it_is_written(folder, same):
    check_same_run(begin(folder), same)


def test_images_are_compared_unless_the_run_is_of_an_older_release(folder):
    check_same_run(begin(folder), {**IDENTITY, "images_fingerprint": "a"})
    folder.begin("", {"identity": {**IDENTITY, "images_fingerprint": "a"}, "parent": {}})
    with pytest.raises(ConfigError, match="images_fingerprint was a, is b"):
        check_same_run(folder, {**IDENTITY, "images_fingerprint": "b"})


def test_a_run_that_says_nothing_of_itself_is_another_one(folder):
    folder.begin("", {"parent": {}})
    with pytest.raises(ConfigError, match="seed was absent, is 0"):
        check_same_run(folder, IDENTITY)


def test_the_environment_is_recorded_as_plain_data(monkeypatch):
    found = environment(["run.py", "stage=head"])
    assert found["command"] == ["run.py", "stage=head"]
    assert found["versions"]["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    assert found["versions"]["aerialseg"] == __version__
    json.dumps(found)
    monkeypatch.setenv("PATH", "")
    assert environment([])["git_commit"] is None


def test_the_git_commit_is_that_of_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert environment([])["git_commit"] is None
    name = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", *name, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert environment([])["git_commit"] == head.stdout.strip()


@pytest.mark.parametrize("content", [None, "", "{", "{}", "null", "[]", '{"stage": "head"}'])
def test_a_record_that_cannot_be_read_is_one_line(tmp_path, content):
    path = tmp_path / "metrics.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"missing or damaged.*existing=overwrite trains it anew"):
        RunFolder(tmp_path).result()


@pytest.mark.parametrize(("key", "value"), [("seconds", "long"), ("val/dice", None), ("stage", 3)])
def test_a_result_with_a_value_of_another_type_is_damaged(folder, key, value):
    begin(folder).finish(RESULT.to_mapping() | {key: value})
    with pytest.raises(ConfigError, match="missing or damaged"):
        folder.result()


@pytest.mark.parametrize(
    "content",
    [
        *("{}", "null", "[]", '{"parent": []}', '{"parent": {}, "identity": 1}', "[" * 100_000),
        *('{"parent": {"path": "x"}}', '{"parent": {"path": 1, "sha256": "x"}}'),
    ],
)
def test_a_provenance_of_another_form_is_damaged(folder, content):
    begin(folder)
    (folder.path / "provenance.json").write_text(content)
    with pytest.raises(ConfigError, match="missing or damaged"):
        check_same_run(folder, IDENTITY)
