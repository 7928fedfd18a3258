"""How errors end the process: lines, exit code, traceback."""

import signal

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from aerialseg.config import command as module_under_test
from aerialseg.config.command import run_task
from aerialseg.config.tasks import Task
from aerialseg.errors import Failure
from aerialseg.stopping import Stopped
from helpers.composing import CONF


def composed(*overrides):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))


def test_a_wrong_config_ends_the_process_with_its_lines():
    with pytest.raises(SystemExit) as stop:
        run_task(composed("seed=-1", "stage.epochs=0"))
    assert stop.value.code == (
        "config error: seed: -1 is out of range, wanted 0 or more\n"
        "config error: stage.epochs: 0 is out of range, wanted more than 0"
    )


def test_hydra_full_error_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(SystemExit) as stop:
        run_task(composed("seed=-1"))
    assert stop.value.code == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert "seed: -1 is out of range" in shown


def test_an_unexpected_error_stops_a_multirun_and_shows_its_traceback(monkeypatch, capsys):
    """Hydra would continue, and the errors of the next stage would hide the cause."""

    def broken(experiment):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(module_under_test, "find_task", lambda name: Task(broken))
    with pytest.raises(SystemExit) as stop:
        run_task(composed("task=layers"))
    assert stop.value.code == 1
    assert "RuntimeError: out of luck" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "goes_on"),
    [
        (["hydra.mode=MULTIRUN"], True),
        (["hydra.mode=RUN"], False),
        (["hydra.mode=MULTIRUN", "~hydra.callbacks.stage_table"], False),  # nobody would collect it
    ],
)
def test_a_failed_job_of_a_multirun_returns_its_reason(monkeypatch, capsys, settings, goes_on):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", ["seed=-1", *settings], return_hydra_config=True)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
    HydraConfig.instance().set_config(cfg)
    job = OmegaConf.masked_copy(cfg, [key for key in cfg if key != "hydra"])
    if goes_on:
        assert run_task(job) == Failure("seed: -1 is out of range, wanted 0 or more")
        assert capsys.readouterr().err.startswith("config error: seed: -1")
    else:
        with pytest.raises(SystemExit, match="seed: -1 is out of range"):
            run_task(job)


@pytest.mark.parametrize(
    ("data", "source"), [("kaggle", "Kaggle"), ("aeroscapes", "authors"), ("folders", "docs/")]
)
def test_a_missing_data_folder_says_how_to_get_it(tmp_path, data, source):
    root = tmp_path / "nowhere"
    folders = (f"paths.runs_dir={tmp_path}/runs", f"paths.cache_dir={tmp_path}/cache")
    with pytest.raises(SystemExit) as stop:
        run_task(composed(f"data={data}", f"data.root={root}", *folders))
    (line,) = str(stop.value.code).splitlines()
    assert line.startswith(f"data error: {root}")
    assert source in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("existing", "writes_run", "advice"),
    [
        ("refuse", True, "the same command with existing=resume continues from there"),
        ("overwrite", True, "the same command with existing=resume continues from there"),
        ("resume", True, "the same command continues from there"),
        ("resume", False, ""),
    ],
)
def test_a_stopped_task_says_how_to_resume(monkeypatch, existing, writes_run, advice):
    def stopped(experiment):
        raise Stopped(signal.SIGTERM, "after epoch 3")

    task = Task(stopped, writes_run=writes_run)
    monkeypatch.setattr(module_under_test, "find_task", lambda name: task)
    with pytest.raises(Stopped) as stop:
        run_task(composed("task=layers", f"existing={existing}"))
    assert stop.value.code == 143
    assert str(stop.value) == "stopped by SIGTERM after epoch 3" + (f"; {advice}" if advice else "")
