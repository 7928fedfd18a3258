"""Folders of the cache are moved and removed only once none of their files is mapped any more."""

import numpy as np
import pytest

from aerialseg.data.cache.mask_memory import keep_masks
from aerialseg.data.cache.store import open_entry, write_entry
from aerialseg.data.layouts import folders
from helpers.damage import flip
from helpers.mapped_files import mapped_below, refuse_while_mapped
from helpers.systems import needs_linux
from helpers.tiny_data import mask, save, write_folders

pytestmark = needs_linux


@pytest.fixture(autouse=True)
def as_on_windows(monkeypatch):
    refuse_while_mapped(monkeypatch)


def fill(writer):
    writer.append("first", np.arange(5000))
    writer.append("second", np.arange(3000))


def test_a_new_entry_takes_its_name_before_it_is_mapped(tmp_path):
    entry = write_entry(tmp_path / "entry", fill)
    assert entry.arrays["first"].sum() == np.arange(5000).sum()
    assert len(mapped_below(tmp_path / "entry")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]


def test_of_two_that_make_the_same_no_folder_is_left_over(tmp_path):
    def slow(writer):
        write_entry(tmp_path / "entry", fill)
        fill(writer)

    write_entry(tmp_path / "entry", slow)
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]


@pytest.mark.parametrize("name", ["first.i64", "second.i64"])
def test_a_damaged_entry_is_removed(tmp_path, name):
    write_entry(tmp_path / "entry", fill)
    flip(tmp_path / "entry" / name, 500)
    assert open_entry(tmp_path / "entry", again="it is made") is None
    assert not list(tmp_path.iterdir())


def test_masks_that_have_changed_are_kept_anew(tmp_path, cache):
    samples = folders(write_folders(tmp_path / "f", ["a", "b"]), cache).samples

    def kept(ids):
        return keep_masks(
            samples,
            lambda sample: ids,
            made_with=None,
            image_min_size=None,
            megabytes=1,
            cache_dir=cache,
        )

    kept(mask())
    changed = save(samples[1].mask, mask(seed=9))
    memory = kept(mask(seed=9))
    assert np.array_equal(memory.read(1, changed, mask().shape), mask(seed=9))
    assert len(list((cache / "masks").iterdir())) == 1
