import json
import os
import shutil
import signal
import subprocess
import sys
from hashlib import sha256

import pytest

from aerialseg.files import (
    free_space,
    hash_file,
    remove_leftovers,
    replacing,
    write_json,
    write_text,
)


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


def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    script = (
        "import os, sys, signal\nfrom pathlib import Path\n"
        "from aerialseg.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    finished = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert finished.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert [p for p in tmp_path.iterdir() if not p.name.startswith(".")] == [path]


def test_a_reader_that_looks_meanwhile_sees_the_old_content(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with path.open() as reader:
        write_text(path, "new and longer")
        assert reader.read() == "old"


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


LEFT = f".last-{'0' * 32}.ckpt"


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path):
    kept = {"last.ckpt", ".hidden", f"last-{'0' * 32}.ckpt", ".last-123.ckpt", "folder"}
    for name in kept - {"folder"} | {LEFT, f".notes-{'f' * 32}", f".a.b-{'9' * 32}.json"}:
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / LEFT).write_text("")
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert (tmp_path / "folder" / LEFT).exists(), "only this very folder"
    remove_leftovers(tmp_path / "nowhere")


def test_a_killed_writers_file_goes_and_a_living_ones_stays(tmp_path):
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from aerialseg.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    print(flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.txt")]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE)
    writer.stdout.readline()
    remove_leftovers(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["half"]
    writer.kill()
    writer.wait()
    remove_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())


def test_free_space_is_that_of_the_disk_the_file_would_lie_on(tmp_path):
    assert 0 < free_space(tmp_path / "not/yet/there.ckpt") <= shutil.disk_usage(tmp_path).total
