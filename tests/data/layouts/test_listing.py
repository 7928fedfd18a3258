import os

import pytest

from aerialseg.data.layouts import aeroscapes, kaggle
from aerialseg.data.layouts.listing import find_files
from helpers.systems import needs_posix
from helpers.tiny_data import text, write_aeroscapes, write_folders, write_kaggle


@pytest.fixture
def images(tmp_path):
    return write_folders(tmp_path / "d", ["a", "n/b"]) / "images"


def test_what_is_used_is_not_talked_about(images, caplog):
    (images / ".DS_Store").touch()
    (images / ".git").mkdir()
    assert list(find_files(images)) == ["a", "n/b"]
    assert caplog.messages == []


@needs_posix
def test_what_is_not_used_is_counted_by_reason_and_named_once(images, caplog):
    for name in ("a.jp2", "b.jp2", "n/c.jp2", "d.jp2", "notes"):
        (images / name).touch()
    (images / "gone.png").symlink_to(images / "nowhere.png")
    (images / "elsewhere").symlink_to(images.parent / "masks")
    for _ in range(2):
        assert list(find_files(images)) == ["a", "n/b"]
    assert caplog.messages == [
        f"{images}: some of it is not used: "
        "link to a folder, which is not followed: 1 (elsewhere); "
        "suffix .jp2: 4 (a.jp2, b.jp2, d.jp2, ...); broken link: 1 (gone.png); "
        "no suffix: 1 (notes)"
    ]


@needs_posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_named(images, caplog):
    (images / "n").chmod(0)
    try:
        assert list(find_files(images)) == ["a"]
    finally:
        (images / "n").chmod(0o755)
    assert caplog.messages == [
        f"{images}: some of it is not used: unreadable folder (permission denied): 1 (n)"
    ]


def test_a_folder_that_fails_while_it_is_read_is_named(images, caplog, monkeypatch):
    scandir = os.scandir

    def failing(path):
        if os.fspath(path).endswith("n"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", failing)
    assert list(find_files(images)) == ["a"]
    assert caplog.messages == [
        f"{images}: some of it is not used: unreadable folder (permission denied): 1 (n)"
    ]


def test_images_in_no_list_are_named(tmp_path, cache, caplog):
    first = write_kaggle(tmp_path / "k", ["a", "b", "c"], ["t"])
    text(first / "train.csv", "ImageID", "a", "b", "c")
    write_folders(tmp_path / "x", ["d"])
    (tmp_path / "x/images/d.jpg").rename(first / "imgs/imgs/d.jpg")
    second = write_aeroscapes(tmp_path / "s", ["a", "b"], ["c", "d"])
    text(second / "ImageSets/val.txt", "c")
    kaggle(first, cache)
    aeroscapes(second, cache)
    assert caplog.messages == [
        f"{first}/imgs/imgs: some of it is not used: in no list of the data set: 1 (d.jpg)",
        f"{second}/JPEGImages: some of it is not used: in no list of the data set: 1 (d.jpg)",
    ]
