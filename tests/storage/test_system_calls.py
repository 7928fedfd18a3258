"""What Windows does otherwise, simulated: its refusals are those that its documentation names."""

import os

import pytest

from aerialseg.errors import AerialsegError
from aerialseg.storage import system_calls
from aerialseg.storage.atomic_files import building, discard, replacing, write_text
from aerialseg.storage.checkpoints import find_snapshot
from aerialseg.storage.sealed_tensors import keep_as


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The seconds that were waited; nobody waits for them."""
    waited = []
    monkeypatch.setattr(system_calls.time, "sleep", waited.append)
    return waited


@pytest.fixture
def refuse_moves(monkeypatch):
    """Lets the next renames find the target open in another program."""

    def refuse(times, name):
        rename, left = getattr(os, name), [times]

        def moved(source, target, **options):
            if left[0]:
                left[0] -= 1
                raise PermissionError(13, "Access is denied", str(target))
            return rename(source, target, **options)

        monkeypatch.setattr(os, name, moved)

    return refuse


def test_a_file_that_is_open_for_a_moment_is_replaced(tmp_path, refuse_moves, pauses):
    write_text(tmp_path / "a", "old")
    refuse_moves(2, "replace")
    write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    assert len(pauses) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_stays_open_is_a_line_with_advice_and_stays(tmp_path, refuse_moves, pauses):
    path = tmp_path / "a"
    write_text(path, "old")
    refuse_moves(99, "replace")
    with pytest.raises(AerialsegError) as error:
        write_text(path, "new")
    assert str(error.value) == (
        f"{path}: cannot be written: Access is denied; if another program has it open, close that "
        "and run the command again"
    )
    assert path.read_text() == "old"
    assert 0 < sum(pauses) < 2
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_folders_are_moved_as_patiently(tmp_path, refuse_moves, pauses):
    refuse_moves(2, "rename")
    with building(tmp_path / "a") as folder:
        (folder / "x").write_text("")
    assert (tmp_path / "a" / "x").exists()
    refuse_moves(2, "rename")
    discard(tmp_path / "a")
    assert not list(tmp_path.iterdir())
    assert len(pauses) == 4


def test_a_damaged_snapshot_is_set_aside_as_patiently(tmp_path, refuse_moves):
    from aerialseg.storage.checkpoints import write_checkpoint

    content = {"aerialseg": {}, "state_dict": {}, "global_step": 1}
    write_checkpoint(tmp_path / "previous.ckpt", content)
    (tmp_path / "last.ckpt").write_bytes(b"damaged")
    refuse_moves(2, "replace")
    assert find_snapshot(tmp_path) == tmp_path / "previous.ckpt"
    assert (tmp_path / "damaged.ckpt").read_bytes() == b"damaged"


def test_folders_that_cannot_be_opened_are_not_flushed(tmp_path, monkeypatch):
    opened = os.open

    def refuse(path, flags, *arguments, **options):
        if os.path.isdir(path):  # noqa: PTH112 - as the system gets it
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    write_text(tmp_path / "a", "new")
    with building(tmp_path / "b") as folder:
        (folder / "x").write_text("1")
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_without_sync_every_file_of_a_folder_is_flushed(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.delattr(os, "sync", raising=False)
    monkeypatch.setattr(system_calls, "flush", flushed.append)
    with building(tmp_path / "b") as folder:
        (folder / "deep").mkdir()
        for name in ("x", "deep/y"):
            (folder / name).write_text("1")
    assert sorted(path.relative_to(folder).as_posix() for path in flushed) == ["deep/y", "x"]


def test_windows_flushes_what_is_open_for_writing(tmp_path, monkeypatch):
    """A descriptor that was opened to be read cannot be flushed there."""
    (tmp_path / "a").write_text("")
    opened, flags = os.open, []

    class System:
        name, O_RDWR, O_RDONLY = "nt", os.O_RDWR, os.O_RDONLY
        fsync, close = staticmethod(os.fsync), staticmethod(os.close)

        @staticmethod
        def open(path, flag):
            flags.append(flag)
            return opened(path, flag)

    monkeypatch.setattr(system_calls, "os", System)
    system_calls.flush(tmp_path / "a")
    assert flags == [os.O_RDWR]


@pytest.mark.parametrize("refusal", [OSError(1, "Operation not permitted"), NotImplementedError()])
def test_without_hard_links_a_second_name_is_a_copy(tmp_path, monkeypatch, refusal):
    write_text(tmp_path / "a", "content")

    def refuse(*names, **options):
        raise refusal

    monkeypatch.setattr(os, "link", refuse)
    keep_as(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "content"
    assert not (tmp_path / "a").samefile(tmp_path / "b")


def test_what_replacing_yields_may_be_a_link(tmp_path):
    write_text(tmp_path / "a", "content")
    with replacing(tmp_path / "b") as temporary:
        temporary.hardlink_to(tmp_path / "a")
    assert (tmp_path / "a").samefile(tmp_path / "b")
