import numpy as np
import pytest
from PIL import Image

from aerialseg.data.images.reading import read_image, read_resized
from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.errors import DataError
from aerialseg.scenes import render_scene
from helpers.tiny_data import random_image, save, save_with_thumbnail


@pytest.fixture(scope="module")
def scenes():
    """Images whose truth is known, with the detail of real ones."""
    return [render_scene(1, (360, 640), sequence=i)[0] for i in range(2)]


@pytest.mark.parametrize("shorter", [180, 90])
@pytest.mark.parametrize("quality", [75, 90, 95])
@pytest.mark.parametrize("subsampling", [0, 1, 2])  # 4:4:4, 4:2:2, 4:2:0
def test_half_a_jpeg_is_as_near_to_the_truth_as_the_whole(
    tmp_path, scenes, shorter, quality, subsampling
):
    differences, errors_of_half, errors_of_whole = [], [], []
    for scene in scenes:
        truth = resize_keep_aspect(scene, shorter).astype(int)
        path = save(tmp_path / "a.jpg", scene, quality=quality, subsampling=subsampling)
        half, size = read_resized(path, shorter)
        whole = resize_keep_aspect(read_image(path), shorter)
        assert size == (360, 640)
        assert half.shape == whole.shape == (shorter, shorter * 16 // 9, 3)
        differences.append(np.abs(half.astype(int) - whole).mean())
        errors_of_half.append(np.abs(half - truth).mean())
        errors_of_whole.append(np.abs(whole - truth).mean())
    # Of 255; 0 would mean that all of it was decoded.
    assert 0 < np.mean(differences) < min(0.85, np.mean(errors_of_whole))
    assert np.mean(errors_of_half) < np.mean(errors_of_whole) + (0.3 if subsampling == 1 else 0.1)


@pytest.mark.parametrize(
    ("size", "shorter"),
    [
        ((48, 64), 16),  # by 3, which is odd
        ((48, 64), 20),  # by 2.4
        ((48, 66), 12),  # 66 to 17 is not by 4
        ((49, 64), 24),
        ((48, 64), 48),
        ((48, 64), 96),
        ((48, 64), None),
    ],
)
def test_by_any_other_factor_the_whole_is_decoded(tmp_path, size, shorter):
    path = save(tmp_path / "a.jpg", random_image(size), quality=95)
    image, found = read_resized(path, shorter)
    assert np.array_equal(image, resize_keep_aspect(read_image(path), shorter))
    assert found == size


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_half_a_jpeg_keeps_its_colours_and_ignores_its_orientation(tmp_path, mode):
    exif = Image.Exif()
    exif[274] = 6  # turned by 90 degrees
    path = tmp_path / "a.jpg"
    Image.fromarray(random_image((48, 64))).convert(mode).save(path, quality=95, exif=exif)
    half, size = read_resized(path, 24)
    whole = resize_keep_aspect(read_image(path), 24)
    assert (half.shape, size) == ((24, 32, 3), (48, 64))
    assert np.abs(half.astype(int) - whole).mean() < 2  # swapped channels are off by about 80


def test_other_formats_are_read_whole_and_resized(tmp_path):
    path = save(tmp_path / "a.png", random_image((48, 64)))
    image, size = read_resized(path, 24)
    assert np.array_equal(image, resize_keep_aspect(random_image((48, 64)), 24))
    assert size == (48, 64)


def test_a_jpeg_cut_short_is_never_half_an_image(tmp_path):
    path = tmp_path / "a.jpg"
    data = save_with_thumbnail(path).read_bytes()
    assert read_resized(path, 32)[0].shape == (32, 32, 3)
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(DataError, match=r"a\.jpg: cannot be decoded"):
            read_resized(path, 32)
