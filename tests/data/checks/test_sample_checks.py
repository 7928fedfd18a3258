import numpy as np
import pytest
from PIL import Image

from aerialseg.data.checks.sample_checks import SampleChecks
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts import folders
from aerialseg.errors import DataError
from helpers.tiny_data import mask, random_image, save, write_folders


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", ["a", "b", "c", "d"])


def _counts(root, classes, orientation=None, **meaning):
    reading = Reading(MaskEncoding(classes, **meaning), orientation)
    return SampleChecks(reading).counts(folders(root, root).samples)


def _problems(root, classes, orientation=None, **meaning):
    with pytest.raises(DataError) as error:
        _counts(root, classes, orientation, **meaning)
    return error.value.problems


def _tag(path, orientation, size=(24, 32)):
    exif = Image.Exif()
    exif[274] = orientation
    pixels = mask(size) if path.suffix == ".png" else random_image(size)
    save(path, pixels, exif=exif)


def test_ignored_pixels_are_counted_after_the_classes(root, classes):
    pixels = np.zeros((24, 32), np.uint8)
    pixels[0], pixels[1], pixels[2] = 1, 2, 255
    save(root / "masks/b.png", pixels)
    assert _counts(root, classes)[1].tolist() == [21 * 32, 32, 32, 32, 0]
    swapped = {0: "tree", 1: "ground", 255: "car"}
    assert _counts(root, classes, mask_values=swapped, ignore_values=[2])[1].tolist() == [
        *(32, 32, 21 * 32, 32, 0)
    ]


def test_ids_off_by_one_are_one_line_for_all_masks(root, classes):
    for seed, path in enumerate(sorted((root / "masks").iterdir())):
        save(path, mask(seed=seed) + np.uint8(1))
    assert _problems(root, classes) == (
        "masks: hold the values 1, 2 and 3, while the class table has 3 classes (ids 0 to 2); if "
        "they stand for its classes in this order, set 'data.mask_values={1: ground, 2: car, 3: "
        "tree}', else say so with their own classes",
    )
    given = {1: "ground", 2: "car", 3: "tree"}
    assert _counts(root, classes, mask_values=given)[0].tolist() == [
        *((mask() == index).sum() for index in range(3)),
        *(0, 0),
    ]


def test_masks_within_the_table_count_towards_the_values(root, classes):
    save(root / "masks/a.png", np.zeros((24, 32), np.uint8))
    save(root / "masks/b.png", mask() + np.uint8(1))
    (line,) = _problems(root, classes)
    assert "hold the values 0, 1, 2 and 3" in line
    assert "if 0 means no label, set data.ignore_values=[0] and 'data.mask_values={1: gr" in line


def test_other_faults_are_still_named(root, classes):
    for path in (root / "masks").iterdir():
        save(path, mask() + np.uint8(1))
    save(root / "masks/b.png", mask((5, 5)))
    shifted, size = _problems(root, classes)
    assert shifted.startswith("masks: hold the values 1, 2 and 3, ")
    assert size.startswith("sample 'b': ")


def test_one_mistake_in_all_masks_is_one_line(root, classes):
    (line,) = _problems(root, classes, mask_format="colour")
    assert line.startswith(
        "4 samples (a, b, c, ...) have the same fault; the first: sample 'a': "
        f"{root / 'masks/a.png'}: is a single-channel mask"
    )
    for seed, path in enumerate(sorted((root / "masks").iterdir())):
        save(path, mask(seed=seed) * np.uint8(20 + seed))
    (line,) = _problems(root, classes)
    assert line.startswith("4 samples (a, b, c, ...) have the same fault; the first: sample 'a': ")
    assert "outside the class table" in line


@pytest.mark.parametrize("orientation", range(2, 9))
def test_an_orientation_is_refused_until_it_is_said_what_becomes_of_it(root, classes, orientation):
    stored = (32, 24) if orientation > 4 else (24, 32)
    for key in "abd":
        _tag(root / f"images/{key}.jpg", orientation, stored)
    fits = "; apply fits 3 of them by size" if orientation > 4 else ""
    assert _problems(root, classes) == (
        f"3 images (a, b, d) with an EXIF orientation ({orientation}), so viewers do not show the "
        "pixels as they are stored; set data.exif_orientation=apply if the masks were drawn on "
        "images as viewers show them, or data.exif_orientation=ignore if on pixels as they are "
        f"stored{fits}",
    )
    assert _counts(root, classes, "apply").sum() == 4 * 24 * 32
    if orientation <= 4:
        assert _counts(root, classes, "ignore").sum() == 4 * 24 * 32
        return
    first, *_ = _problems(root, classes, "ignore")
    assert first.endswith(
        f"wanted the same; the image's EXIF orientation is {orientation}: "
        "data.exif_orientation=apply fits"
    )


def test_masks_of_the_stored_pixels_fit_ignore(root, classes):
    _tag(root / "images/a.jpg", 6)
    _tag(root / "images/b.jpg", 8, (32, 24))
    (line,) = _problems(root, classes)
    assert line.startswith("2 images (a, b) with an EXIF orientation (6, 8), ")
    assert line.endswith("; apply fits 1 of them by size, ignore fits 1 of them by size")
    (line,) = _problems(root, classes, "apply")
    assert line.startswith("sample 'a': ")
    assert line.endswith("data.exif_orientation=ignore fits")


def test_a_mask_with_an_orientation_counts_too(root, classes):
    _tag(root / "masks/c.png", 3)
    (line,) = _problems(root, classes)
    assert line.startswith("1 image (c) with an EXIF orientation (3), ")


def test_a_size_that_fits_neither_way_has_no_hint(root, classes):
    _tag(root / "images/a.jpg", 6, (10, 10))
    for orientation in ("apply", "ignore"):
        (line,) = _problems(root, classes, orientation)
        assert line.endswith("wanted the same")
