"""Which stages follow, and what of their measured times may be believed."""

import json
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from aerialseg.callbacks.pace import Pace
from aerialseg.callbacks.remaining_time import Forecast, Rest
from aerialseg.training.build import build_trainer
from aerialseg.training.forecast import rest_of_curriculum, stages_to_come, tell_rest

CONF = Path(__file__).parents[2] / "conf"
CURRICULUM = "stage=head,decoder,full"


def typed(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["run.py", *arguments])


@pytest.mark.parametrize(
    ("arguments", "stages"),
    [
        (["-m", CURRICULUM, "seed=3"], ["decoder", "full"]),
        (["-m", "stage=aspp,head"], []),
        (["-m", "stage=decoder,full"], []),  # head is not among them
        (["-m", CURRICULUM, "seed=0,1"], []),
        (["-m", "stage=head", "seed=0,1"], []),
        (["stage=head"], []),
        ([], []),
    ],
)
def test_the_stages_to_come_are_those_of_the_multirun(monkeypatch, arguments, stages):
    typed(monkeypatch, *arguments)
    assert stages_to_come("head") == stages


def row(stage, step, seconds, **changes):
    facts = {"left": 6, "validation_batch": step / 4, "at_most": False, "overrides": ["seed=3"]}
    return {"stage": stage, "step": step, "seconds": seconds, **facts, **changes}


ROWS = [row("head", 0.5, 20.0), row("decoder", 1.0, 30.0), row("full", 2.0, 40.0, at_most=True)]


@pytest.fixture
def job(tmp_path, monkeypatch):
    """The rest as a job of a multirun over three stages sees it."""

    def rest(rows, *overrides, stage="head"):
        folder = tmp_path / "default"
        folder.mkdir(exist_ok=True)
        content = rows if isinstance(rows, str) else json.dumps({"stages": rows})
        (folder / "forecast.json").write_text(content)
        typed(monkeypatch, "-m", CURRICULUM, *overrides)
        with initialize_config_dir(str(CONF), version_base="1.3"):
            given = [f"stage={stage}", "existing=resume", *overrides]
            cfg = compose("config", given, return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        cfg.paths.runs_dir = str(tmp_path)
        return rest_of_curriculum(cfg)

    yield rest
    HydraConfig.instance().cfg = None


def test_a_stage_knows_its_expected_pace_and_what_follows(job):
    assert job(ROWS, "seed=3") == Rest({"decoder": 30.0, "full": 40.0}, True, Pace(0.5, 0.125))
    assert job(ROWS, "seed=3", stage="full") == Rest({}, False, Pace(2.0, 0.5))


def test_what_was_measured_with_other_overrides_says_nothing(job):
    assert job(ROWS, "seed=3", "data.batch_size=2") == Rest()


def test_where_one_stage_was_not_measured_the_rest_is_not_known(job):
    assert job(ROWS[:2], "seed=3") == Rest(pace=Pace(0.5, 0.125))


def test_a_stage_that_was_finished_then_has_no_pace(job):
    over = row("head", 0.0, 0.0, left=0) | {"step": None, "validation_batch": None}
    assert job([over, *ROWS[1:]], "seed=3").pace is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"stages": [{}]}'])
def test_a_file_that_cannot_be_read_stops_no_training(job, content):
    assert job(content, "seed=3") == Rest()


def test_without_a_forecast_nothing_is_known(tmp_path):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", [f"paths.runs_dir={tmp_path}"])
    assert rest_of_curriculum(cfg) == Rest()


def test_the_forecast_can_be_left_out(tmp_path):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        given = ["trainer=cpu", "logger=none", "~callbacks.forecast", f"paths.runs_dir={tmp_path}"]
        cfg = compose("config", given)
    trainer = build_trainer(cfg)
    tell_rest(trainer, cfg)
    assert not any(isinstance(callback, Forecast) for callback in trainer.callbacks)
