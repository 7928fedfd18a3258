"""Where new masks go, by the layout of the old ones."""

from pathlib import Path

import pytest

from aerialseg.data.labels.mask_folders import mask_folders
from aerialseg.errors import DataError

ROOT = Path("data/a")


def places(layout, *masks, new="new"):
    found = mask_folders(ROOT, layout, [ROOT / each for each in masks])
    return found, [f"{before}{new}{after}" for before, after in found.targets]


def test_a_folder_of_masks():
    found, paths = places({"images": "images", "masks": "masks"}, "masks/s/1.png", "masks/2.tif")
    assert paths == ["new/s/1.png", "new/2.tif"]
    assert (found.default, found.patterns, found.refusal) == ("masks_corrected", ("",), "")


def test_folders_of_a_split_around_those_of_masks():
    _, paths = places({"images": "i", "masks": "m"}, "train/m/1.png", "val/m/2.png")
    assert paths == ["train/new/1.png", "val/new/2.png"]


def test_patterns():
    layout = {"images": "{tile}/images/{name}", "masks": "{tile}/masks/{name}"}
    found, paths = places(layout, "Tile 1/masks/1.png")
    assert paths == ["new/Tile 1/masks/1.png"]
    assert found.patterns == ("/{tile}/masks/{name}",)
    found, _ = places({"images": [], "masks": ["a/{name}", "b/{name}"]}, "a/1.png")
    assert found.patterns == ("/a/{name}", "/b/{name}")


def test_a_layout_without_a_choice_of_masks():
    found, paths = places({"count": 12}, "masks/masks/1.png", "masks/masks/2.png")
    assert (found.default, found.patterns) == ("masks_corrected", None)
    assert paths == ["new/1.png", "new/2.png"]


def test_masks_among_the_images_are_refused_when_they_are_applied():
    found, _ = places({"images": ".", "masks": "."}, "1_lab.png")
    assert "its masks lie in the folder of its images" in found.refusal


def test_a_mask_elsewhere_is_an_error():
    with pytest.raises(DataError, match="is not in a folder masks of"):
        places({"images": "images", "masks": "masks"}, "other/1.png")
