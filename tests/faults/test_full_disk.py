"""A disk that fills ends no training and harms nothing that was whole."""

import os
import re
import shutil
import subprocess
import sys
import time
from functools import partial
from itertools import product

import pytest

from aerialseg.storage.checkpoints import read_checkpoint
from helpers.disk import At, RefuseWriting, limit_files, limit_files_for_good
from helpers.processes import RUN, assert_nothing_is_half, assert_same_end

if sys.platform != "win32":
    import resource

FULL = 5_000_000  # bytes of a file, less than a checkpoint
WAITING = "cannot be written: File too large; kept in memory until after the next epoch"
WINDOWS = [
    pytest.param(*window, marks=pytest.mark.slow) for window in product(range(1, 33), (1, 6))
]


def epoch_of(path):
    return read_checkpoint(path)["aerialseg"]["epoch"]


def test_training_goes_on_and_writes_once_there_is_room(tmp_path, begin, whole):
    run = begin(tmp_path, stages=["head"])
    process = run.start(fault=At(partial(limit_files, FULL), "link", "previous.ckpt"))
    while not (run.log.exists() and WAITING in run.said()):
        assert process.is_alive(), run.said()
        time.sleep(0.01)
    assert_nothing_is_half(tmp_path)
    no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, no_limit)
    process.join()
    assert process.exitcode == 0, run.said()
    assert_same_end(whole(), run)


def test_a_disk_that_stays_full_costs_the_epochs_it_refused_and_no_more(tmp_path, begin, whole):
    run = begin(tmp_path, stages=["head"])
    moment = At(partial(limit_files_for_good, FULL), "link", "previous.ckpt")
    assert run.execute(fault=moment) == 1
    *_, last = run.said().splitlines()
    assert last.endswith("free space, then repeat them with the same command and existing=resume")
    assert "epoch 3/3" in run.said()
    assert "Traceback" not in run.said()
    assert_nothing_is_half(tmp_path)
    assert epoch_of(run.checkpoints() / "last.ckpt") == 1
    assert not (run.train_folder("head") / "metrics.json").exists()
    run.finish()
    assert_same_end(whole(), run)


@pytest.mark.parametrize(("first", "count"), WINDOWS)
def test_whatever_is_refused(tmp_path, begin, whole, first, count):
    """Of the files that a stage writes, from the first on, so many find no space."""
    run = begin(tmp_path, stages=["head"])
    code = run.execute(fault=RefuseWriting(first, count))
    assert "Traceback" not in run.said()
    assert "No space left on device" in run.said()
    assert_nothing_is_half(tmp_path)
    assert (code == 0) == (run.train_folder("head") / "metrics.json").exists()
    if code:
        assert code == 1
        assert re.match(r"(training )?error: ", run.said().splitlines()[-1])
        run.finish()
    assert_same_end(whole(), run)


SMALL_DISK = """
mount -t tmpfs -o size=125m full "$1" || exit 99
head -c 27m /dev/zero > "$1/ballast"
shift
"$@" > log.txt 2>&1 &
until grep -q "kept in memory" log.txt || ! kill -0 $! 2>/dev/null; do sleep 0.1; done
df . > before.txt
rm runs/ballast
wait $! || exit $?
cp -a runs kept
"""


@pytest.mark.slow
def test_a_small_disk_of_its_own(tmp_path, begin):
    """The true command line, on a file system without room for a third checkpoint.

    It is compared with the same command line where there is room, not with a forked process.
    """
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    whole, run = (begin(tmp_path / name, stages=["head"]) for name in ("whole", "small"))
    runs = run.folder / "runs"
    runs.mkdir(parents=True)
    whole.folder.mkdir()
    on_small_disk = ["unshare", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh", runs]
    whole_done, done = (
        subprocess.run(
            [*before, sys.executable, str(RUN), *each.arguments],
            cwd=each.folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        for each, before in ((whole, []), (run, on_small_disk))
    )
    assert whole_done.returncode == 0, whole_done.stderr
    if done.returncode in (1, 99) and not run.log.exists():
        pytest.skip(f"no file system may be mounted: {done.stderr.strip()}")
    assert done.returncode == 0, run.said()
    assert "kept in memory until after the next epoch" in run.said()
    runs.rmdir()
    (run.folder / "kept").rename(runs)
    assert_same_end(whole, run)
