"""Runs commands of `run.py` in forked processes.

Each is forked from a process that has already imported torch and the tasks, and runs `run.py` from
its first line.
"""

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from helpers.processes import FORKS, PRELOADED, RUN


def run_command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs `python run.py ARGUMENTS` in a folder, on one thread and 120 columns wide."""
    if sys.platform != "linux":
        return _run_anew(arguments, folder)
    start_fork_server()
    with TemporaryDirectory() as place:
        streams = [Path(place, name) for name in ("out", "error")]
        process = FORKS.Process(target=_run, args=(arguments, folder, streams, dict(os.environ)))
        process.start()
        process.join()
        output, errors = (stream.read_text(encoding="utf-8") for stream in streams)
    return subprocess.CompletedProcess(arguments, process.exitcode, output, errors)


@cache
def start_fork_server() -> None:
    """Starts the process that the others are forked from."""
    if sys.platform != "linux":
        pytest.skip("forks a process that has imported torch, which only Linux allows")
    from multiprocessing.forkserver import ensure_running  # not importable on Windows

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # forked processes must not have threads
        patch.setenv("COLUMNS", "120")
        FORKS.set_forkserver_preload(PRELOADED)
        ensure_running()


def _run_anew(arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process that imports everything itself."""
    return subprocess.run(
        [sys.executable, str(RUN), *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def _run(
    arguments: Sequence[str],
    folder: Path,
    streams: Sequence[Path],
    environment: Mapping[str, str],
) -> None:
    """Runs `run.py` in the forked process, with its output redirected to files."""
    os.environ.update({**environment, "OMP_NUM_THREADS": "1", "COLUMNS": "120"})
    os.chdir(folder)
    for number, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT, 0o644), number)
    sys.argv = [str(RUN), *arguments]
    runpy.run_path(str(RUN), run_name="__main__")
