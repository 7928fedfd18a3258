import os
import pickle
import shutil

import numpy as np
import pytest

from aerialseg.data.cache.features import missing_disk, open_features, write_features
from aerialseg.errors import AerialsegError, DataError


def images():
    """Features of images of two sizes, as validation images may be."""
    generator = np.random.default_rng(0)
    for split, index in (("train", 1), ("train", 0), ("val", 0)):
        height = 3 + index
        shapes = {"out": (height, 4, 5), "aux": (2 * height, 8, 2)}
        yield (
            split,
            index,
            {head: generator.normal(size=s).astype(np.float16) for head, s in shapes.items()},
        )


@pytest.fixture
def store(tmp_path):
    return write_features(tmp_path / "features" / "key", images())


def assert_holds_all(store):
    for split, index, features in images():
        found = store.read(split, index)
        assert found.keys() == features.keys()
        for head, values in features.items():
            assert found[head].dtype == np.float16
            np.testing.assert_array_equal(found[head], values)


def test_what_was_written_is_read(store):
    assert_holds_all(store)
    assert_holds_all(open_features(store.folder))
    assert open_features(store.folder).splits == store.splits == ("train", "val")


def test_a_worker_opens_it_anew_instead_of_copying_it(store):
    data = pickle.dumps(store)
    assert len(data) < 1000
    assert_holds_all(pickle.loads(data))


def test_nothing_is_left_of_a_store_that_was_not_finished(tmp_path):
    def broken():
        yield next(images())
        raise DataError("an image is damaged")

    with pytest.raises(DataError, match="an image is damaged"):
        write_features(tmp_path / "features" / "key", broken())
    assert list((tmp_path / "features").iterdir()) == []


def test_of_two_that_make_the_same_the_first_is_kept(tmp_path):
    folder = tmp_path / "key"

    def slow():
        yield from images()
        write_features(folder, images())

    assert_holds_all(write_features(folder, slow()))
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("name", ["train-out.f16", "train-aux.f16", "val-out.f16", "index.json"])
@pytest.mark.parametrize("damage", ["gone", "short", "empty"])
def test_half_a_store_is_refused(store, name, damage, caplog):
    path = store.folder / name
    if damage == "gone":
        path.unlink()
    else:
        os.truncate(path, 0 if damage == "empty" else path.stat().st_size - 2)
    assert open_features(store.folder) is None
    assert caplog.messages == [f"{path} is damaged; the features are computed again"]
    assert not store.folder.exists()


def test_where_there_is_no_store_nothing_is_said(tmp_path, caplog):
    assert open_features(tmp_path / "key") is None
    assert not caplog.messages


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AerialsegError, match="cannot be written: "):
        write_features(tmp_path / "file" / "key", images())


def test_the_disk_is_asked_before(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    folder = tmp_path / "not" / "there" / "yet"
    assert missing_disk(folder, 1000) == 0
    assert missing_disk(folder, 3 * free) > free
