"""The store of computed arrays: what is written is read, no damage is missed, nothing is half."""

import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from aerialseg.data.cache.store import entry_folder, open_entry, reopen, write_entry
from aerialseg.errors import AerialsegError, DataError
from aerialseg.storage.atomic_files import remove_folder

PIECES = [
    ("runs", np.array([1, 2, 70000], dtype=np.uint32)),
    ("features", np.array([[0.5, -2], [65504, 0]], dtype=np.float16)),
    ("runs", np.array([4], dtype=np.uint32)),
    ("counts", np.array([[2**40, -1]], dtype=np.int64)),
    ("nothing", np.empty((0, 3), dtype=np.float32)),
    ("runs", np.array([], dtype=np.uint32)),
]
CONTENT = {"where": [1, 2], "name": "ä", "none": None}
FILES = {"runs.u32", "features.f16", "counts.i64", "nothing.f32", "index.json"}


def fill(writer):
    for name, piece in PIECES:
        writer.append(name, piece)
    return CONTENT


@pytest.fixture
def folder(tmp_path):
    return entry_folder(tmp_path, "kind", 1)


@pytest.fixture
def entry(folder):
    return write_entry(folder, fill)


def assert_complete(entry):
    assert entry.content == CONTENT
    assert entry.arrays.keys() == {name for name, _ in PIECES}
    for name, array in entry.arrays.items():
        wanted = np.concatenate([piece for other, piece in PIECES if other == name])
        assert array.dtype == wanted.dtype
        np.testing.assert_array_equal(array, wanted)
        assert array.size == 0 or not array.flags.writeable


def fill_otherwise(writer):
    writer.append("runs", np.zeros(1, dtype=np.uint32))
    return fill(writer)


def opened(folder):
    return open_entry(folder, again="the numbers are computed")


def test_what_was_written_is_read(folder, entry, caplog):
    assert_complete(entry)
    assert_complete(opened(folder))
    assert {path.name for path in folder.iterdir()} == FILES
    assert not caplog.messages


def test_the_files_are_what_the_index_says(folder, entry):
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    assert index["content"] == CONTENT
    assert index["arrays"]["runs"]["shape"] == [4]
    assert index["arrays"]["counts"] | {"crc32": 0} == {"dtype": "<i8", "shape": [1, 2], "crc32": 0}
    assert (folder / "runs.u32").read_bytes() == np.array([1, 2, 70000, 4], "<u4").tobytes()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(
        npst.arrays(
            st.sampled_from([np.uint8, np.int64, np.float16, ">i4"]),
            st.tuples(st.integers(0, 4), st.integers(0, 3)),
            fill=st.nothing(),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_pieces_come_back_in_their_order(tmp_path_factory, pieces):
    first = pieces[0]
    fitting = [p for p in pieces if p.dtype == first.dtype and p.shape[1:] == first.shape[1:]]
    folder = tmp_path_factory.mktemp("any") / "entry"

    def fill(writer):
        return [writer.append("array", piece) for piece in fitting]

    write_entry(folder, fill)
    entry = opened(folder)
    lengths = [len(piece) for piece in fitting]
    assert entry.content == np.cumsum([0, *lengths])[:-1].tolist()
    np.testing.assert_array_equal(entry.arrays["array"], np.concatenate(fitting))


@pytest.mark.parametrize(
    "piece", [np.zeros(2, np.uint8), np.zeros((2, 2), np.float32), np.zeros((2, 3), np.float16)]
)
def test_a_piece_that_does_not_fit_is_refused(folder, piece):
    def fill(writer):
        writer.append("array", np.zeros((1, 2), np.float16))
        writer.append("array", piece)

    with pytest.raises(ValueError, match="does not continue an array of <f2"):
        write_entry(folder, fill)
    assert not folder.exists()


def assert_noticed(folder, path, damaged, caplog):
    caplog.clear()
    path.write_bytes(damaged)
    assert opened(folder) is None
    assert caplog.messages == [f"{path} is damaged; the numbers are computed again"]
    assert not folder.exists()


@pytest.mark.parametrize("name", sorted(FILES - {"nothing.f32"}))
def test_a_bit_flipped_in_any_byte_is_noticed(entry, tmp_path, name, caplog):
    whole = (entry.folder / name).read_bytes()
    for place in range(len(whole)):
        copy = shutil.copytree(entry.folder, tmp_path / "copy")
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        assert_noticed(copy, copy / name, flipped, caplog)


@pytest.mark.parametrize("name", sorted(FILES - {"nothing.f32"}))
def test_a_cut_anywhere_is_noticed(entry, tmp_path, name, caplog):
    whole = (entry.folder / name).read_bytes()
    for length in range(len(whole)):
        copy = shutil.copytree(entry.folder, tmp_path / "copy")
        assert_noticed(copy, copy / name, whole[:length], caplog)


DAMAGES = {
    "longer": lambda whole: whole + b"\0",
    "zeros": lambda whole: bytes(len(whole)) if whole else b"\0",
    "foreign": lambda whole: b"{}",
    "twice": lambda whole: whole + whole if whole else b"\0\0",
}


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("damage", DAMAGES)
def test_other_bytes_are_noticed(folder, entry, name, damage, caplog):
    path = folder / name
    assert_noticed(folder, path, DAMAGES[damage](path.read_bytes()), caplog)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_that_is_gone_or_no_file_is_noticed(folder, entry, name, caplog):
    (folder / name).unlink()
    assert opened(folder) is None
    write_entry(folder, fill)
    (folder / name).unlink()
    (folder / name).mkdir()
    assert opened(folder) is None
    line = f"{folder / name} is damaged; the numbers are computed again"
    assert caplog.messages == [line, line]


def test_files_of_two_entries_are_not_taken_for_one(folder, entry, tmp_path, caplog):
    other = write_entry(
        tmp_path / "other", lambda writer: writer.append("runs", np.uint32([9] * 4))
    )
    (folder / "runs.u32").write_bytes((other.folder / "runs.u32").read_bytes())
    assert opened(folder) is None


def test_an_entry_that_is_not_there_is_not_damaged(folder, caplog):
    assert opened(folder) is None
    remove_folder(folder)
    assert not caplog.messages


def test_the_key_depends_on_all_that_an_entry_was_made_from(tmp_path):
    made_from = [("kind", 1, b"a"), ("kind", 1, b"b"), ("kind", 2, b"a"), ("kind", 1), ("k", 1)]
    folders = {entry_folder(tmp_path, kind, *parts) for kind, *parts in made_from}
    assert len(folders) == len(made_from)
    assert all(folder.parent.parent == tmp_path for folder in folders)


def test_nothing_is_left_of_an_entry_that_was_not_finished(folder):
    def broken(writer):
        fill(writer)
        raise DataError("an image is damaged")

    with pytest.raises(DataError, match="an image is damaged"):
        write_entry(folder, broken)
    assert list(folder.parent.iterdir()) == []


def test_of_two_that_make_the_same_the_first_is_kept(folder):
    def slow(writer):
        write_entry(folder, fill)
        return fill(writer)

    assert_complete(write_entry(folder, slow))
    assert_complete(opened(folder))
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AerialsegError, match=r"file/key: cannot be written: "):
        write_entry(tmp_path / "file" / "key", fill)


def test_a_worker_maps_the_files_again_instead_of_copying_them(folder):
    numbers = np.arange(100_000)
    entry = write_entry(folder, lambda writer: writer.append("numbers", numbers))
    sent = pickle.dumps(entry)
    assert len(sent) < 500
    again = pickle.loads(sent)
    np.testing.assert_array_equal(again.arrays["numbers"], numbers)
    script = "import pickle, sys; print(pickle.load(sys.stdin.buffer).arrays['numbers'].sum())"
    done = subprocess.run(
        [sys.executable, "-c", script], input=sent, capture_output=True, check=True
    )
    assert int(done.stdout) == numbers.sum()


def test_a_worker_does_not_compare_all_bytes_again(folder, entry):
    path = folder / "runs.u32"
    path.write_bytes(bytes(path.stat().st_size))
    assert reopen(folder, entry.seal).arrays["runs"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("change", ["gone", "other numbers", "other content", "cut", "index"])
def test_a_worker_notices_an_entry_that_is_no_longer_the_same(folder, entry, change):
    sent = pickle.dumps(entry)
    if change == "cut":
        os.truncate(folder / "runs.u32", 4)
    elif change == "index":
        (folder / "index.json").write_text("{}")
    else:
        remove_folder(folder)
    if change == "other numbers":
        write_entry(folder, fill_otherwise)
    elif change == "other content":
        write_entry(folder, lambda writer: fill(writer) | {"name": "other"})
    with pytest.raises(DataError, match="was removed or made again by another process"):
        pickle.loads(sent)
    if change != "cut":  # the maps of a process that has the files open stay as they were
        assert_complete(entry)


def test_an_entry_made_again_from_the_same_is_the_same(folder, entry):
    sent = pickle.dumps(entry)
    remove_folder(folder)
    write_entry(folder, fill)
    assert_complete(pickle.loads(sent))
