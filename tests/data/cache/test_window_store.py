"""Windows kept on disk: the same pixels as cut from the image, whatever happens to the files."""

import pickle

import numpy as np
import pytest
from PIL import Image

from aerialseg.data.cache.window_store import WindowStore, keep_windows
from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.data.images.windows import grid
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError
from helpers.tiny_data import save

SIZE, WINDOW = (70, 100), (32, 48)
WINDOW_BYTES = 3 * 32 * 48
IMAGE_BYTES = 9 * WINDOW_BYTES  # 3 rows of 3 windows


class Loader:
    """Serves arrays as whole images and counts how often it is asked."""

    def __init__(self, folder, names):
        generator = np.random.default_rng(0)
        self.arrays = {
            save(folder / f"{name}.png", generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8)): 0
            for name in names
        }
        self.calls = 0

    def __call__(self, path):
        self.calls += 1
        return np.array(Image.open(path))


@pytest.fixture
def load(tmp_path):
    return Loader(tmp_path, "abc")


def store_of(load, cache, *, gigabytes=1.0, image_min_size=None, window=WINDOW):
    samples = [
        Sample(f"{path.stem}{part.number}", path, path, "train", window=part)
        for path in load.arrays
        for part in grid(SIZE, window)
    ]
    return keep_windows(
        samples,
        window=window,
        image_min_size=image_min_size,
        made_with=None,
        gigabytes=gigabytes,
        cache_dir=cache,
    )


def read_all(store, load):
    return [store.read(path, w, load) for path in load.arrays for w in grid(SIZE, store.window)]


@pytest.mark.parametrize("image_min_size", [None, 16])
def test_windows_are_cut_once_and_read_by_all(load, cache, image_min_size):
    expected = [
        resize_keep_aspect(
            load(path)[w.box.top : w.box.top + 32, w.box.left : w.box.left + 48], image_min_size
        )
        for path in load.arrays
        for w in grid(SIZE, WINDOW)
    ]
    load.calls = 0
    store = store_of(load, cache, image_min_size=image_min_size)
    for reader in (store, pickle.loads(pickle.dumps(store)), store_of(load, cache)):
        if reader.image_min_size != image_min_size:
            continue
        for found, wanted in zip(read_all(reader, load), expected, strict=True):
            assert np.array_equal(found, wanted)
            assert found.flags.writeable
            assert found.flags.c_contiguous
    assert load.calls == 3


def test_an_image_that_changed_is_cut_again(load, cache):
    store = store_of(load, cache)
    path, window = next(iter(load.arrays)), grid(SIZE, WINDOW)[4]
    store.read(path, window, load)
    save(path, np.full((*SIZE, 3), 7, np.uint8))
    assert (store.read(path, window, load) == 7).all()


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "index"])
def test_damage_is_cut_again(load, cache, harm, caplog):
    store = store_of(load, cache)
    path, window = next(iter(load.arrays)), grid(SIZE, WINDOW)[4]
    before = store.read(path, window, load)
    file = store.folder_of(path) / ("index.json" if harm == "index" else "pixels.u8")
    data = bytearray(file.read_bytes())
    if harm == "remove":
        file.unlink()
    else:
        data[4 * WINDOW_BYTES + 5 if harm == "flip" else 20] ^= 1
        file.write_bytes(data[: 3 * WINDOW_BYTES] if harm == "cut" else data)
    assert np.array_equal(store.read(path, window, load), before)
    assert load.calls == 2
    assert "is damaged; the image is cut again" in caplog.text
    assert np.array_equal(store.read(path, window, load), before)
    assert load.calls == 2


def test_an_entry_that_another_process_removed_is_made_again(load, cache, caplog):
    store = store_of(load, cache)
    first = read_all(store, load)
    smaller = store_of(load, cache, gigabytes=IMAGE_BYTES / 1e9, window=(16, 16))
    assert len(smaller.kept) == 1
    assert not list((cache / "windows").iterdir())  # no room for the older ones
    for found, wanted in zip(read_all(store, load), first, strict=True):
        assert np.array_equal(found, wanted)
    assert "damaged" not in caplog.text


def test_no_more_is_kept_than_was_allowed(load, cache, caplog):
    store = store_of(load, cache, gigabytes=2.5 * IMAGE_BYTES / 1e9)
    assert len(store.kept) == 2
    assert "room for the windows of 2 of 3 images" in caplog.text
    read_all(store, load)
    read_all(store, load)
    assert load.calls == 2 + 9 + 9  # the third image is decoded for each of its windows
    assert len(list((cache / "windows").iterdir())) == 2


def test_older_entries_stay_where_there_is_room(load, cache):
    read_all(store_of(load, cache), load)
    read_all(store_of(load, cache, window=(16, 16)), load)
    assert len(list((cache / "windows").iterdir())) == 6


def test_a_cache_that_cannot_be_written_costs_time_and_one_warning(load, cache, caplog):
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("no folder")
    store = WindowStore(cache, WINDOW, None, None, frozenset(load.arrays))
    assert len(read_all(store, load)) == 27
    assert caplog.text.count("cannot be written to") == 1
    assert not store.kept


def test_a_missing_image_is_named(load, cache):
    path = next(iter(load.arrays))
    path.unlink()
    with pytest.raises(DataError, match=r"a\.png: no such file"):
        store_of(load, cache)
