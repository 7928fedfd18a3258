import numpy as np
import pytest
from PIL import Image

from aerialseg.data.images.resizing import resize_keep_aspect, resized
from helpers.tiny_data import mask, random_image


@pytest.mark.parametrize(
    ("size", "shorter", "wanted"),
    [
        ((720, 1280), 720, (720, 1280)),
        ((720, 1280), 192, (192, 341)),  # 341.33
        ((720, 1280), 100, (100, 178)),  # 177.78, which truncation would make 177
        ((4, 6), 3, (3, 5)),  # 4.5: a half goes up
        ((1280, 720), 192, (341, 192)),
        ((24, 32), 48, (48, 64)),
        ((24, 32), None, (24, 32)),
    ],
)
def test_the_smaller_edge_is_exact_and_the_other_rounded(size, shorter, wanted):
    assert resized(size, shorter) == wanted
    assert resize_keep_aspect(random_image(size), shorter).shape == (*wanted, 3)
    assert resize_keep_aspect(mask(size), shorter, is_mask=True).shape == wanted


def test_an_array_of_the_right_size_is_passed_on():
    image = random_image()
    assert resize_keep_aspect(image, None) is image
    assert resize_keep_aspect(image, 24) is image


@pytest.mark.parametrize("shorter", [7, 12, 23, 31, 48])
def test_masks_take_the_nearest_pixel_as_pillow_does(shorter):
    ids = mask((24, 40)) * 100
    ours = resize_keep_aspect(ids, shorter, is_mask=True)
    theirs = Image.fromarray(ids).resize(ours.shape[::-1], Image.Resampling.NEAREST)
    assert np.array_equal(ours, np.asarray(theirs))


def test_images_are_averaged_down_and_blended_up():
    board = np.zeros((8, 8, 3), dtype=np.uint8)
    board[::2, ::2] = 200
    board[1::2, 1::2] = 200
    assert (resize_keep_aspect(board, 4) == 100).all()
    edge = np.zeros((4, 4, 3), dtype=np.uint8)
    edge[:, 2:] = 100
    assert resize_keep_aspect(edge, 8)[0, :, 0].tolist() == [0, 0, 0, 25, 75, 100, 100, 100]


@pytest.mark.parametrize("shorter", [7, 31])
@pytest.mark.parametrize("bands", [1, 4, 5, 9])
def test_any_number_of_bands_is_resized_as_each_alone(bands, shorter):
    image = np.dstack([random_image(seed=seed) for seed in range(3)])[..., :bands]
    found = resize_keep_aspect(image, shorter)
    assert found.shape == (*resized((24, 32), shorter), bands)
    for band in range(bands):
        alone = resize_keep_aspect(np.ascontiguousarray(image[..., band : band + 1]), shorter)
        assert np.array_equal(found[..., band], alone[..., 0])
