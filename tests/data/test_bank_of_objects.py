"""The bank of objects to paste: when it is made, what it costs, and why it may be empty."""

import logging
import re

import numpy as np
import pytest

from aerialseg.data.cache import component_search
from aerialseg.errors import ConfigError
from helpers.pasted_objects import CAR, IDS, TREE, drawn, module, write
from helpers.tiny_data import save


def test_the_bank_is_made_once_and_anew_when_a_training_image_changes(tmp_path, caplog):
    root = write(tmp_path / "d")

    def searched(**changes):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            data = module(root, **changes)
            data.dataset("train", augment=True)
        return "looking for objects of rare classes" in caplog.text, data

    assert searched()[0]
    is_new, data = searched(seed=5)
    assert not is_new
    assert searched(crop_size=24)[0]
    assert searched(map_classes={"tree": "car"})[0]
    val, train = (next(s for s in data.samples(split)) for split in ("val", "train"))
    save(val.image, drawn(8)[0][..., :3])
    assert not searched()[0]
    save(train.image, drawn(0, [(8, 10, 8, 10, CAR)])[0][..., :3])
    assert searched()[0]


def test_the_cost_of_a_bank_is_bounded(tmp_path, monkeypatch, caplog):
    root = write(tmp_path / "d")
    everything = module(root, cache_dir=tmp_path / "a")._pasting.bank
    assert np.bincount(everything.class_ids).tolist() == [0, 20, 10]
    monkeypatch.setattr(component_search, "_OF_CLASS", 4)
    assert np.bincount(module(root, cache_dir=tmp_path / "b")._pasting.bank.class_ids).tolist() == [
        0,
        4,
        4,
    ]
    monkeypatch.setattr(component_search, "_OF_CLASS", 100)
    monkeypatch.setattr(component_search, "_BYTES", 4000)
    small = module(root, cache_dir=tmp_path / "c")._pasting.bank
    assert everything.bytes > 4000 >= small.bytes > 3000
    files = [file.stat().st_size for file in (tmp_path / "c/components").glob("*/*.u8")]
    assert sum(files) == small.bytes
    monkeypatch.setattr(component_search, "_IMAGES", 3)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        _ = module(root, cache_dir=tmp_path / "e")._pasting
    # Three for each of two classes, some of them for both.
    assert re.search("objects of rare classes in [3-6] images, once", caplog.text)


def test_where_nothing_can_be_pasted_one_line_says_why(tmp_path):
    root = tmp_path / "d"
    for image, key in enumerate(IDS):
        pixels, labels = drawn(image, [(0, 10, 8, 10, CAR), (40, 60, 3, 4, TREE)])
        save(root / f"images/{key}.png", pixels[..., :3])
        save(root / f"masks/{key}.png", labels)
    with pytest.raises(ConfigError) as caught:
        module(root).dataset("train", augment=True)
    assert str(caught.value) == (
        "data.paste_rare: no object of a rare class (car, tree) can be cut out of the training "
        "images: all touch a border or a pixel without a label, or have fewer than 16 pixels or "
        "more than a fifth of the image; set data.paste_rare=0"
    )
    for key in IDS:
        labels = np.zeros((60, 96), dtype=np.uint8)
        labels[20:40], labels[40:] = 1, 2
        save(root / f"images/{key}.png", np.zeros((60, 96, 3), dtype=np.uint8))
        save(root / f"masks/{key}.png", labels)
    with pytest.raises(ConfigError, match="equally many pixels, so none is rare"):
        module(root).dataset("train", augment=True)
