"""Who is still writing, told by locks that no crash leaves taken."""

import errno
import subprocess
import sys
from threading import Thread

import pytest
from filelock import Timeout

from aerialseg.errors import AerialsegError
from aerialseg.storage import claims
from aerialseg.storage.atomic_files import (
    building,
    remove_leftovers,
    replacing,
    write_text,
)
from aerialseg.storage.claims import abandoned, claimed, is_temporary, temporary_name
from helpers.systems import LOCK, needs_posix

KEY = "0" * 32

# Ends the process, as a crash does, at the n-th call of the system that names one of its files.
CRASH = """
import os, sys
from pathlib import Path
from aerialseg.storage.atomic_files import building, replacing
folder, kind, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
seen = 0
def crash(event, arguments):
    global seen
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "fcntl.flock"):
        path = str(arguments[0])
        if event == "fcntl.flock" or path.startswith(str(folder)):
            seen += 1
            if seen == number:
                os._exit(9)
with replacing(folder / "first") as temporary:  # imports what filelock loads late
    temporary.write_text("old")
sys.addaudithook(crash)
if kind == "replacing":
    with replacing(folder / "a") as temporary:
        temporary.write_text("new")
else:
    with building(folder / "a") as temporary:
        (temporary / "x").write_text("new")
"""


@pytest.mark.parametrize("kind", ["replacing", pytest.param("building", marks=pytest.mark.slow)])
def test_wherever_a_writer_dies_the_next_one_finds_and_leaves_nothing_half(tmp_path, kind):
    for number in range(1, 40):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", CRASH, str(folder), kind, str(number)]
        code = subprocess.run(command, check=False, timeout=60).returncode
        if code == 0:
            break
        assert code == 9
        remove_leftovers(folder)
        names = {path.name for path in folder.iterdir()}
        assert names <= {"first", "a"}
    assert code == 0, "the writer came to its end"
    assert number > 6
    assert {path.name for path in folder.iterdir()} == {"first", "a"}


def test_a_lock_lies_beside_its_temporary_file_and_goes_with_it(tmp_path):
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("")
        (lock,) = (path for path in tmp_path.iterdir() if path != temporary)
        assert LOCK.fullmatch(lock.name)
        assert lock.name.removesuffix(".lock") in temporary.name
        assert is_temporary(lock.name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "name", ["x" * 251 + ".png", "部" * 83 + ".jpeg", "a." + "b" * 253, "ß" * 127]
)
def test_names_as_long_as_the_system_takes_can_be_written(tmp_path, name):
    with replacing(tmp_path / name) as temporary:
        temporary.write_text("new")
        assert is_temporary(temporary.name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_writers_do_not_wait_for_one_another(tmp_path):
    with replacing(tmp_path / "a") as first, replacing(tmp_path / "a") as second:
        second.write_text("second")
        first.write_text("first")
    assert (tmp_path / "a").read_text() == "first"


def test_a_leftover_goes_though_another_writer_lives(tmp_path):
    left = tmp_path / f".b.aerialseg-{KEY}.txt"
    left.write_text("")
    with building(tmp_path / "a") as folder:
        remove_leftovers(tmp_path)
        assert folder.is_dir()
        assert not left.exists()


def test_a_lock_without_a_file_is_a_leftover_too(tmp_path):
    (tmp_path / f".aerialseg-{KEY}.lock").write_text("")
    remove_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_being_written_cannot_be_taken_over(tmp_path):
    temporary = temporary_name(tmp_path / "a")
    with claimed(temporary):
        with pytest.raises(Timeout), abandoned(temporary):
            pytest.fail("two hold it")
        assert temporary.with_name(f".aerialseg-{temporary.name[-32:]}.lock").exists()
    with abandoned(temporary):
        pass
    assert not list(tmp_path.iterdir())


def refuse_locks(folder, monkeypatch, error):
    """Lets every lock fail; returns a file that a crash left in the folder."""

    def refuse(lock, **options):
        raise error

    monkeypatch.setattr(claims.FileLock, "acquire", refuse)
    left = folder / f".b.aerialseg-{KEY}"
    left.write_text("")
    return left


def test_a_folder_that_may_not_be_written_keeps_its_leftovers(tmp_path, monkeypatch):
    left = refuse_locks(tmp_path, monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    remove_leftovers(tmp_path)
    assert left.exists()
    with pytest.raises(AerialsegError, match=r"a: cannot be written: Permission denied"):
        write_text(tmp_path / "a", "")


def test_without_locks_files_are_written_and_nothing_is_taken_for_left(tmp_path, monkeypatch):
    left = refuse_locks(tmp_path, monkeypatch, OSError(errno.ENOTSUP, "Operation not supported"))
    write_text(tmp_path / "a", "whole")
    remove_leftovers(tmp_path)
    assert (tmp_path / "a").read_text() == "whole"
    assert left.exists()


@needs_posix
def test_a_lock_file_removed_before_it_was_locked_is_made_anew(tmp_path):
    """Else its holder would be the only one to know of it."""
    import fcntl

    temporary = temporary_name(tmp_path / "a")
    lock = temporary.with_name(f".aerialseg-{temporary.name[-32:]}.lock")
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)  # a remover, faster than the writer
        claim = claimed(temporary)
        writer = Thread(target=claim.__enter__)
        writer.start()
        writer.join(0.2)
        assert writer.is_alive()
        lock.unlink()
    writer.join()
    assert lock.exists()
