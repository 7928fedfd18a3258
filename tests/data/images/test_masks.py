"""Masks as people bring them, each with the ids that it must become, written out by hand."""

import numpy as np
import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading import read_mask
from aerialseg.data.images.reading_settings import Reading
from aerialseg.errors import DataError
from helpers.tiny_data import save

TABLE = ClassTable(("ground", "roof", "tree"), ((120, 100, 80), (200, 60, 40), (40, 90, 200)))
IDS = [[0, 1, 2, 0], [2, 2, 1, 255]]
WHITE_ROOFS = ClassTable(TABLE.names, ((120, 100, 80), (255, 255, 255), (40, 90, 200)))


def _read(path, pixels, encoding, **options):
    return read_mask(save(path, np.array(pixels), **options), Reading(encoding)).tolist()


def _line(path, encoding):
    with pytest.raises(DataError) as error:
        read_mask(path, Reading(encoding))
    (line,) = error.value.problems
    return line.removeprefix(f"{path}: ")


def _indexed(path, indices, palette):
    image = Image.fromarray(np.array(indices, dtype=np.uint8))
    image.putpalette([level for colour in palette for level in colour])
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("stored", "values", "ignored", "dtype"),
    [
        ([[0, 1, 2, 0], [2, 2, 1, 255]], None, None, np.uint8),
        ([[0, 1, 2, 0], [2, 2, 1, 9]], None, [9], np.uint8),
        (
            [[1, 2, 3, 1], [3, 3, 2, 0]],
            {1: "ground", 2: "roof", 3: "tree"},
            [0],
            np.uint8,
        ),
        (
            [[0, 128, 255, 0], [255, 255, 128, 7]],
            {0: "ground", 128: "roof", 255: "tree"},
            [7],
            np.uint8,
        ),
        (
            [[2, 6, 65, 9], [65, 17, 6, 255]],
            {2: "ground", 9: "ground", 6: "roof", 17: "tree", 65: "tree"},
            None,
            np.uint8,
        ),
        (
            [[1000, 2000, 65535, 1000], [65535, 65535, 2000, 255]],
            {1000: "ground", 2000: "roof", 65535: "tree"},
            None,
            np.uint16,
        ),
        ([[0, 1, 2, 0], [2, 2, 1, 255]], None, None, np.uint16),
    ],
)
def test_values_become_the_ids_of_their_classes(tmp_path, stored, values, ignored, dtype):
    encoding = MaskEncoding(TABLE, mask_values=values, ignore_values=ignored)
    assert _read(tmp_path / "m.png", np.array(stored, dtype), encoding) == IDS


def test_a_bit_is_0_or_1(tmp_path):
    encoding = MaskEncoding(TABLE)
    assert _read(tmp_path / "m.png", [[True, False, True]], encoding) == [[1, 0, 1]]
    other = MaskEncoding(TABLE, mask_values={0: "tree", 1: "ground"})
    assert _read(tmp_path / "m.png", [[True, False, True]], other) == [[0, 2, 0]]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            None,
            "id 7 (2 pixels, 33.3%), id 3 (1 pixel, 16.7%) are outside the class table, which has "
            "3 classes (ids 0 to 2, 255 is ignored); correct the table or the mask, or say which "
            "value is which class with data.mask_values",
        ),
        (
            {0: "ground", 7: "roof"},
            "value 3 (1 pixel, 16.7%) is not in data.mask_values; add it there with its class, or "
            "to data.ignore_values if it has none",
        ),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_value_of_no_class_is_named_with_its_share(tmp_path, values, line, dtype):
    path = save(tmp_path / "m.png", np.array([[7, 3, 0], [0, 7, 255]], dtype))
    assert _line(path, MaskEncoding(TABLE, mask_values=values)) == line


def test_a_deep_value_is_not_cut_to_8_bits(tmp_path):
    path = save(tmp_path / "m.png", np.array([[0, 256, 1]], np.uint16))
    assert _line(path, MaskEncoding(TABLE)).startswith("id 256 (1 pixel, 33.3%) is outside")


@pytest.mark.parametrize("channels", ["LA", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_equal_channels_hold_ids(tmp_path, channels, suffix):
    ids = np.array(IDS, np.uint8)
    layers = [ids] * len(channels.removesuffix("A")) + [np.full_like(ids, 255)] * ("A" in channels)
    path = tmp_path / f"m.{suffix}"
    assert _read(path, np.dstack(layers), MaskEncoding(TABLE)) == IDS


def test_equal_channels_in_a_lossless_webp_hold_ids_and_in_a_lossy_one_are_refused(tmp_path):
    pixels, encoding = np.dstack([np.array(IDS, np.uint8)] * 3), MaskEncoding(TABLE)
    assert _read(tmp_path / "m.webp", pixels, encoding, lossless=True) == IDS
    lossy = save(tmp_path / "l.webp", pixels, quality=100)
    assert _line(lossy, encoding).startswith("is a lossy WebP, which changes values")
    with_alpha = save(tmp_path / "a.webp", np.dstack([pixels, pixels[..., 0]]), quality=100)
    assert _line(with_alpha, encoding).startswith("is a lossy WebP, which changes values")


def test_channels_that_differ_are_colours(tmp_path):
    pixels = np.dstack([np.array(IDS, np.uint8)] * 3)
    pixels[1, 3, 2] = 254
    line = _line(save(tmp_path / "m.png", pixels), MaskEncoding(TABLE))
    assert line.startswith("is no single-channel mask (mode RGB) where class ids are expected")


def test_grey_colours_are_read_as_the_format_says(tmp_path):
    grey = ClassTable(("ground", "roof"), ((0, 0, 0), (1, 1, 1)))
    pixels = np.array([[1, 0, 1]], np.uint8)
    path = save(tmp_path / "m.png", np.dstack([pixels] * 3))
    for mask_format in ("index", "colour"):
        assert read_mask(path, Reading(MaskEncoding(grey, mask_format))).tolist() == [[1, 0, 1]]
    swapped = ClassTable(grey.names, grey.colours[::-1])
    for each in (path, save(tmp_path / "l.png", pixels)):
        assert read_mask(each, Reading(MaskEncoding(swapped, "index"))).tolist() == [[1, 0, 1]]
        assert read_mask(each, Reading(MaskEncoding(swapped, "colour"))).tolist() == [[0, 1, 0]]


def test_a_white_class_is_read_where_it_is_white(tmp_path):
    white, blue, brown = (255, 255, 255), (40, 90, 200), (120, 100, 80)
    path = save(tmp_path / "m.png", np.array([[white, blue, brown, white]], np.uint8))
    assert read_mask(path, Reading(MaskEncoding(WHITE_ROOFS, "colour"))).tolist() == [[1, 2, 0, 1]]
    assert read_mask(path, Reading(MaskEncoding(TABLE, "colour"))).tolist() == [[255, 2, 0, 255]]


def test_ignored_colours_are_given_and_other_unknown_ones_refused(tmp_path):
    pixels = np.array([[[0, 0, 0], [200, 60, 40], [255, 255, 255], [1, 2, 3]]], np.uint8)
    path = save(tmp_path / "m.png", pixels)
    both = MaskEncoding(TABLE, "colour", ignore_values=[[0, 0, 0], [1, 2, 3]])
    assert read_mask(path, Reading(both)).tolist() == [[255, 1, 255, 255]]
    line = _line(path, MaskEncoding(TABLE, "colour", ignore_values=[[0, 0, 0]]))
    assert line == (
        "#010203 (1 pixel, 25%) is no colour of the class table; correct the table or the mask, "
        "add what has no label to data.ignore_values as [red, green, blue], or set "
        "data.mask_format=index if it holds class ids"
    )


def test_half_transparent_colours_are_refused_and_an_even_alpha_is_dropped(tmp_path):
    colours = TABLE.palette[[[0, 1, 2]]]
    even = save(tmp_path / "e.png", np.dstack([colours, np.full((1, 3), 90, np.uint8)]))
    assert read_mask(even, Reading(MaskEncoding(TABLE, "colour"))).tolist() == [[0, 1, 2]]
    some = np.dstack([colours, np.array([[255, 0, 255]], np.uint8)])
    line = _line(save(tmp_path / "s.png", some), MaskEncoding(TABLE, "colour"))
    assert line == (
        "has transparent pixels (33%), of which only you know whether they have a class; export "
        "it without transparency"
    )


def test_a_transparent_palette_entry_is_a_value_but_no_colour(tmp_path):
    path = tmp_path / "m.png"
    with Image.open(_indexed(path, [[0, 1, 2]], TABLE.colours)) as image:
        image.load()
    image.save(path, transparency=0)
    assert read_mask(path, Reading(MaskEncoding(TABLE))).tolist() == [[0, 1, 2]]
    assert _line(path, MaskEncoding(TABLE, "colour")).startswith("has transparent pixels (33%)")


ROOFS_FIRST = [TABLE.colours[index] for index in (1, 0, 2)]


def test_a_palette_in_another_order_is_refused_and_read_by_colour(tmp_path):
    path = _indexed(tmp_path / "m.png", [[0, 1, 2, 1]], ROOFS_FIRST)
    assert _line(path, MaskEncoding(TABLE)) == (
        "by the colours of its palette 0 is 'roof', 1 is 'ground', 2 is 'tree', by the class "
        "table 0 is 'ground', 1 is 'roof', 2 is 'tree'; set data.mask_format=colour to go by the "
        "colours; if the values are right, say so with 'data.mask_values={0: ground, 1: roof, "
        "2: tree}'"
    )
    assert read_mask(path, Reading(MaskEncoding(TABLE, "colour"))).tolist() == [[1, 0, 2, 0]]
    said = MaskEncoding(TABLE, mask_values={0: "ground", 1: "roof", 2: "tree"})
    assert read_mask(path, Reading(said)).tolist() == [[0, 1, 2, 1]]


@pytest.mark.parametrize(
    ("indices", "palette", "refused"),
    [
        pytest.param([0, 1, 2], TABLE.colours, False, id="agrees"),
        pytest.param([0, 0], ROOFS_FIRST[:1], True, id="one class alone, all colours of the table"),
        pytest.param([1, 1], ROOFS_FIRST, True, id="one class used"),
        pytest.param([0, 1, 2], [(i, i, i) for i in range(256)], False, id="ramp of grey"),
        pytest.param([0, 1], [(0, 0, 0), (255, 255, 255)], False, id="black and white"),
        pytest.param([0, 1, 2], [(9, 9, 9), TABLE.colours[0], (8, 8, 8)], False, id="by chance"),
        pytest.param([1, 1], [(9, 9, 9), TABLE.colours[0], (8, 8, 8)], False, id="one by chance"),
        pytest.param([1, 2, 0], [(255, 255, 255), *TABLE.colours], True, id="white first"),
        pytest.param([0, 1, 255], [*TABLE.colours, *[(1, 1, 1)] * 253], False, id="ignored"),
    ],
)
def test_only_a_palette_of_the_tables_colours_can_contradict_it(
    tmp_path, indices, palette, refused
):
    path = _indexed(tmp_path / "m.png", [indices], palette)
    if refused:
        assert _line(path, MaskEncoding(TABLE)).startswith("by the colours of its palette ")
    else:
        assert read_mask(path, Reading(MaskEncoding(TABLE))).tolist() == [indices]


def test_a_palette_made_by_quantizing_is_refused_and_read_by_colour(tmp_path):
    ids = np.random.default_rng(0).integers(0, 3, (12, 16), dtype=np.uint8)
    path = tmp_path / "m.png"
    Image.fromarray(TABLE.palette[ids]).quantize(colors=3).save(path)
    assert np.array_equal(read_mask(path, Reading(MaskEncoding(TABLE, "colour"))), ids)
    with Image.open(path) as image:
        assert image.getpalette()[:3] != list(TABLE.colours[0])  # its order is the encoder's
    assert _line(path, MaskEncoding(TABLE)).startswith("by the colours of its palette ")


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_a_tiff_in_which_white_is_zero_is_refused(tmp_path, dtype):
    path = save(tmp_path / "m.tif", np.array([[0, 1]], dtype), tiffinfo={262: 0})
    assert _line(path, MaskEncoding(TABLE)).startswith("stores its values inverted")
