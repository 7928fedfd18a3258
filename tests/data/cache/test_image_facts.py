import hashlib
import logging
import os

import pytest

from aerialseg.data.cache.image_facts import image_facts
from aerialseg.data.layouts import folders
from aerialseg.errors import DataError
from helpers.tiny_data import random_image, save, write_folders

READ = "aerialseg.data.cache.image_facts.digest_of"


@pytest.fixture
def root(tmp_path):
    root = write_folders(tmp_path / "f", ["a", "b", "c"])
    save(root / "images/b.jpg", random_image((20, 40), seed=5))
    save(root / "masks/b.png", random_image((20, 40))[..., 0])
    return root


def _facts(root, cache):
    return image_facts(folders(root, cache).samples, cache_dir=cache)


def test_every_image_has_the_digest_of_its_bytes_and_its_size(root, cache):
    facts = _facts(root, cache)
    files = [root / f"images/{name}.jpg" for name in "abc"]
    assert facts.digests == tuple(
        hashlib.blake2b(file.read_bytes(), digest_size=8).hexdigest() for file in files
    )
    assert facts.sizes.tolist() == [[24, 32], [20, 40], [24, 32]]


def test_the_second_time_no_image_is_read_wherever_it_lies(root, cache, monkeypatch):
    first = _facts(root, cache)
    monkeypatch.setattr(READ, None)
    for move in (lambda: root, lambda: root.rename(root.parent / "moved")):
        again = _facts(move(), cache)
        assert again.digests == first.digests
        assert again.sizes.tolist() == first.sizes.tolist()


def test_a_mask_or_class_that_changes_needs_no_second_reading(root, cache, monkeypatch):
    first = _facts(root, cache)
    os.utime(root / "masks/b.png", ns=(1, 1))
    monkeypatch.setattr(READ, None)
    assert _facts(root, cache).digests == first.digests


@pytest.mark.parametrize("change", ["content", "damage"])
def test_a_changed_image_or_a_damaged_entry_is_read_again(root, cache, change, caplog):
    first = _facts(root, cache)
    if change == "content":
        save(root / "images/c.jpg", random_image(seed=77))
    else:
        (entry,) = (cache / "images").iterdir()
        (entry / "digests.u8").write_bytes(b"\0" * 24)
    again = _facts(root, cache)
    assert again.digests[:2] == first.digests[:2]
    assert (again.digests[2] == first.digests[2]) == (change == "damage")
    assert ("is damaged; the images are read again" in caplog.text) == (change == "damage")


def test_a_long_first_reading_is_announced(root, cache, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("aerialseg.data.cache.image_facts._MANY", 3)
    for _ in range(2):
        _facts(root, cache)
    assert caplog.messages == ["reading 3 images, once; their digests are kept"]


def test_nothing_to_read_is_no_error(cache):
    assert image_facts([], cache_dir=cache).digests == ()


def test_a_file_that_cannot_be_read_is_named(root, cache):
    samples = folders(root, cache).samples
    (root / "images/b.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"b\.jpg: cannot be decoded"):
        image_facts(samples, cache_dir=cache)
