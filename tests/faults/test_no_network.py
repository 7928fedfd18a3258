"""A run asks nobody anything: no telemetry, no look for updates, no download."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# Python reads this before anything else. What is tried is written down, since whoever looks for
# an update in passing would swallow the refusal.
GUARD = """
import os, socket

def refused(*arguments, **options):
    with open(os.environ["ATTEMPTS"], "a") as file:
        print(arguments, file=file)
    raise OSError("there is no network here")

class Offline(socket.socket):
    def _check(self, *arguments):
        return refused(*arguments) if self.family != socket.AF_UNIX else None

    def connect(self, address):
        self._check(address)
        return super().connect(address)

    def connect_ex(self, address):
        self._check(address)
        return super().connect_ex(address)

    def sendto(self, *arguments):
        self._check(*arguments)
        return super().sendto(*arguments)

socket.socket = Offline
socket.getaddrinfo = socket.gethostbyname = refused
"""

COMMAND = (
    "experiment=demo data.layout.count=6 data.layout.test_count=0 data.layout.size=[64,96] "
    "data.image_min_size=32 data.batch_size=2 data.num_workers=1 model.weights=none "
    "stage.epochs=1 trainer=cpu"
)


@pytest.fixture
def offline(tmp_path):
    """Runs Python in an empty home without a network."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    (tmp_path / "home").mkdir()
    hidden = ("HF_", "TORCH_HOME", "XDG_", "NO_ALBUMENTATIONS_UPDATE", "HUGGINGFACE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={
                **environment,
                "ATTEMPTS": str(tmp_path / "attempts"),
                "HOME": str(tmp_path / "home"),
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": str(tmp_path / "guard"),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def test_the_guard_sees_what_is_tried(tmp_path, offline):
    for call in ("create_connection(('127.0.0.1', 9))", "socket().connect(('127.0.0.1', 9))"):
        done = offline("-c", f"import socket; socket.{call}")
        assert "there is no network here" in done.stderr
    assert len((tmp_path / "attempts").read_text().splitlines()) == 2


@pytest.mark.slow
def test_training_asks_nobody(tmp_path, offline):
    done = offline(str(REPOSITORY / "run.py"), *COMMAND.split())
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "attempts").exists()
    assert (tmp_path / "runs/demo/head/train/metrics.json").is_file()
    touched = {path.name for path in (tmp_path / "home").rglob("*")}
    assert not touched & {"torch", "huggingface", "hub"}


@pytest.mark.slow
def test_the_look_for_updates_is_off_before_albumentations_is_imported(tmp_path, offline):
    script = "import aerialseg, albumentations, os; print(os.environ['NO_ALBUMENTATIONS_UPDATE'])"
    done = offline("-c", script)
    assert done.stdout == "1\n"
    assert not (tmp_path / "attempts").exists()
