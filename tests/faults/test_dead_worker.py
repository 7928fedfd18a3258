"""A loader's process that is killed costs one line that says over which image, and no epoch."""

import multiprocessing
import os
import re
import signal
from dataclasses import dataclass

import pytest

from aerialseg.data.loading import sample_files
from helpers.processes import assert_nothing_is_half
from helpers.systems import needs_posix

pytestmark = needs_posix
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # which Windows has not, and skips


@dataclass(frozen=True)
class DieOver:
    """Ends every process that loads one image, but for that which started it."""

    signum: signal.Signals

    def __call__(self) -> None:
        read, training = sample_files.read_resized, os.getpid()

        def deadly(path, *arguments, **options):
            if os.getpid() != training and path.stem == "000001_001":
                os.kill(os.getpid(), self.signum)
            return read(path, *arguments, **options)

        sample_files.read_resized = deadly
        multiprocessing.set_start_method("fork", force=True)  # so that workers have it too


@pytest.mark.parametrize(
    ("signum", "words"),
    [
        (KILL, "Killed"),
        pytest.param(signal.SIGSEGV, "Segmentation fault", marks=pytest.mark.slow),
    ],
)
def test_the_image_is_named_and_training_goes_on_later(tmp_path, begin, signum, words):
    run = begin(tmp_path, "with a worker", stages=["head"])
    assert run.execute(fault=DieOver(signum)) == 1
    *_, line = run.said().splitlines()
    # torch's own note of it ends with a zero byte.
    assert re.fullmatch(
        rf"\0?data error: a process that loads images died \({words}\) while loading sample "
        r"'000001_001' \(train\.csv row 2\), \S+/000001_001\.jpg; if memory ran out, lower "
        r"data\.num_workers \(now 1\) or data\.batch_size; if it is always this image, take "
        r"it out; data\.num_workers=0 loads without such processes",
        line,
    ), run.said()
    assert "Traceback" not in run.said()
    assert_nothing_is_half(tmp_path)
    run.finish()
