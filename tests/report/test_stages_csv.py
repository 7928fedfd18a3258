"""The table of a run is made from what its folders hold, whoever trained its stages, and when."""

import csv
import logging

import pytest

from aerialseg.report.stages_csv import (
    finished_stages,
    show_run_table,
    stages_are,
    unfinished_stages,
    write_run_table,
)
from aerialseg.storage.run_folders import RunFolder
from helpers.finished_runs import finish_stage


@pytest.fixture
def run(tmp_path):
    return tmp_path / "runs" / "mine"


def chain(run, *stages):
    """Stages, each from the one before it, each 0.125 better."""
    for index, stage in enumerate(stages):
        finish_stage(run, stage, 0.125 * (index + 1), parent=stages[index - 1] if index else None)


def names(run):
    return [job.name for job in finished_stages(run)]


def gains(run):
    return {row.stage: row.gain for row in write_run_table(run)}


def test_stages_stand_in_the_order_in_which_they_started_from_each_other(run):
    chain(run, "head", "decoder", "aspp", "full")
    write_run_table(run)
    with (run / "stages.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["stage"] for row in rows] == ["head", "decoder", "aspp", "full"]
    assert [row["val_dice"] for row in rows] == ["0.125", "0.25", "0.375", "0.5"]
    assert [row["val_miou"] for row in rows] == ["0.0625", "0.125", "0.1875", "0.25"]
    assert [row["gain"] for row in rows] == ["", "0.125", "0.125", "0.125"]


def test_a_stage_that_is_trained_later_joins_the_table(run):
    chain(run, "head", "decoder")
    assert list(gains(run)) == ["head", "decoder"]
    finish_stage(run, "aspp", 0.75, parent="decoder")
    assert gains(run) == {"head": None, "decoder": 0.125, "aspp": 0.5}


def test_unfinished_stages_and_jobs_of_a_sweep_are_not_in_it(run):
    chain(run, "head")
    RunFolder(run / "decoder" / "train").begin("", {"parent": {}})
    finish_stage(run / "head", "stage.learning_rate=0.1", 0.5)
    assert names(run) == ["head"]


def test_stages_that_branch_follow_the_one_they_started_from(run):
    chain(run, "head", "decoder", "full")
    finish_stage(run, "aspp", 0.5, parent="head")
    assert names(run) == ["head", "aspp", "decoder", "full"]


def test_there_is_no_gain_over_a_stage_of_another_run(run):
    other = run.with_name("other")
    finish_stage(other, "decoder", 0.25)
    chain(run, "head", "decoder")
    finish_stage(run, "aspp", 0.5, parent="decoder", parent_run=other)
    assert gains(run) == {"aspp": None, "head": None, "decoder": 0.125}


def test_there_is_no_gain_over_a_stage_that_was_trained_anew(run):
    chain(run, "head", "decoder", "aspp")
    finish_stage(run, "decoder", 0.5, parent="head")
    assert gains(run) == {"head": None, "decoder": 0.375, "aspp": None}


def test_there_is_a_gain_over_a_stage_whose_checkpoint_was_deleted(run):
    chain(run, "head", "decoder")
    (run / "head/train/checkpoints/best.ckpt").unlink()
    assert gains(run) == {"head": None, "decoder": 0.125}


def test_a_run_that_was_moved_keeps_its_table(run):
    chain(run, "head", "decoder")
    moved = run.parents[1] / "archive" / "mine"
    moved.parent.mkdir()
    run.rename(moved)
    assert gains(moved) == {"head": None, "decoder": 0.125}


def test_stages_that_started_from_each_other_are_all_there(run):
    chain(run, "head", "decoder")
    finish_stage(run, "head", 0.5, parent="decoder")
    assert gains(run) == {"decoder": None, "head": 0.25}


@pytest.mark.parametrize("name", ["metrics.json", "provenance.json"])
@pytest.mark.parametrize("content", ["{", "{}", "null", "[1]"])
def test_a_damaged_record_costs_its_row_and_no_more(run, caplog, name, content):
    chain(run, "head", "decoder")
    (run / "head/train" / name).write_text(content)
    with caplog.at_level(logging.WARNING):
        assert gains(run) == {"decoder": None}
    assert f"head/train/{name}: is missing or damaged" in caplog.text.replace("\\", "/")


def test_a_run_without_a_finished_stage_has_no_table(run, capsys):
    show_run_table(run)
    assert not run.exists()
    assert capsys.readouterr().out == ""


def test_a_table_that_cannot_be_written_is_shown_with_a_warning(run, caplog, capsys):
    chain(run, "head")
    (run / "stages.csv").mkdir()
    with caplog.at_level(logging.WARNING):
        show_run_table(run)
    assert "the table is written after the next stage" in caplog.text
    assert "0.1250" in capsys.readouterr().out


def test_stages_that_began_and_have_no_verdict_are_unfinished(run):
    chain(run, "head", "aspp", "full")
    assert unfinished_stages(run) == []
    for stage in ("aspp", "full"):
        (run / stage / "train/metrics.json").unlink()
    (run / "decoder/train").mkdir(parents=True)  # where nothing began yet
    assert unfinished_stages(run) == ["aspp", "full"]
    assert stages_are(["aspp", "full"]) == "stages aspp, full are"
    assert stages_are(["full"]) == "stage full is"
