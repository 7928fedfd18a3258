"""Masks whose classes are mapped: as they are read, counted, split, remembered and served."""

import numpy as np
import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading import read_mask
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts import folders
from aerialseg.data.sources.class_map import class_map
from aerialseg.errors import ConfigError, DataError
from helpers.tiny_data import CLASSES, random_image, save

TABLE = ClassTable(("ground", "roof", "tree"), ((120, 100, 80), (200, 60, 40), (40, 90, 200)))
MAPPING = {"roof": "ground", "tree": "plant"}  # ground 0, plant 1
GROUND, ROOF, TREE = TABLE.colours


@pytest.mark.parametrize(
    ("pixels", "settings", "ids"),
    [
        ([[0, 1, 2, 255]], {}, [[0, 0, 1, 255]]),
        ([[0, 1, 2, 7]], {"ignore_values": [7]}, [[0, 0, 1, 255]]),
        (
            [[10, 20, 30, 0]],
            {"mask_values": {0: "tree", 10: "ground", 20: "roof", 30: "tree"}},
            [[0, 0, 1, 1]],
        ),
        # Painted in the colours of the original table, of which that of roof trains no more.
        ([[GROUND, ROOF, TREE, (255,) * 3]], {"mask_format": "colour"}, [[0, 0, 1, 255]]),
        (
            [[(0, 0, 0), ROOF, TREE, TREE]],
            {"mask_format": "colour", "ignore_values": [[0, 0, 0]]},
            [[255, 0, 1, 1]],
        ),
    ],
)
def test_masks_are_read_by_their_own_table(tmp_path, pixels, settings, ids):
    reading = Reading(MaskEncoding(TABLE, **settings), class_map=class_map(TABLE, MAPPING))
    path = save(tmp_path / "m.png", np.array(pixels, dtype=np.uint8))

    assert read_mask(path, reading).tolist() == ids


def test_a_palette_is_compared_with_the_own_table(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8))
    image.putpalette([level for colour in (TREE, ROOF, GROUND) for level in colour])
    image.save(tmp_path / "m.png")
    reading = Reading(MaskEncoding(TABLE), class_map=class_map(TABLE, MAPPING))

    with pytest.raises(DataError, match="by the colours of its palette 0 is 'tree', 1 is 'roof'"):
        read_mask(tmp_path / "m.png", reading)
    painted = Reading(MaskEncoding(TABLE, "colour"), class_map=class_map(TABLE, MAPPING))
    assert read_mask(tmp_path / "m.png", painted).tolist() == [[1, 0, 0]]


IDS = [f"{flight}_{frame}" for flight in "abcd" for frame in (1, 2)]
MASK = np.array([[0, 0, 0, 1], [1, 2, 2, 255]], dtype=np.uint8)
"""Of each image: 3 pixels of ground, 2 of car, 2 of tree, 1 ignored."""


@pytest.fixture
def root(tmp_path):
    for seed, key in enumerate(IDS):
        save(tmp_path / f"d/images/{key}.png", random_image((2, 4), seed))
        save(tmp_path / f"d/masks/{key}.png", MASK)
    return tmp_path / "d"


def loaded(root, mapping=None, **changes):
    settings = {"image_min_size": None, "batch_size": 4, "num_workers": 0, "classes": CLASSES}
    settings |= {"cache_dir": root.parent / "cache", "group_pattern": "^(.+)_", **changes}
    return AerialSegDataModule(root, folders, map_classes=mapping, **settings)


def test_counts_and_served_masks_are_those_of_the_trained_table(root):
    plain = loaded(root)
    next(iter(plain.val_dataloader()))  # fills the memory of masks with the original ids
    data = loaded(root, {"car": None, "tree": "plant"})

    assert data.classes.to_mapping() == {"ground": CLASSES["ground"], "plant": CLASSES["tree"]}
    assert data.counts_of("train").tolist() == [[3, 2]] * len(data.samples("train"))
    assert data.contents.labels.ignored.tolist() == [3] * len(IDS)  # 1, and 2 of car
    expected = [[0, 0, 0, 255], [255, 1, 1, 255]]
    assert next(iter(data.val_dataloader()))["mask"][0].tolist() == expected
    assert data.dataset("val", is_loaded=True)[0]["mask"].tolist() == expected
    assert data.reduced(1).dataset("train")[0]["mask"].tolist() == expected
    assert plain.dataset("val", is_loaded=True)[0]["mask"].tolist() == MASK.tolist()


def test_the_split_is_that_of_the_original_classes(root):
    mapped = loaded(root, {"car": "ground"})

    assert mapped.contents.samples == loaded(root).contents.samples


def test_the_masks_are_counted_once_for_all_mappings(root):
    _ = loaded(root).contents, loaded(root, {"car": "ground"}).contents

    assert len(list((root.parent / "cache/statistics").iterdir())) == 1


def test_the_fingerprint_tells_mappings_apart_and_none_from_those_that_change_nothing(root):
    prints = [
        loaded(root, mapping).fingerprint
        for mapping in (None, {}, {"car": "car"}, {"car": "auto"}, {"car": "tree"}, {"car": None})
    ]

    assert prints[0] == prints[1] == prints[2]
    assert len(set(prints)) == 4


def test_nothing_to_learn_and_unknown_names_are_one_line(root):
    for key in IDS:
        save(root / f"masks/{key}.png", np.full((2, 4), 1, dtype=np.uint8))
    with pytest.raises(DataError, match=r"^data\.map_classes: ignores every class that occurs"):
        _ = loaded(root, {"car": None}).contents
    with pytest.raises(ConfigError, match="no class 'caar'; did you mean 'car'"):
        _ = loaded(root, {"caar": None}).contents
