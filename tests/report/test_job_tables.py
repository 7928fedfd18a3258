import csv
import re
from datetime import datetime

import pytest
from hydra.core.utils import JobReturn
from omegaconf import OmegaConf

from aerialseg.errors import Failure
from aerialseg.report.job_tables import (
    FinishedJob,
    StageRow,
    as_csv,
    print_forecast,
    print_table,
    table_rows,
)
from aerialseg.storage.forecast import Forecast
from aerialseg.tasks.hydra_callbacks import StageTable
from helpers.finished_runs import finish_stage, stage_result


def metrics(dice, *, miou=0.25, parameters=3084, seconds=12.34):
    scores = {"val/dice": dice, "val/miou": miou, "val/loss": 1.0}
    return stage_result(scores=scores, seconds=seconds, trainable_parameters=parameters)


def job(name, dice, previous=None, **facts):
    return FinishedJob(name, previous, metrics(dice, **facts))


def test_one_row_per_job_with_the_gain_over_the_stage_it_started_from():
    rows = table_rows(
        [
            job("head", 0.25),
            job("decoder", 0.33333, "head", miou=0.5),
            job("aspp", 0.3, "decoder"),
        ]
    )
    assert rows[0] == StageRow(
        stage="head",
        trainable_parameters=3084,
        val_dice=0.25,
        val_miou=0.25,
        gain=None,
        seconds=12.3,
    )
    assert [row.stage for row in rows] == ["head", "decoder", "aspp"]
    assert [row.val_dice for row in rows] == [0.25, 0.3333, 0.3]
    assert [row.gain for row in rows[1:]] == [0.0833, -0.0333]
    assert rows[1].val_miou == 0.5


def test_in_a_sweep_there_is_no_gain_over_the_previous_job():
    rows = table_rows([job("aspp lr=1", 0.25, "decoder"), job("aspp lr=2", 0.5, "decoder")])
    assert [row.gain for row in rows] == [None, None]


def test_no_jobs_make_no_rows():
    assert table_rows([]) == []
    assert as_csv([]) == "stage,trainable_parameters,val_dice,val_miou,gain,seconds\n"


def test_csv_has_the_columns_in_order_and_no_gain_for_the_first():
    text = as_csv(table_rows([job("head", 0.25), job("decoder", 0.5, "head")]))
    assert text == (
        "stage,trainable_parameters,val_dice,val_miou,gain,seconds\n"
        "head,3084,0.25,0.25,,12.3\n"
        "decoder,3084,0.5,0.25,0.25,12.3\n"
    )


def test_the_table_is_legible(capsys, tmp_path):
    rows = table_rows(
        [
            job("head", 0.25, parameters=3084, seconds=9),
            job("full", 0.2, "head", parameters=11_027_356, seconds=7261),
        ]
    )
    print_table(rows, tmp_path / "stages.csv")
    shown = capsys.readouterr().out
    for text in ("Stages", "gain", "11,027,356", "0.2500", "-0.0500", " 9 s", "2 h 01 min", "mIoU"):
        assert text in shown
    assert "".join(shown.split()).endswith("stages.csv")


def config(root, stage, folder=None, *, typed=()):
    folder = folder or f"{root}/{stage}/train"
    return OmegaConf.create(
        {
            "paths": {"runs_dir": str(root.parent), "output_dir": str(folder)},
            "run_name": root.name,
            "stage": {"name": stage, "previous": None if stage == "head" else "head"},
            "task": {"name": "train"},
            "hydra": {"overrides": {"task": list(typed)}},
        }
    )


def run(callback, jobs):
    callback.on_multirun_start(jobs[0][0])
    for cfg, returned in jobs:
        callback.on_job_end(cfg, JobReturn(_return_value=returned))
    callback.on_multirun_end(jobs[-1][0])


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_printed_table_does_not_truncate_swept_values(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = ["aspp stage.learning_rate=0.004", "aspp stage.learning_rate=0.008"]
    rows = table_rows([job(name, 0.5, "decoder") for name in names])
    print_table(rows, tmp_path / "sweep.csv")
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)


def test_a_multirun_of_stages_leaves_the_table_of_each_run(tmp_path, capsys):
    jobs = []
    for name, dice in (("a", 0.5), ("b", 0.75)):
        root = tmp_path / "runs" / name
        finish_stage(root, "head", 0.25)
        finish_stage(root, "decoder", dice, parent="head")
        jobs += [(config(root, stage), metrics(0.1)) for stage in ("head", "decoder")]
    run(StageTable(), jobs)
    for name, gain in (("a", "0.25"), ("b", "0.5")):
        rows = read(tmp_path / "runs" / name / "stages.csv")
        assert [row["stage"] for row in rows] == ["head", "decoder"]
        assert [row["gain"] for row in rows] == ["", gain]
    assert capsys.readouterr().out.count("decoder") == 2


def test_a_sweep_names_its_rows_by_stage_and_swept_values(tmp_path, capsys):
    root = tmp_path / "runs" / "default"
    jobs = [
        (config(root, stage, f"{root}/{stage}/stage.learning_rate={rate}/train"), metrics(0.2))
        for stage in ("head", "aspp")
        for rate in ("4e-3", "8e-3")
    ]
    run(StageTable(), jobs)
    assert not (root / "stages.csv").exists(), "that is the curriculum's"
    assert [row["stage"] for row in read(root / "sweep.csv")] == [
        "head stage.learning_rate=4e-3",
        "head stage.learning_rate=8e-3",
        "aspp stage.learning_rate=4e-3",
        "aspp stage.learning_rate=8e-3",
    ]
    shown = capsys.readouterr().out
    assert shown.startswith("Sweep")
    assert "gain" not in shown


def test_a_sweep_shows_its_values_as_they_were_typed(tmp_path):
    """Hydra hands 1e-3 on as 0.001, and a folder may not be called like a path."""
    root, callback = tmp_path / "runs" / "default", StageTable()
    typed = ["stage=head", "++stage.learning_rate=1e-3,2e-3", "++data.root='/a b',c", "++seed=3"]
    callback.on_multirun_start(config(root, "head", typed=typed))
    job = ["stage=head", "++stage.learning_rate=0.001", "++data.root='/a b'", "++seed=3"]
    cfg = config(root, "head", root / "head/data.root=_a_b-1234/train", typed=job)
    callback.on_job_end(cfg, JobReturn(_return_value=metrics(0.2)))
    callback.on_multirun_end(cfg)
    (row,) = read(root / "sweep.csv")
    assert row["stage"] == "head data.root=/a b,stage.learning_rate=1e-3"


@pytest.mark.parametrize("returned", [None, {"dice": 0.5}, "submission.csv"])
def test_tasks_that_train_nothing_leave_no_table(tmp_path, capsys, returned):
    root = tmp_path / "runs" / "default"
    run(StageTable(), [(config(root, "head"), returned)])
    assert not list(tmp_path.rglob("*.csv"))
    assert capsys.readouterr().out == ""


def test_a_job_that_raised_has_no_row(tmp_path):
    root, callback = tmp_path / "runs" / "default", StageTable()
    jobs = {rate: config(root, "head", root / f"head/lr={rate}/train") for rate in (1, 2)}
    callback.on_multirun_start(jobs[1])
    callback.on_job_end(jobs[1], JobReturn(_return_value=metrics(0.2)))
    callback.on_job_end(jobs[2], JobReturn(_return_value=ValueError("no")))
    callback.on_multirun_end(jobs[2])
    assert [row["stage"] for row in read(root / "sweep.csv")] == ["head lr=1"]


def test_a_failed_job_of_a_sweep_has_a_row_with_its_reason_and_the_others_go_on(tmp_path, capsys):
    root, callback = tmp_path / "runs" / "default", StageTable()
    results = {1: metrics(0.2), 2: Failure("the loss is nan"), 3: metrics(0.3)}
    jobs = [(config(root, "head", root / f"head/lr={n}/train"), results[n]) for n in results]
    with pytest.raises(SystemExit) as stop:
        run(callback, jobs)
    assert stop.value.code == "error: head lr=2 failed: the loss is nan"
    rows = read(root / "sweep.csv")
    assert [(row["stage"], row["val_dice"], row["failed"]) for row in rows] == [
        ("head lr=1", "0.2", ""),
        ("head lr=2", "", "the loss is nan"),
        ("head lr=3", "0.3", ""),
    ]
    assert "head lr=3" in capsys.readouterr().out


def test_a_failed_job_ends_a_multirun_over_stages(tmp_path):
    root, callback = tmp_path / "runs" / "default", StageTable()
    cfg = config(root, "head", typed=["stage=head,decoder", "++seed=1"])
    callback.on_multirun_start(cfg)
    with pytest.raises(SystemExit) as stop:
        callback.on_job_end(cfg, JobReturn(_return_value=Failure("the loss is nan")))
    assert stop.value.code == 1
    assert not list(tmp_path.rglob("*.csv"))


def measured(stage, **changes):
    facts = {
        "epochs": 6,
        "epochs_left": 6,
        "step": 0.05,
        "validation_batch": 0.012345,
        "seconds": 60.0,
    }
    return Forecast(stage, **facts | changes)


def forecast_of(*forecasts, capsys):
    jobs = {forecast.stage: forecast for forecast in forecasts}
    print_forecast(jobs, now=datetime(2024, 3, 5, 14, 28))
    lines = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in lines], lines[-1]


def test_the_forecast_has_one_row_per_job_and_the_time_it_is_done(capsys):
    cells, last = forecast_of(
        measured("head"), measured("full", step=2.345, seconds=190), capsys=capsys
    )
    header = ["stage", "training step", "validation batch", "epochs", "time"]
    assert header in cells
    assert ["head", "50 ms", "12.3 ms", "6", "60 s"] in cells
    assert ["full", "2.35 s", "12.3 ms", "6", "3 min"] in cells
    assert ["all", "", "", "", "4 min"] in cells
    assert last == "about 4 min: started now, done at 14:32"


def test_the_forecast_shows_features_finished_stages_and_early_stopping(capsys):
    over = {"epochs_left": 0, "step": None, "validation_batch": None, "seconds": 0.0}
    cells, last = forecast_of(
        measured("head", **over),
        measured("decoder", epochs_left=2, features=3.0, at_most=True),
        capsys=capsys,
    )
    assert ["head", "", "", "", "finished", "0 s"] in cells
    assert ["decoder", "50 ms", "12.3 ms", "3 s", "2 of 6 left", "60 s"] in cells
    assert last == "at most 60 s: started now, done by 14:29"


def test_a_multirun_that_measured_shows_its_forecast_and_leaves_nothing(tmp_path, capsys):
    root = tmp_path / "runs" / "default"
    jobs = [(config(root, s, f"{root}/{s}/check"), measured(s)) for s in ("head", "decoder")]
    run(StageTable(), jobs)
    shown = capsys.readouterr().out
    assert shown.startswith("Forecast")
    assert all(stage in shown for stage in ("head", "decoder"))
    assert not list(tmp_path.iterdir())


def test_a_sweep_and_a_single_job_show_their_forecast_and_leave_nothing(tmp_path, capsys):
    root = tmp_path / "runs" / "default"
    sizes = ["data.batch_size=4", "data.batch_size=8"]
    folders = [f"{root}/head/{size}/check" for size in sizes]
    run(StageTable(), [(config(root, "head", folder), measured("head")) for folder in folders])
    shown = capsys.readouterr().out
    assert all(f"head {size}" in shown for size in sizes)
    single = StageTable()
    cfg = config(root, "aspp", f"{root}/aspp/check")
    single.on_job_end(cfg, JobReturn(_return_value=measured("aspp")))
    single.on_run_end(cfg)
    assert "aspp" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
