"""The README's commands as real processes, once through, on small scenes."""

import csv
import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from helpers.commands import run_command
from helpers.project import REPOSITORY, Project
from helpers.stages import FROZEN_BELOW, STAGES, group_of
from helpers.systems import needs_posix


@pytest.fixture(scope="module")
def curriculum(tmp_path_factory):
    """A finished curriculum of one epoch per stage, and its output."""
    project = Project(tmp_path_factory.mktemp("curriculum"))
    project.finished = project.run("task=curriculum")
    assert project.finished.returncode == 0, project.finished.stderr
    return project


def state(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


def test_the_table_of_the_stages_is_printed_and_written(curriculum):
    assert "trainable parameters" in curriculum.finished.stdout
    with (curriculum.run_folder / "stages.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["stage"] for row in rows] == list(STAGES)
    assert [int(row["trainable_parameters"]) for row in rows] == [
        8_054_964,  # the weights are a backbone's, so all above it is random and learns
        597_172,
        8_054_964,
        10_933_716,
        11_023_164,
    ]
    for row in rows:
        metrics = json.loads(
            (curriculum.run_folder / row["stage"] / "train/metrics.json").read_text()
        )
        assert float(row["val_dice"]) == pytest.approx(metrics["val/dice"], abs=1e-4)
        assert metrics["frozen_unchanged"] is True
        fresh = ["classifier.0", "classifier.1", "classifier.2"] if row["stage"] == "head" else []
        assert [name.partition(" + ")[0] for name in metrics["fresh_groups"]] == fresh


@pytest.mark.parametrize(("parent", "stage"), [*pairwise(STAGES)])
def test_frozen_tensors_of_a_stage_equal_its_parent_bit_for_bit(curriculum, parent, stage):
    before, after = state(curriculum.checkpoint(parent)), state(curriculum.checkpoint(stage))
    frozen = [name for name in after if group_of(name) < FROZEN_BELOW[stage]]
    learning = [name for name in after if group_of(name) >= FROZEN_BELOW[stage]]
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert any(not torch.equal(before[name], after[name]) for name in learning)
    assert len(frozen) + len(learning) == len(after)


def test_provenance_names_the_parent_by_its_hash(curriculum):
    from hashlib import sha256

    provenance = json.loads((curriculum.run_folder / "aspp/train/provenance.json").read_text())
    assert provenance["parent"] == {
        "path": str(curriculum.checkpoint("decoder")),
        "sha256": sha256(curriculum.checkpoint("decoder").read_bytes()).hexdigest(),
    }
    assert provenance["threads"] == 1


def test_started_again_the_script_keeps_finished_stages(curriculum):
    before = {stage: curriculum.checkpoint(stage).stat().st_mtime_ns for stage in STAGES}
    # Of a process that was killed once the last stage was finished, before it had tidied up.
    left = curriculum.run_folder / f"full/train/.metrics.aerialseg-{'0' * 32}.json"
    left.touch()
    again = curriculum.script()
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("already finished") == len(STAGES)
    assert before == {stage: curriculum.checkpoint(stage).stat().st_mtime_ns for stage in STAGES}
    assert not left.exists()


@pytest.mark.slow
def test_paths_are_relative_to_the_working_directory(curriculum, tmp_path):
    """The script neither changes the folder nor needs it to be that of the repository."""
    left_out = ("paths.", "model.weights=")
    overrides = [o for o in curriculum.overrides if not o.startswith(left_out)]
    command = [str(REPOSITORY / "multirun_stages.sh"), *overrides, "task.stages=[head]"]
    done = curriculum.execute(*command, "paths.runs_dir=here", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"here", "cache"}
    assert (tmp_path / "here/demo/head/train/metrics.json").is_file()


@pytest.mark.slow
def test_each_stage_starts_from_the_one_before_it_and_has_its_own_values(curriculum):
    """Whatever its file says of its start; and `${...}` on the command line is of each stage."""
    done = curriculum.run(
        "task=curriculum",
        "task.stages=[decoder,head]",
        "task.measure=false",
        "run_name=turned",
        f"stage.init_checkpoint={curriculum.checkpoint('head')}",
        "optimizer.function.weight_decay='${model.fine_tune_start.${stage.name}}'",
    )
    assert done.returncode == 0, done.stderr
    runs = curriculum.folder / "runs/turned"
    parents, decays = {}, {}
    for stage in ("decoder", "head"):
        provenance = json.loads((runs / stage / "train/provenance.json").read_text())
        parents[stage] = provenance["parent"]["path"]
        decays[stage] = provenance["identity"]["optimizer"]["function"]["weight_decay"]
    assert parents == {
        "decoder": str(curriculum.checkpoint("head")),
        "head": str(runs / "decoder/train/checkpoints/best.ckpt"),
    }
    assert decays == {"decoder": 18, "head": 21}


@pytest.mark.slow
def test_training_needs_no_logger(curriculum):
    done = curriculum.run("stage=head", "run_name=unlogged", "logger=none")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_stages_that_are_trained_one_by_one_make_the_table_of_their_run(curriculum):
    for count, stage in enumerate(("head", "decoder"), start=1):
        done = curriculum.run(f"stage={stage}", "run_name=single")
        assert done.returncode == 0, done.stderr
        with (curriculum.folder / "runs/single/stages.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["stage"] for row in rows] == ["head", "decoder"][:count]
    head, decoder = rows
    gain = float(decoder["val_dice"]) - float(head["val_dice"])
    assert float(decoder["gain"]) == pytest.approx(gain, abs=1e-4)


@pytest.mark.slow
def test_stages_can_be_skipped(curriculum):
    done = curriculum.script("task.stages=[head,aspp]", "run_name=short")
    assert done.returncode == 0, done.stderr
    runs = curriculum.folder / "runs/short"
    provenance = json.loads((runs / "aspp/train/provenance.json").read_text())
    assert provenance["parent"]["path"] == str(runs / "head/train/checkpoints/best.ckpt")
    assert {path.name for path in runs.iterdir()} == {"head", "aspp", "report", "stages.csv"}
    assert (runs / "aspp/evaluate/metrics.json").is_file()


def test_evaluation_agrees_with_scikit_learn(curriculum, tmp_path):
    """Computed from the masks that predict writes, by another library."""
    report = curriculum.run_folder / "full" / "evaluate"
    scenes = curriculum.folder / "scenes"
    with (report / "images.csv").open(newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    images = tmp_path / "images"
    images.mkdir()
    for name in ids:
        (images / f"{name}.jpg").write_bytes((scenes / f"imgs/imgs/{name}.jpg").read_bytes())
    done = curriculum.run(
        "task=predict", "stage=full", f"input={images}", f"task.output_dir={tmp_path}"
    )
    assert done.returncode == 0, done.stderr
    truth = np.stack([np.asarray(Image.open(scenes / f"masks/masks/{n}.png")) for n in ids])
    prediction = np.stack([np.asarray(Image.open(tmp_path / f"{n}_index.png")) for n in ids])
    counts = sklearn_confusion_matrix(truth.ravel(), prediction.ravel(), labels=range(12))
    with (report / "confusion_matrix.csv").open(newline="") as file:
        written = [[int(v) for v in row[1:]] for row in list(csv.reader(file))[1:]]
    assert written == counts.tolist()
    metrics = json.loads((report / "metrics.json").read_text())
    assert metrics["accuracy"] == pytest.approx((truth == prediction).mean())


def test_evaluation_leaves_every_table_and_image(curriculum):
    names = {path.name for path in (curriculum.run_folder / "full/evaluate").iterdir()}
    assert names == {
        "classes.csv",
        "confusion_counts.png",
        "confusion_matrix.csv",
        "confusion_normalised.png",
        "images.csv",
        "metrics.json",
        "predictions.png",
    }


def test_predict_needs_only_the_checkpoint(curriculum, tmp_path):
    lonely = tmp_path / "mine.ckpt"
    lonely.write_bytes(curriculum.checkpoint("full").read_bytes())
    image = tmp_path / "odd.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (51, 77, 3), np.uint8)).save(image)
    done = run_command(
        "task=predict",
        f"checkpoint={lonely}",
        f"input={image}",
        f"task.output_dir={tmp_path / 'out'}",
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    index = Image.open(tmp_path / "out" / "odd_index.png")
    colour = Image.open(tmp_path / "out" / "odd_colour.png")
    assert index.size == colour.size == (77, 51)
    assert np.array_equal(np.asarray(index), np.asarray(colour))
    assert Image.open(tmp_path / "out" / "odd_overlay.png").mode == "RGB"


def test_submission_decodes_to_the_predicted_masks(curriculum, tmp_path):
    done = curriculum.run("task=submit", "stage=full")
    assert done.returncode == 0, done.stderr
    with (curriculum.run_folder / "full/submit/submission.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header == ["ImageID", "EncodedPixels"]
    with (curriculum.folder / "scenes" / "test.csv").open(newline="") as file:
        ids = [row["ImageID"] for row in csv.DictReader(file)]
    assert [row[0] for row in rows] == [f"{name}_{k}" for name in ids for k in range(12)]
    flat = np.full(64 * 96, 255)
    for k, (_, code) in enumerate(rows[:12]):
        numbers = [int(v) for v in code.split()]
        for start, length in zip(numbers[::2], numbers[1::2], strict=True):
            flat[start - 1 : start - 1 + length] = k
    image = curriculum.folder / "scenes" / "imgs" / "imgs" / f"{ids[0]}.jpg"
    done = curriculum.run(
        "task=predict", "stage=full", f"input={image}", f"task.output_dir={tmp_path}"
    )
    assert done.returncode == 0, done.stderr
    assert np.array_equal(
        flat.reshape(64, 96), np.asarray(Image.open(tmp_path / f"{ids[0]}_index.png"))
    )


def test_visualize_draws_one_sheet(curriculum):
    done = curriculum.run("task=visualize", "augmentation=drone", "task.samples=2")
    assert done.returncode == 0, done.stderr
    sheet = Image.open(curriculum.run_folder / "head" / "visualize" / "samples.png")
    assert min(sheet.size) > 300


def test_a_sweep_gets_one_folder_per_job_and_never_the_stages_own(curriculum):
    before = curriculum.checkpoint("aspp").stat().st_mtime_ns
    done = curriculum.run("-m", "stage=aspp", "stage.learning_rate=4e-3,8e-3")
    assert done.returncode == 0, done.stderr
    folders = {path.parent.name for path in (curriculum.run_folder / "aspp").glob("*/train")}
    assert folders == {"stage.learning_rate=0.004", "stage.learning_rate=0.008"}
    assert curriculum.checkpoint("aspp").stat().st_mtime_ns == before
    with (curriculum.run_folder / "stages.csv").open(newline="") as file:
        assert [row["stage"] for row in csv.DictReader(file)] == list(STAGES)


def test_a_finished_run_is_never_trained_over(curriculum):
    before = curriculum.checkpoint("head").read_bytes()
    refused = curriculum.run("stage=head")
    other = curriculum.run("stage=head", "existing=resume", "stage.learning_rate=0.5")
    assert refused.returncode == other.returncode == 1
    why = "already holds a finished run; choose existing=resume to keep it as it is"
    assert why in refused.stderr
    checked = curriculum.run("task=check", "stage=head", "task.measure=true")
    assert checked.returncode == 0, checked.stderr
    assert re.search(f"training would be refused: existing: .*{why}", checked.stdout)
    assert re.search(r"│ head +│ +[\d.]+ m?s │", checked.stdout)
    assert "stage.learning_rate was 0.02, is 0.5" in other.stderr
    assert curriculum.checkpoint("head").read_bytes() == before


@pytest.mark.slow
def test_a_run_without_a_snapshot_says_that_it_starts_over(curriculum):
    command = ("stage=head", "run_name=again")
    assert curriculum.run(*command).returncode == 0
    folder = curriculum.folder / "runs/again/head/train"
    (folder / "metrics.json").unlink()
    shutil.rmtree(folder / "checkpoints")
    done = curriculum.run(*command, "existing=resume")
    assert done.returncode == 0, done.stderr
    assert f"{folder} holds no snapshot yet, so training starts over" in done.stdout


@pytest.mark.slow
def test_a_branch_starts_from_another_runs_stage(curriculum):
    done = curriculum.run(
        "stage=full", "run_name=branch", "stage.from_run=demo", "stage.previous=aspp"
    )
    assert done.returncode == 0, done.stderr
    provenance = json.loads(
        (curriculum.folder / "runs/branch/full/train/provenance.json").read_text()
    )
    assert provenance["parent"]["path"] == str(curriculum.checkpoint("aspp"))


@needs_posix
def test_another_class_table_is_refused_by_name(curriculum):
    done = curriculum.run("task=evaluate", "stage=full", "~data.classes.sky")
    assert done.returncode == 1
    assert (
        "config error" in done.stderr
        or "data error" in done.stderr
        or "checkpoint error" in done.stderr
    )
    assert "Traceback" not in done.stderr
