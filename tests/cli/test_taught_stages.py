"""Two stages that learn from the checkpoint of another network, as real processes."""

import json
from hashlib import sha256

import pytest
import torch

from aerialseg.models.networks import deeplabv3_mobilenet_v3_large
from helpers.commands import run_command

pytestmark = pytest.mark.slow

SMALL = (
    *("experiment=demo", "recipe=seed", "stage.fresh=learn", "optimizer=adamw", "data.root=scenes"),
    *("data.layout.count=12", "data.layout.test_count=2"),
    *("data.layout.size=[64,96]", "data.image_min_size=48", "data.batch_size=4"),
    *("data.num_workers=0", "stage.epochs=2", "trainer=cpu"),
)
OTHER_NETWORK = ("model=lraspp_mobilenet_v3_large", "model.weights=none")
TEACHER = "runs/teacher/head/train/checkpoints/best.ckpt"
STAGES = ("head", "decoder")


def run(*arguments, folder, code=0):
    done = run_command(*arguments, *SMALL, folder=folder)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A teacher, two stages of a student, and what the latter said."""
    folder = tmp_path_factory.mktemp("taught")
    run("stage=head", "run_name=teacher", *OTHER_NETWORK, folder=folder)
    said = run(
        *("task=curriculum", f"task.stages=[{','.join(STAGES)}]", "run_name=student"),
        *(f"loss.distillation.teacher={TEACHER}", "loss.distillation.temperature=2"),
        folder=folder,
    )
    return folder, said


def test_both_stages_are_taught_and_say_so(trained):
    folder, said = trained
    line = f"taught by {TEACHER}: a share of 0.5 of the loss, at temperature 2"
    assert said.count(line) == 4  # each is checked and trained
    of_teacher = sha256((folder / TEACHER).read_bytes()).hexdigest()
    for stage in STAGES:
        record = json.loads((folder / f"runs/student/{stage}/train/provenance.json").read_text())
        assert record["teachers"] == [{"path": TEACHER, "sha256": of_teacher}]
        assert record["identity"]["loss"]["distillation"] == {
            "teacher": [of_teacher],
            "weight": 0.5,
            "temperature": 2,
        }


def test_the_teacher_is_not_in_the_checkpoints_and_not_counted(trained):
    folder, _ = trained
    path = folder / "runs/student/decoder/train"
    state = torch.load(path / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    network = deeplabv3_mobilenet_v3_large(12)
    assert set(state) == {f"network.{name}" for name in network.state_dict()}
    counted = json.loads((path / "metrics.json").read_text())["total_parameters"]
    assert counted == sum(p.numel() for p in network.parameters())


def test_a_frozen_stage_says_why_it_caches_no_features(trained):
    folder, said = trained
    assert "the teachers of loss.distillation need the images" in said
    assert not list((folder / "cache").glob("features/student/*"))


def test_another_share_of_the_teacher_is_another_run(trained):
    folder, _ = trained
    kept = run("stage=head", "run_name=student", "existing=resume", folder=folder)
    assert "stage head: already finished" in kept
    line = run(
        *("stage=head", "run_name=student", "existing=resume", "loss.distillation.weight=0.4"),
        folder=folder,
        code=1,
    ).splitlines()[-1]
    assert "holds a finished run that differs: loss.distillation.weight was 0.5, is 0.4" in line


def test_the_next_stage_finds_the_teacher_from_another_folder(trained):
    folder, _ = trained
    (folder / "elsewhere").mkdir()
    said = run(
        *("stage=aspp", "run_name=student", "paths.runs_dir=../runs", "data.root=../scenes"),
        *("stage.epochs=1", "augmentation=none", "task=check"),
        folder=folder / "elsewhere",
    )
    assert f"taught by {folder / TEACHER}: " in said
    run("task=evaluate", "run_name=student", "stage=decoder", folder=folder)
