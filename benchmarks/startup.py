"""Startup time of ``run.py`` for ``--help`` and ``--cfg``."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.command import run
from benchmarks.experiment import ROOT
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare

HEAVY = (
    "torch",
    "torchvision",
    "pytorch_lightning",
    "torchmetrics",
    "torch.utils.tensorboard",
    "albumentations",
    "cv2",
)
"""What a typical training script imports at module level."""

_REASON = "most of it is Hydra's own listing of the groups"


def rows(setting: Setting) -> Iterator[Row]:
    """Start of ``run.py``, against the same with the heavy packages imported first."""
    heavy = HEAVY[-2:] if setting.quick else HEAVY
    script = f"import {', '.join(heavy)}, runpy; runpy.run_path('run.py', run_name='__main__')"
    for arguments in (["--help"], ["--cfg", "job"]):
        plain = partial(_output, "-c", script, *arguments)
        ours = partial(_output, "run.py", *arguments)
        check(plain() == ours(), "what is printed")
        seconds = compare(plain, ours, setting)
        name = f"start of run.py {' '.join(arguments)}"
        yield Row(name, *seconds, goal=1, kind="at most", reason=_REASON)


def _output(*arguments: str) -> str:
    # else albumentations checks for updates online
    environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.check_output(command, cwd=ROOT, env=environment, encoding="utf-8")


if __name__ == "__main__":
    run(rows)
