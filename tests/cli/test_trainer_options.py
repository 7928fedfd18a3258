"""Every argument of the trainer works, or is one line before any work."""

import json
from pathlib import Path

import pytest

from aerialseg.storage.checkpoints import read_checkpoint
from helpers.commands import run_command
from helpers.tiny_training import CLASSES, make_data
from helpers.trainer_matrix import matrix, sample

RUN = Path("runs/default/full/train")
TRAIN = (
    *("data=folders", "data.root=d", "data.image_min_size=24", "data.batch_size=2"),
    *("data.num_workers=0", "model=lraspp_mobilenet_v3_large", "model.weights=none", "stage=full"),
    *("stage.init_checkpoint=null", "augmentation=none", "stage.epochs=2", "logger=csv"),
    *("trainer=cpu", "paths.cache_dir=cache"),
)


@pytest.fixture
def site(tmp_path):
    """A folder with a small data set."""
    make_data(tmp_path / "d")
    (tmp_path / "d/classes.yaml").write_text(json.dumps(CLASSES))
    return tmp_path


def assert_works_or_is_one_line(site, *overrides):
    """Trains; returns whether that worked."""
    done = run_command(*TRAIN, *overrides, folder=site)
    if done.returncode == 0:
        metrics = json.loads((site / RUN / "metrics.json").read_text())
        assert 0 <= metrics["val/dice"] <= 1
        for name in ("best", "last"):
            read_checkpoint(site / RUN / f"checkpoints/{name}.ckpt")
        return True
    assert done.returncode == 1, done.stderr
    name = overrides[0].partition("=")[0].strip("+")
    for line in done.stderr.splitlines():
        assert line.startswith((f"config error: {name}", "config error: trainer: "))
    assert "Traceback" not in done.stdout
    assert not (site / "runs").exists()
    return False


@pytest.mark.parametrize("override", sample(6, seed=11))
def test_a_sample_of_the_matrix(site, override):
    assert_works_or_is_one_line(site, override)


@pytest.mark.slow
@pytest.mark.parametrize("name", matrix())
def test_the_whole_matrix(site, name):
    for number, value in enumerate(matrix()[name]):
        if assert_works_or_is_one_line(site, f"++trainer.{name}={value}"):
            (site / "runs").rename(site / f"finished_{number}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ("++trainer.val_check_interval=0.5",),
        ("++trainer.check_val_every_n_epoch=2",),
        ("++trainer.reload_dataloaders_every_n_epochs=1",),
        ("++trainer.detect_anomaly=true",),
        ("++trainer.deterministic=true",),
        ("++trainer.enable_progress_bar=false",),
        ("++trainer.min_epochs=2", "callbacks.early_stopping.patience=1"),
        ("trainer.precision=bf16",),
        ("trainer.accumulate_grad_batches=3", "++trainer.gradient_clip_algorithm=value"),
        ("scheduler=plateau", "optimizer.warmup_steps=0"),
        ("scheduler=none",),
        ("scheduler=cosine",),
        ("logger=none",),
        ("logger=tensorboard",),
        ("~callbacks.early_stopping", "~callbacks.progress", "~callbacks.samples"),
        ("+callbacks.more={_target_:pytorch_lightning.callbacks.ModelCheckpoint}",),
        ("+callbacks.more={_target_:pytorch_lightning.callbacks.RichModelSummary}",),
        ("logger._target_=pytorch_lightning.loggers.CSVLogger",),
    ],
    ids=" ".join,
)
def test_these_combinations_train(site, overrides):
    assert assert_works_or_is_one_line(site, *overrides)


def test_a_profile_is_written_beside_the_run(site):
    assert assert_works_or_is_one_line(site, "++trainer.profiler=simple")
    assert "run_training_epoch" in (site / RUN / "fit-profile.txt").read_text()


def test_a_run_that_max_time_stopped_goes_on_and_is_not_finished(site):
    limit = ("++trainer.max_time='00:00:00:01'", "stage.epochs=2000")
    steps = []
    for changed in ((), (), ("++trainer.max_time={seconds:1}",)):  # still the same run
        done = run_command(*TRAIN, *limit, *changed, "existing=resume", folder=site)
        assert done.returncode == 124, done.stderr
        assert done.stderr.splitlines()[-1].startswith("stopped by trainer.max_time ")
        assert done.stderr.splitlines()[-1].endswith("; the same command continues from there")
        assert not (site / RUN / "metrics.json").exists()
        steps.append(read_checkpoint(site / RUN / "checkpoints/last.ckpt")["global_step"])
    assert 0 < steps[0] < steps[1] < steps[2] < 6000


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ["++trainer.limit_val_batches=0.1"],
            "trainer.limit_val_batches: 0.1 of 1 batches is less than one; set "
            "trainer.limit_val_batches=1",
        ),
        (
            ["++trainer.val_check_interval=2"],
            "trainer.val_check_interval: 2 validates every 2 batches, but an epoch has 3, so it "
            "would not end with a validation; set one of 1, 3",
        ),
        (
            ["callbacks.early_stopping.monitor=val/iou_carr", "callbacks.early_stopping.mode=max"],
            "callbacks.early_stopping.monitor: 'val/iou_carr' is never logged; did you mean "
            "'val/iou_car'?",
        ),
        (
            ["optimizer=adamw", "++optimizer.function.betas=[2,3]"],
            "optimizer.function: Invalid beta parameter at index 0: 2",
        ),
        (
            ["+callbacks.two={_target_:pytorch_lightning.callbacks.RichProgressBar}"],
            "trainer: You added multiple progress bar callbacks to the Trainer, but currently "
            "only one progress bar is supported.",
        ),
        (
            ["loss.class_weights=[1,2]"],
            "loss.class_weights: has 2 numbers; wanted 3, one per class in the order of the ids: "
            "ground, car, tree",
        ),
        (
            ["augmentation.transforms=[{_target_:albumentations.Rotate}]"],
            "augmentation.transforms[0]: Rotate gives masks pixels of class 0 that were of another "
            "class; set fill_mask: 255",
        ),
    ],
    ids=str,
)
def test_what_only_the_data_can_tell_is_one_line_before_training(site, overrides, line):
    for task in ("check", "train"):
        done = run_command(*TRAIN, *overrides, f"task={task}", folder=site)
        assert (done.returncode, done.stderr) == (1, f"config error: {line}\n")
        assert not (site / "runs").exists()
