"""GIF: single frames are read exactly, whatever is not whole or not one frame is refused."""

import numpy as np
import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading import read_image, read_mask, read_size
from aerialseg.data.images.reading_settings import Reading
from aerialseg.errors import DataError
from helpers.tiny_data import CLASSES, mask, random_image, save

COLOURS = np.array(list(CLASSES.values()), dtype=np.uint8)
TABLE = ClassTable.from_mapping(CLASSES)


def with_palette(indices, colours=COLOURS):
    image = Image.fromarray(indices)
    image.putpalette(colours.tobytes())
    return image


@pytest.mark.parametrize("options", [{}, {"interlace": 1}, {"interlace": 0}, {"transparency": 1}])
def test_a_mask_holds_the_indices_of_its_palette(tmp_path, options):
    with_palette(mask()).save(tmp_path / "a.gif", **options)
    assert np.array_equal(read_mask(tmp_path / "a.gif"), mask())
    assert np.array_equal(read_mask(tmp_path / "a.gif", Reading(MaskEncoding(TABLE))), mask())
    assert read_size(tmp_path / "a.gif") == (24, 32)


def test_a_grey_mask_holds_its_values(tmp_path):
    values = np.arange(256, dtype=np.uint8).reshape(8, 32)
    assert np.array_equal(read_mask(save(tmp_path / "a.gif", values)), values)


def test_a_grey_mask_whose_values_were_numbered_anew_is_refused(tmp_path):
    """Programs such as Pillow number the greys that occur, and put the greys into a palette."""
    path = save(tmp_path / "a.gif", np.array([[0, 2, 2], [4, 4, 4]], dtype=np.uint8))
    with Image.open(path) as stored:
        assert np.unique(np.array(stored)).tolist() == [0, 1, 2]
    table = ClassTable(tuple("abcde"), tuple((9, 9, index) for index in range(5)))
    with pytest.raises(DataError) as error:
        read_mask(path, Reading(MaskEncoding(table)))
    assert error.value.problems == (
        f"{path}: stores 0, 1, 2 and shows them as the greys 0, 2, 4, so either may be meant; "
        "write it as PNG, or say which stored value is which class with data.mask_values",
    )
    said = MaskEncoding(table, mask_values={0: "a", 1: "c", 2: "e"})
    assert read_mask(path, Reading(said)).tolist() == [[0, 2, 2], [4, 4, 4]]


def test_values_are_not_taken_for_those_that_a_program_has_made_of_others(tmp_path):
    """Where a class is missing, 0, 2 and 3 are stored as 0, 1 and 2, which are said as well."""
    path = save(tmp_path / "a.gif", np.array([[0, 2, 2], [3, 3, 3]], dtype=np.uint8))
    said = Reading(MaskEncoding(TABLE, mask_values=dict(enumerate(CLASSES, 1)), ignore_values=[0]))
    with pytest.raises(DataError) as error:
        read_mask(path, said)
    assert error.value.problems == (
        f"{path}: stores 0, 1, 2 and shows them as the greys 0, 2, 3, so either may be meant; "
        "write it as PNG",
    )
    whole = save(tmp_path / "b.gif", np.array([[0, 1, 2, 3]], dtype=np.uint8))
    assert read_mask(whole, said).tolist() == [[255, 0, 1, 2]]


def test_a_value_that_a_program_has_given_to_white_is_no_id(tmp_path):
    """Pillow stores 255, which no class has, as the next value that is free."""
    palette = np.full((256, 3), 255, dtype=np.uint8)
    palette[:3] = COLOURS
    with_palette(np.array([[0, 1], [2, 255]], dtype=np.uint8), palette).save(tmp_path / "a.gif")
    with pytest.raises(DataError, match=r"id 3 \(1 pixel, 25%\) is outside the class table"):
        read_mask(tmp_path / "a.gif", Reading(MaskEncoding(TABLE)))


def test_a_painted_mask_is_read_by_its_colours(tmp_path):
    with_palette(2 - mask(), COLOURS[::-1]).save(tmp_path / "a.gif")
    assert np.array_equal(
        read_mask(tmp_path / "a.gif", Reading(MaskEncoding(TABLE, "colour"))), mask()
    )
    with pytest.raises(DataError, match="by the colours of its palette 0 is 'tree', 1 is 'car'"):
        read_mask(tmp_path / "a.gif", Reading(MaskEncoding(TABLE)))


def test_an_image_has_the_colours_of_its_palette(tmp_path):
    with_palette(mask()).save(tmp_path / "a.gif")
    assert np.array_equal(read_image(tmp_path / "a.gif"), COLOURS[mask()])
    grey = random_image()[..., 0]
    assert np.array_equal(read_image(save(tmp_path / "g.gif", grey)), np.dstack([grey] * 3))


def test_what_stands_behind_the_end_does_not_matter(tmp_path):
    path = tmp_path / "a.gif"
    with_palette(mask()).save(path, comment="a comment")
    path.write_bytes(path.read_bytes() + b"\0more")
    assert np.array_equal(read_mask(path), mask())


def test_a_gif_that_is_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "a.gif"
    with_palette(mask()).save(path, comment="a comment")
    data = path.read_bytes()
    for end in range(len(data)):
        path.write_bytes(data[:end])
        for read in (read_size, read_mask):
            with pytest.raises(DataError, match=r"a\.gif: cannot be decoded: "):
                read(path)
