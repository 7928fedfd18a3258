import json
import os

import cv2
import numpy as np
import pytest
from PIL import Image

from aerialseg.errors import DataError
from aerialseg.scenes import RECORD, render_scene, write_scenes

SIZE = (96, 128)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("demo") / "scenes"
    write_scenes(root, count=6, test_count=3, size=SIZE, seed=3)
    return root


def _files(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def _ids(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "ImageID"
    return lines[1:]


def test_the_folder_has_the_kaggle_layout(written):
    train, test = _ids(written / "train.csv"), _ids(written / "test.csv")

    assert (len(train), len(test)) == (6, 3)
    assert {p.stem for p in (written / "imgs" / "imgs").glob("*.jpg")} == {*train, *test}
    assert {p.stem for p in (written / "masks" / "masks").glob("*.png")} == set(train)
    assert {p.name for p in written.iterdir()} == {
        "imgs", "masks", "train.csv", "test.csv", RECORD
    }  # fmt: skip


def test_ids_are_sequence_and_frame_and_no_sequence_is_both_train_and_test(written):
    train, test = _ids(written / "train.csv"), _ids(written / "test.csv")
    frames: dict[str, list[str]] = {}
    for name in train + test:
        sequence, frame = name.split("_")
        assert (len(sequence), len(frame)) == (6, 3)
        frames.setdefault(sequence, []).append(frame)

    assert {i.split("_")[0] for i in train}.isdisjoint(i.split("_")[0] for i in test)
    assert all(
        f == [f"{k + 1:03d}" for k in range(len(f))] and len(f) <= 3 for f in frames.values()
    )
    assert max(len(f) for f in frames.values()) >= 2


def test_written_files_hold_what_was_rendered(written):
    name = _ids(written / "train.csv")[0]
    sequence, frame = (int(part) for part in name.split("_"))
    image, mask = render_scene(3, SIZE, sequence=sequence, frame=frame - 1)
    with Image.open(written / "masks" / "masks" / f"{name}.png") as stored:
        assert stored.mode == "L"
        assert np.array_equal(np.asarray(stored), mask)
    decoded = cv2.imread(str(written / "imgs" / "imgs" / f"{name}.jpg"))[..., ::-1]

    assert decoded.shape == image.shape
    assert np.abs(decoded.astype(int) - image).mean() < 6


def test_the_same_arguments_write_nothing_again(written):
    before = {path: path.stat().st_mtime_ns for path in written.rglob("*")}
    write_scenes(written, count=6, test_count=3, size=SIZE, seed=3)

    assert {path: path.stat().st_mtime_ns for path in written.rglob("*")} == before


def test_two_folders_of_the_same_arguments_are_equal_byte_for_byte(tmp_path):
    for name in "ab":
        write_scenes(tmp_path / name, count=2, test_count=1, size=SIZE, seed=9)

    assert _files(tmp_path / "a") == _files(tmp_path / "b")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_other_arguments_make_the_folder_anew(tmp_path):
    root = tmp_path / "scenes"
    write_scenes(root, count=4, test_count=1, size=SIZE, seed=1)
    write_scenes(root, count=2, test_count=0, size=(64, 80), seed=1)

    assert len(_ids(root / "train.csv")) == len(list((root / "imgs" / "imgs").iterdir())) == 2
    assert _ids(root / "test.csv") == []
    assert [p.name for p in tmp_path.iterdir()] == ["scenes"]


def test_another_generator_version_makes_the_folder_anew(tmp_path):
    write_scenes(tmp_path / "s", count=1, test_count=0, size=SIZE, seed=1)
    record = json.loads((tmp_path / "s" / RECORD).read_text())
    (tmp_path / "s" / RECORD).write_text(json.dumps(record | {"version": 0}))
    write_scenes(tmp_path / "s", count=1, test_count=0, size=SIZE, seed=1)

    assert json.loads((tmp_path / "s" / RECORD).read_text()) == record


def test_a_folder_with_a_scene_missing_is_made_anew(tmp_path):
    write_scenes(tmp_path / "s", count=2, test_count=0, size=SIZE, seed=1)
    before = _files(tmp_path / "s")
    next((tmp_path / "s" / "imgs" / "imgs").iterdir()).unlink()
    write_scenes(tmp_path / "s", count=2, test_count=0, size=SIZE, seed=1)

    assert _files(tmp_path / "s") == before


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "s").mkdir()
    write_scenes(tmp_path / "s", count=1, test_count=0, size=SIZE, seed=1)

    assert len(_ids(tmp_path / "s" / "train.csv")) == 1


def test_a_folder_of_someone_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "imgs" / "imgs").mkdir(parents=True)
    (tmp_path / "imgs" / "imgs" / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"1 files? .*holiday\.jpg.*empty or new folder"):
        write_scenes(tmp_path, count=1, test_count=0, size=SIZE, seed=1)

    assert _files(tmp_path) == {"imgs/imgs/holiday.jpg": b"mine"}


@pytest.mark.parametrize("arguments", [{"seed": 1}, {"seed": 2}])
def test_a_foreign_file_among_the_scenes_is_never_lost(tmp_path, arguments):
    root = tmp_path / "s"
    write_scenes(root, count=1, test_count=0, size=SIZE, seed=1)
    (root / "masks" / "masks" / "mine.png").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"mine\.png"):
        write_scenes(root, count=1, test_count=0, size=SIZE, **arguments)

    assert (root / "masks" / "masks" / "mine.png").read_bytes() == b"mine"


@pytest.mark.parametrize("record", ["not json", "[]", '{"count": 1}', '{"version": "x"}'])
def test_a_record_that_is_not_ours_does_not_open_the_folder(tmp_path, record):
    (tmp_path / RECORD).write_text(record)
    with pytest.raises(DataError, match=RECORD):
        write_scenes(tmp_path, count=1, test_count=0, size=SIZE, seed=1)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(DataError, match="is a file"):
        write_scenes(tmp_path / "s", count=1, test_count=0, size=SIZE, seed=1)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="cannot write") as caught:
        write_scenes(tmp_path / "file" / "s", count=1, test_count=0, size=SIZE, seed=1)

    assert len(caught.value.lines().splitlines()) == 1


def test_a_failure_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*arguments: object) -> None:
        raise OSError(28, os.strerror(28))

    write_scenes(tmp_path / "s", count=1, test_count=0, size=SIZE, seed=1)
    before = _files(tmp_path)
    monkeypatch.setattr("aerialseg.scenes.write._encode", full)
    with pytest.raises(DataError, match="No space left"):
        write_scenes(tmp_path / "s", count=1, test_count=0, size=SIZE, seed=2)

    assert _files(tmp_path) == before


def test_every_argument_out_of_range_is_named_at_once(tmp_path):
    with pytest.raises(DataError) as caught:
        write_scenes(tmp_path / "s", count=0, test_count=-1, size=(8, 128), seed=-1)

    assert [line.split()[3] for line in caught.value.problems] == [
        "is", "is", "is", "is"
    ]  # fmt: skip
    assert [line.split()[2] for line in caught.value.problems] == [
        "count", "test_count", "height", "seed"
    ]  # fmt: skip
    assert not (tmp_path / "s").exists()
