import albumentations as A
import numpy as np
import pytest

from aerialseg.data.checks.augmentation_bands import without_colour
from aerialseg.data.checks.augmentation_probe import check_augmentation


def _names(part):
    return [_names(each) or type(each).__name__ for each in getattr(part, "transforms", ())]


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_transforms_of_colour_are_left_out_by_name(channels, caplog):
    whole = A.Compose(
        [
            A.ColorJitter(p=0.5),
            A.OneOf([A.Equalize(), A.HueSaturationValue()]),
            A.Sequential([A.HorizontalFlip(), A.ToGray()]),
        ]
    )
    kept = without_colour(whole, channels)
    assert _names(kept) == [["HorizontalFlip"]]
    assert len(whole.transforms) == 3
    assert caplog.messages == [
        "augmentation: without ColorJitter, Equalize, HueSaturationValue, ToGray, of RGB only, on "
        f"{channels} bands; augmentation=drone_bands has light for any number of bands"
    ]
    assert without_colour(whole, 3) is whole


def test_what_takes_no_image_at_all_is_left_for_the_probe(caplog):
    broken = A.Compose([A.RandomCrop(500, 500)])
    assert _names(without_colour(broken, 4)) == ["RandomCrop"]
    assert not caplog.messages


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_the_geometry_of_a_drone_takes_any_number_of_bands(channels):
    affine = A.Affine(rotate=(-10, 10), scale=(0.9, 1.4), fill_mask=255, mask_interpolation=0)
    light = A.RandomBrightnessContrast(brightness_limit=(0, 0), contrast_limit=(-0.3, 0.3))
    whole = A.Compose([light, A.HorizontalFlip(), affine])
    check_augmentation(whole, num_classes=3, size=(32, 40), channels=channels)
    image = np.full((8, 8, channels), 100, np.uint8)
    brighter = A.Compose([A.RandomBrightnessContrast((0, 0), (0.2, 0.2), p=1)])(image=image)
    assert np.unique(brighter["image"]).tolist() == [120]
