"""Two small data sets that are joined: of other classes, sizes and kinds of masks."""

import numpy as np

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.joint import joint
from aerialseg.data.layouts import folders
from helpers.tiny_data import random_image, save

ROADS = {"road": [9, 9, 9], "car": [200, 0, 0], "truck": [0, 200, 0]}
"""Of the data set ``north``, whose masks hold ids."""
LAND = {"field": [1, 1, 1], "street": [2, 2, 2], "clutter": [3, 3, 3]}
"""Of ``south``, whose masks hold colours."""
TRAINED = {"ground": [7, 7, 7], "road": [9, 9, 9], "vehicle": [200, 0, 0]}
MAPPED = {
    "north": {"car": "vehicle", "truck": "vehicle"},
    "south": {"field": "ground", "street": "road", "clutter": None},
}
NORTH = np.array([[0, 0, 0, 1], [1, 2, 255, 0]], dtype=np.uint8)
"""4 pixels of road, 2 of car, 1 of truck, 1 ignored."""
SOUTH = np.array([[0, 0, 1], [1, 2, 2]], dtype=np.uint8)
"""2 pixels of each class."""
SHARED = {"image_min_size": None, "batch_size": 4, "num_workers": 0}


def make_parts(tmp_path):
    """Four images of 4x2 pixels in the north, of two flights, and two of 3x2 in the south."""
    colours = np.array(list(LAND.values()), dtype=np.uint8)
    for seed, key in enumerate(["a_1", "a_2", "b_1", "b_2"]):
        save(tmp_path / f"north/images/{key}.png", random_image((2, 4), seed))
        save(tmp_path / f"north/masks/{key}.png", NORTH)
    for seed, key in enumerate(["train/a_1", "val/a_2"]):
        save(tmp_path / f"south/images/{key}.png", random_image((2, 3), 10 + seed))
        save(tmp_path / f"south/masks/{key}.png", colours[SOUTH])
    kinds = {
        "north": {"classes": ROADS, "group_pattern": "^(.+)_"},
        "south": {"classes": LAND, "mask_format": "colour"},
    }

    def make(**changes):
        return {
            name: AerialSegDataModule(
                tmp_path / name,
                folders,
                cache_dir=tmp_path / "cache",
                **SHARED,
                **{"map_classes": MAPPED[name], **settings, **changes.get(name, {})},
            )
            for name, settings in kinds.items()
        }

    return make


def together(parts, classes=TRAINED, **changes):
    (one, *_) = parts.values()
    return joint(parts, classes=classes, cache_dir=one.cache_dir, **{**SHARED, **changes})
