import stat
import subprocess
import sys
import zipfile

import pytest

from aerialseg.data.layouts import archives
from aerialseg.data.layouts.archives import unpack
from aerialseg.errors import DataError
from helpers.systems import LOCK, needs_posix


def _zip(path, **members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_an_archive_is_unpacked_completely(tmp_path, cache):
    archive = _zip(tmp_path / "a.zip", **{"x/y.txt": "hello", "./z.txt": "there"})
    folder = unpack(archive, cache)
    assert (folder / "x/y.txt").read_text() == "hello"
    assert [child.name for child in (cache / "archives").iterdir()] == [folder.name]
    assert unpack(archive, cache) == folder


def test_a_changed_archive_is_unpacked_again(tmp_path, cache):
    first = unpack(_zip(tmp_path / "a.zip", x="1"), cache)
    second = unpack(_zip(tmp_path / "a.zip", x="two"), cache)
    assert first != second
    assert (second / "x").read_text() == "two"


@pytest.mark.parametrize("name", ["../evil", "x/../../evil", "/evil", "..\\evil", "C:\\evil"])
def test_a_member_that_would_leave_the_folder_is_refused(tmp_path, cache, name):
    archive = _zip(tmp_path / "a.zip", good="1", **{name: "2"})
    with pytest.raises(DataError, match=r"1 member .* would be written outside its folder"):
        unpack(archive, cache)
    assert not (cache / "archives").exists()


def test_a_link_is_refused(tmp_path, cache):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        link = zipfile.ZipInfo("imgs")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc")
    with pytest.raises(DataError, match=r"holds 1 link \(imgs\)"):
        unpack(archive, cache)


def test_a_damaged_or_wrong_file_is_one_line(tmp_path, cache):
    archive = tmp_path / "a.zip"
    archive.write_text("no archive")
    with pytest.raises(DataError, match=r"a\.zip: cannot be unpacked: .*download it again"):
        unpack(archive, cache)
    data = bytearray(_zip(archive, x="the content of the member").read_bytes())
    data[data.index(b"content")] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(DataError, match=r"cannot be unpacked: Bad CRC-32"):
        unpack(archive, cache)
    assert list((cache / "archives").iterdir()) == []


def test_an_archive_needs_disk_space(tmp_path, cache, monkeypatch):
    archive = _zip(tmp_path / "a.zip", x="12345")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: zipfile.ZipInfo)
    monkeypatch.setattr("zipfile.ZipInfo.free", 4, raising=False)
    with pytest.raises(
        DataError, match=r"a\.zip: needs 0\.0 GB .* point paths\.cache_dir elsewhere"
    ):
        unpack(archive, cache)


@needs_posix
def test_what_a_killed_process_left_is_not_taken_for_the_whole_and_goes(tmp_path, cache):
    archive = _zip(tmp_path / "a.zip", x="1", y="2")
    script = (
        "import os, sys, zipfile\nfrom pathlib import Path\n"
        "from aerialseg.data.layouts.archives import unpack\n"
        "def killed(file, folder):\n"
        "    file.extract('x', folder)\n"
        "    os.kill(os.getpid(), 9)\n"
        "zipfile.ZipFile.extractall = killed\n"
        "unpack(*map(Path, sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", script, str(archive), str(cache)]
    assert subprocess.run(command, check=False).returncode == -9
    (left,) = (path for path in (cache / "archives").iterdir() if not LOCK.fullmatch(path.name))
    assert [child.name for child in left.iterdir()] == ["x"]
    folder = unpack(archive, cache)
    assert folder != left
    assert sorted(child.name for child in folder.iterdir()) == ["x", "y"]
    assert list((cache / "archives").iterdir()) == [folder]


def test_a_small_archive_with_a_high_ratio_is_unpacked(tmp_path, cache):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("masks.bmp", bytes(5_000_000))
    assert archive.stat().st_size < 10_000
    assert (unpack(archive, cache) / "masks.bmp").stat().st_size == 5_000_000


def test_folders_may_be_members(tmp_path, cache):
    archive = _zip(tmp_path / "a.zip", **{"imgs/": "", "imgs/a": "1", "imgs/b": "2", "a": "3"})
    assert len(list(unpack(archive, cache).rglob("*"))) == 4


def test_a_file_where_a_folder_must_be_is_one_line(tmp_path, cache):
    archive = _zip(tmp_path / "a.zip", **{"a": "1", "a/b": "2"})
    with pytest.raises(
        DataError, match=r"a\.zip: cannot be unpacked to .*; point paths\.cache_dir"
    ):
        unpack(archive, cache)
    assert list((cache / "archives").iterdir()) == []


@needs_posix
@pytest.mark.parametrize("name", ["ab:c.jpg", "imgs/nul.jpg", "imgs/a .jpg ", "what?.png"])
def test_names_that_windows_does_not_allow_are_refused_there(tmp_path, cache, monkeypatch, name):
    """It would rename them in silence, and the lists would no longer fit."""
    archive = _zip(tmp_path / "a.zip", **{name: "1"})
    monkeypatch.setattr(archives, "_ON_WINDOWS", True)
    with pytest.raises(DataError, match=r"a\.zip: holds 1 member \(.*\) with a name that Windows"):
        unpack(archive, cache)
    monkeypatch.setattr(archives, "_ON_WINDOWS", False)
    assert (unpack(archive, cache) / name).read_text() == "1"
