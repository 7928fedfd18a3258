"""The stage that a name means."""

import pytest

from aerialseg.errors import ConfigError
from aerialseg.report.named_stages import find_stage
from helpers.finished_runs import finish_stage


@pytest.fixture
def runs(tmp_path):
    """A run of three stages, and one of one."""
    folder = tmp_path / "runs"
    finish_stage(folder / "demo", "head", 0.1)
    finish_stage(folder / "demo", "aspp", 0.2, parent="head")
    finish_stage(folder / "demo", "full", 0.3, parent="aspp")
    finish_stage(folder / "other", "full", 0.3)
    return folder


def test_a_run_means_its_last_stage_and_those_that_led_to_it(runs):
    found = find_stage(runs, "demo")
    assert found.name == "demo/full"
    assert [job.name for job in found.jobs] == ["head", "aspp", "full"]
    assert found.checkpoint == runs / "demo/full/train/checkpoints/best.ckpt"


@pytest.mark.parametrize("name", ["demo/aspp", "demo/aspp/", "demo/aspp/train"])
def test_a_stage_is_named_below_its_run(runs, name):
    found = find_stage(runs, name)
    assert found.name == "demo/aspp"
    assert [job.name for job in found.jobs] == ["head", "aspp"]


def test_a_path_leads_elsewhere_and_a_name_comes_first(runs, tmp_path):
    assert find_stage(tmp_path / "none", str(runs / "other")).name == "other/full"
    assert find_stage(runs, str(runs / "demo" / "head")).name == "demo/head"


def test_a_stage_of_a_folder_of_its_own(runs, tmp_path):
    (runs / "demo/full/train").rename(tmp_path / "mine")
    found = find_stage(runs, str(tmp_path / "mine"))
    assert (found.name, found.job.name) == ("mine", "full")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("dmeo", "there is no run 'dmeo' in RUNS; did you mean 'demo'?"),
        ("demo/asp", "there is no run 'demo/asp' in RUNS; did you mean 'aspp'?"),
        ("", "there is no run '' in RUNS; known: demo, other"),
    ],
)
def test_an_unknown_name_is_one_line(runs, name, problem):
    with pytest.raises(ConfigError) as caught:
        find_stage(runs, name)
    assert caught.value.problems == (problem.replace("RUNS", str(runs)),)


def test_a_run_whose_last_stage_is_unfinished_says_which_one_is_meant(runs, caplog):
    (runs / "demo/full/train/metrics.json").unlink()
    assert find_stage(runs, "demo").name == "demo/aspp"
    assert caplog.messages == [
        "run demo: stage full is not finished, so stage aspp is taken for its last one"
    ]
    caplog.clear()
    assert find_stage(runs, "demo/aspp").name == "demo/aspp"
    assert caplog.messages == []


def test_an_unfinished_stage_or_one_without_a_checkpoint_is_refused(runs):
    (runs / "demo/aspp/train/metrics.json").unlink()
    with pytest.raises(ConfigError, match="demo/aspp/train is not finished"):
        find_stage(runs, "demo/aspp")
    (runs / "other/full/train/checkpoints/best.ckpt").unlink()
    with pytest.raises(ConfigError, match=r"best\.ckpt does not exist; stage other/full cannot"):
        find_stage(runs, "other")
