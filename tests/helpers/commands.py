"""Runs commands of `run.py` in forked processes.

Each is forked from a process that has already imported torch and the tasks, and runs `run.py` from
its first line.
"""

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from helpers.processes import RUN, fork


def run_command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs `python run.py ARGUMENTS` in a folder, on one thread and 120 columns wide."""
    if sys.platform != "linux":
        return _run_anew(arguments, folder)
    with TemporaryDirectory() as place:
        streams = [Path(place, name) for name in ("out", "error")]
        process = fork(_run, arguments, folder, streams, dict(os.environ))
        process.join()
        output, errors = (stream.read_text(encoding="utf-8") for stream in streams)
    return subprocess.CompletedProcess(arguments, process.exitcode, output, errors)


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
