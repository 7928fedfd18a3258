"""Sweeps as real processes: one job that fails does not take the others with it."""

import csv

import pytest

from helpers.commands import run_command

TINY = (
    *("experiment=demo", "trainer=cpu", "data.layout.count=8", "data.layout.test_count=0"),
    *("data.layout.size=[48,64]", "data.image_min_size=48", "data.num_workers=0"),
    *("model=lraspp_mobilenet_v3_large", "model.weights=none", "stage.epochs=2", "logger=none"),
    *("stage.cache_features=off", "~callbacks.learning_rate", "~callbacks.samples"),
)


def test_the_jobs_after_one_that_fails_are_trained_and_the_table_says_why(tmp_path):
    rates = "stage.learning_rate=1e-3,1e30,2e-3"
    whole = ("stage=full", "stage.init_checkpoint=null", "optimizer=sgd", "data.batch_size=2")
    done = run_command("-m", *TINY, *whole, rates, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    with (tmp_path / "runs/demo/sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["stage"] for row in rows] == [
        f"full stage.learning_rate={rate}" for rate in ("1e-3", "1e30", "2e-3")
    ]
    assert [bool(row["val_dice"]) for row in rows] == [True, False, True]
    reason = rows[1]["failed"]
    assert reason.startswith("stage full, epoch ")
    assert "lower stage.learning_rate" in reason
    assert done.stderr.splitlines() == [
        f"training error: {reason}",
        f"error: full stage.learning_rate=1e30 failed: {reason}",
    ]
    trained = "runs/demo/full/stage.learning_rate={}/train/metrics.json"
    assert [(tmp_path / trained.format(rate)).exists() for rate in ("0.001", "1e+30", "0.002")] == [
        *(True, False, True)
    ]


@pytest.mark.slow
def test_a_checkpoint_of_a_job_is_typed_as_it_is_called(tmp_path):
    done = run_command("-m", *TINY, "seed=1,2", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    checkpoint = "runs/demo/head/seed=1/train/checkpoints/best.ckpt"
    command = (*TINY, "task=evaluate", f"checkpoint={checkpoint}", "hydra/launcher=basic")
    done = run_command(*command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/demo/head/evaluate/metrics.json").exists()
