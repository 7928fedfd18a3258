"""The number of torch's threads, on machines that are made up."""

import logging
import os
import subprocess
import sys

import pytest
import torch
import yaml

from aerialseg.entry import _let_threads_sleep
from aerialseg.training import threads
from aerialseg.training.build import build_data, build_module
from aerialseg.training.threads import use_threads
from helpers.composing import experiment, lines
from helpers.processes import RUN
from helpers.tiny_data import CLASSES, write_folders


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch):
    """Torch uses four threads by itself, and nobody has told it otherwise."""
    before = torch.get_num_threads()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "_numbers", threads._Numbers())
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def machine(monkeypatch):
    """Sets how many CPUs the process may use."""
    return lambda cpus: monkeypatch.setattr(threads, "usable_cpus", lambda: cpus)


@pytest.mark.parametrize(("cpus", "used"), [(1, 1), (2, 2), (4, 4), (64, 4)])
def test_there_are_no_more_threads_than_cpus(machine, cpus, used):
    machine(cpus)
    use_threads("auto", device="cpu")
    assert torch.get_num_threads() == used


def test_a_gpu_leaves_torch_its_number_but_for_one_that_is_given(machine):
    machine(1)
    use_threads("auto", device="cuda")
    assert torch.get_num_threads() == 4
    use_threads(2, device="cuda")
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_a_variable_of_the_user_wins_over_auto_but_not_over_a_number(machine, monkeypatch, name):
    monkeypatch.setenv(name, "4")
    machine(2)
    use_threads("auto", device="cpu")
    assert torch.get_num_threads() == 4
    use_threads(3, device="cpu")
    assert torch.get_num_threads() == 3


def test_a_number_of_one_run_is_not_that_of_the_next(machine):
    machine(8)
    use_threads(1, device="cpu")
    use_threads("auto", device="cpu")
    assert torch.get_num_threads() == 4


def test_what_the_user_tells_torch_between_two_runs_stays(machine):
    machine(8)
    use_threads(1, device="cpu")
    torch.set_num_threads(2)
    use_threads("auto", device="cpu")
    assert torch.get_num_threads() == 2


def test_one_line_says_what_differs_from_the_choice_of_torch(machine, caplog):
    caplog.set_level(logging.INFO)
    machine(4)
    use_threads("auto", device="cpu")
    assert caplog.messages == []
    machine(1)
    use_threads("auto", device="cpu")
    use_threads("auto", device="cpu")
    assert caplog.messages == [
        "torch uses 1 thread instead of 4 (compute.threads=auto; this process may use 1 CPU)"
    ]
    use_threads(2, device="cpu")
    assert caplog.messages[1:] == ["torch uses 2 threads instead of 1 (compute.threads)"]


def test_a_stage_is_trained_with_the_threads_of_its_config(tmp_path):
    root = write_folders(tmp_path / "field", [f"{i}" for i in range(6)])
    (root / "classes.yaml").write_text(yaml.safe_dump(CLASSES, sort_keys=False))
    given = [f"data.root={root}", f"paths.cache_dir={tmp_path / 'cache'}", "data.num_workers=0"]
    given += ["data=folders", "data.image_min_size=32", "model.weights=none", "compute.threads=3"]
    config = experiment(*given)
    build_module(config, build_data(config))
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("value", ["0", "1025", "-1", "1.5", "all", "null", "true"])
def test_nonsense_is_refused_in_a_line(value):
    (line,) = lines(f"compute.threads={value}")
    assert line.startswith("config error: compute.threads: ")


@pytest.mark.parametrize("value", ["auto", "1", "1024"])
def test_numbers_and_auto_are_taken(value):
    assert not [line for line in lines(f"compute.threads={value}") if "threads" in line]


@pytest.mark.parametrize(
    ("given", "spins"),
    [
        ({}, "1000"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, None),
        ({"GOMP_SPINCOUNT": "77"}, "77"),
        ({"KMP_BLOCKTIME": "5"}, None),
    ],
)
def test_threads_are_told_to_sleep_while_they_wait_unless_the_user_decided(
    monkeypatch, given, spins
):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    _let_threads_sleep()
    assert os.environ.get("GOMP_SPINCOUNT") == spins


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only its OpenMP shows what it was told")
def test_a_command_says_so_before_it_imports_torch(tmp_path):
    done = subprocess.run(
        [sys.executable, str(RUN), "task=predict", "checkpoint=none.ckpt"],  # which imports torch
        cwd=tmp_path,
        env={**os.environ, "OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "GOMP_SPINCOUNT = '1000'" in done.stderr
