import json
import os
import shutil
import signal
import subprocess
import sys
from hashlib import sha256

import pytest

from aerialseg.storage.atomic_files import (
    building,
    discard,
    free_space,
    hash_file,
    remove_leftovers,
    replacing,
    write_json,
    write_text,
)
from helpers.systems import LOCK, needs_posix, needs_symlinks


def test_the_new_file_takes_the_place_of_the_old(tmp_path):
    path = tmp_path / "deep" / "folder" / "a.txt"
    write_text(path, "old")
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == path.suffix
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existed", [True, False])
def test_a_writer_that_raises_leaves_the_old_file_and_no_litter(tmp_path, raised, existed):
    path = tmp_path / "a.txt"
    if existed:
        path.write_text("old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise raised

    with pytest.raises(raised):
        write_half()
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["old"] * existed


@needs_posix
def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    script = (
        "import os, sys, signal\nfrom pathlib import Path\n"
        "from aerialseg.storage.atomic_files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    finished = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert finished.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert [p for p in tmp_path.iterdir() if not p.name.startswith(".")] == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows replaces no file that is open")
def test_a_reader_that_looks_meanwhile_sees_the_old_content(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with path.open() as reader:
        write_text(path, "new and longer")
        assert reader.read() == "old"


@needs_posix
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_get_the_rights_the_user_wants(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a", "")
        assert os.umask(umask) == umask, "asking for the umask must not change it"
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


def test_text_and_json_are_utf_8(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Straße", "values": [1, 2.5, None]})
    content = (tmp_path / "a.json").read_bytes()
    assert "Straße".encode() in content
    assert content.endswith(b"}\n")
    assert json.loads(content) == {"name": "Straße", "values": [1, 2.5, None]}


@pytest.mark.parametrize("size", [0, 5, (1 << 20) + 1])
def test_hash_file_is_the_sha256_of_the_bytes(tmp_path, size):
    content = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "a").write_bytes(content[:size])
    assert hash_file(tmp_path / "a") == sha256(content[:size]).hexdigest()


LEFT = f".last.aerialseg-{'0' * 32}.ckpt"


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path):
    others = {".hidden", LEFT[1:], ".last.aerialseg-123.ckpt", f".last-{'0' * 32}.ckpt"}
    left = {LEFT, f".notes.aerialseg-{'f' * 32}", f".a.b.aerialseg-{'9' * 32}.json"}
    for name in others | left:
        (tmp_path / name).write_text("")
    for name in ("folder", f".folder.aerialseg-{'1' * 32}.5-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / LEFT).write_text("")
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == others | {"folder"}
    assert (tmp_path / "folder" / LEFT).exists(), "only this very folder"
    remove_leftovers(tmp_path / "nowhere")


@needs_symlinks
def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("")
    (tmp_path / f".a.aerialseg-{'0' * 32}").symlink_to(tmp_path / "precious")
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["precious", "file"]


WRITERS = {
    "replacing": "temporary.write_text('half')",
    "building": "(temporary / 'a.txt').write_text('half')",
}


@pytest.fixture(params=WRITERS)
def writer(request, tmp_path):
    """Another process that is in the midst of writing."""
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        f"from aerialseg.storage.atomic_files import {request.param}\n"
        f"with {request.param}(Path(sys.argv[1])) as temporary:\n"
        f"    {WRITERS[request.param]}\n"
        "    print(flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.txt")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def written(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path.read_text() for path in files if not LOCK.fullmatch(path.name)]


def test_a_killed_writers_work_goes_and_a_living_ones_stays(tmp_path, writer):
    remove_leftovers(tmp_path)
    assert written(tmp_path) == ["half"]
    writer.kill()
    writer.wait()
    remove_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path, writer):
    writer.kill()
    writer.wait()
    assert written(tmp_path) == ["half"]
    write_text(tmp_path / "b.txt", "whole")
    assert written(tmp_path) == ["whole"]


def test_a_folder_appears_whole(tmp_path):
    path = tmp_path / "deep" / "a.folder"
    with building(path) as temporary:
        (temporary / "x").write_text("1")
        assert not path.exists()
    assert (path / "x").read_text() == "1"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_builder_that_raises_leaves_nothing(tmp_path, raised):
    def build_half():
        with building(tmp_path / "a") as temporary:
            (temporary / "x").write_text("half")
            raise raised

    with pytest.raises(raised):
        build_half()
    assert not list(tmp_path.iterdir())


def test_of_two_builders_the_first_to_finish_is_kept(tmp_path):
    path = tmp_path / "a"
    with building(path) as second:
        (second / "x").write_text("second")
        with building(path) as first:
            (first / "x").write_text("first")
    assert written(tmp_path) == ["first"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_its_place_is_an_error(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(OSError, match="a"), building(tmp_path / "a"):
        pass
    assert written(tmp_path) == ["mine"]


def test_a_discarded_folder_is_gone(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    discard(tmp_path / "a")
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError):
        discard(tmp_path / "a")


def test_free_space_is_that_of_the_disk_the_file_would_lie_on(tmp_path):
    assert 0 < free_space(tmp_path / "not/yet/there.ckpt") <= shutil.disk_usage(tmp_path).total
