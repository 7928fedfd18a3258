import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.decoding import check_whole
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading import read_image, read_mask, read_size
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.writing import write_mask
from aerialseg.errors import DataError
from helpers.tiny_data import mask, random_image, save, save_with_thumbnail

COLOURS = np.array([[10, 20, 30], [200, 0, 0], [0, 200, 0]], dtype=np.uint8)
CLASSES = ClassTable(("ground", "car", "tree"), ((10, 20, 30), (200, 0, 0), (0, 200, 0)))
PAINTED = MaskEncoding(CLASSES, "colour")


def test_a_jpeg_is_read_as_rgb(tmp_path):
    image = random_image((40, 60))
    read = read_image(save(tmp_path / "a.jpg", image, quality=95, subsampling=0))
    assert read.shape == (40, 60, 3)
    assert np.abs(read.astype(int) - image).mean() < 3  # swapped channels are off by about 80


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
def test_other_formats_are_read_exactly(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    save(path, random_image(), **({"lossless": True} if suffix == "webp" else {}))
    assert np.array_equal(read_image(path), random_image())


def test_grey_becomes_rgb_and_transparency_goes(tmp_path):
    grey = random_image()[..., 0]
    assert np.array_equal(read_image(save(tmp_path / "g.png", grey)), np.dstack([grey] * 3))
    clear = np.dstack([random_image(), grey])
    assert np.array_equal(read_image(save(tmp_path / "c.png", clear)), random_image())


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of a transparency that is dropped
def test_palettes_and_bits_become_the_colours_they_stand_for(tmp_path):
    indices = mask()
    palette = Image.fromarray(indices)
    palette.putpalette(COLOURS.tobytes())
    palette.save(tmp_path / "p.png", transparency=1)
    assert np.array_equal(read_image(tmp_path / "p.png"), COLOURS[indices])
    palette.save(tmp_path / "q.png", transparency=b"\0\x80\xff")
    assert np.array_equal(read_image(tmp_path / "q.png"), COLOURS[indices])
    bits = save(tmp_path / "b.png", indices > 0)
    assert np.array_equal(read_image(bits), np.dstack([(indices > 0) * np.uint8(255)] * 3))
    grey = save(tmp_path / "ga.png", np.dstack([indices * 100, indices]))
    assert np.array_equal(read_image(grey), np.dstack([indices * 100] * 3))


def test_the_name_does_not_decide_the_format(tmp_path):
    (tmp_path / "a.jpg").write_bytes(save(tmp_path / "a.png", random_image()).read_bytes())
    assert np.array_equal(read_image(tmp_path / "a.jpg"), random_image())


def test_a_jpeg_with_a_preview_behind_it_is_one_image(tmp_path):
    first, second = Image.fromarray(random_image()), Image.fromarray(random_image(seed=1))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - random_image()).mean() < 5
    assert read_size(tmp_path / "a.jpg") == (24, 32)


def test_a_map_may_carry_a_smaller_one(tmp_path):
    small = Image.fromarray(random_image((12, 16)))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    path = tmp_path / "a.tif"
    Image.fromarray(random_image()).save(path, save_all=True, append_images=[small])
    with Image.open(path) as stored:
        assert stored.n_frames == 2
    assert np.array_equal(read_image(path), random_image())


@pytest.mark.parametrize("grey", [128, 127])
def test_an_image_may_end_in_the_grey_that_decoders_paint(tmp_path, grey):
    image = random_image((64, 64))
    image[32:] = grey
    path = save(tmp_path / "a.jpg", image, quality=95, subsampling=0)
    assert (read_image(path)[-1, -1] == grey).all()


def test_a_jpeg_that_ends_early_is_cut_short_end_marker_or_not(tmp_path):
    path = save(tmp_path / "a.jpg", random_image((64, 64)), quality=95)
    data = path.read_bytes()
    start = data.index(b"\xff\xda")
    for share in (0.1, 0.5, 0.9):
        end = start + int(share * (len(data) - start))
        path.write_bytes(data[:end].removesuffix(b"\xff") + b"\xff\xd9")
        with pytest.raises(DataError, match="cut short"):
            read_image(path)


@pytest.mark.parametrize(
    ("read", "suffix"), [(read_image, "jpg"), (read_image, "png"), (read_mask, "png")]
)
def test_the_most_pixels_can_be_chosen(tmp_path, read, suffix):
    path = save(tmp_path / f"a.{suffix}", random_image((100, 100))[..., 0])
    assert read(path, Reading(max_megapixels=0.01)).shape[:2] == (100, 100)
    with pytest.raises(
        DataError, match=r"has 100x100 pixels, 0\.01 million; wanted at most 0\.009 "
    ):
        read(path, Reading(max_megapixels=0.009))
    with pytest.raises(DataError, match=r"raise data\.max_megapixels"):
        read_size(path, Reading(max_megapixels=0.009))


def test_more_pixels_than_pillow_likes_are_read_in_silence(tmp_path, recwarn):
    path = save(tmp_path / "a.png", np.zeros((9500, 9500), dtype=bool))
    assert read_size(path) == (9500, 9500)
    assert not recwarn.list


def test_deep_images_are_refused_not_clipped(tmp_path):
    path = save(tmp_path / "deep.png", np.full((4, 4), 40_000, dtype=np.uint16))
    for read in (read_image, read_size):
        with pytest.raises(DataError, match=r"deep\.png: is no 8-bit RGB but holds 1 band of "):
            read(path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow also warns of what it then refuses
@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tif", "webp"])
def test_an_image_cut_short_is_never_half_an_image(tmp_path, suffix):
    path = save(tmp_path / f"a.{suffix}", random_image((16, 16)))
    data, whole = path.read_bytes(), read_image(path)
    refused = 0
    for end in range(len(data)):
        path.write_bytes(data[:end])
        try:
            read = read_image(path)
        except DataError:
            refused += 1
        else:  # a few last bytes may hold no pixel; then nothing is lost
            assert np.array_equal(read, whole)
    assert refused >= 0.7 * len(data)


def test_a_thumbnail_does_not_hide_that_the_image_is_cut_short(tmp_path):
    path = tmp_path / "a.jpg"
    data = save_with_thumbnail(path).read_bytes()
    assert read_image(path).shape == (64, 64, 3)
    check_whole(path)
    path.write_bytes(data[:-10])
    with pytest.raises(DataError, match="cut short"):
        read_image(path)
    with pytest.raises(DataError, match="cut short"):
        check_whole(path)


def test_what_cameras_append_after_the_image_is_no_damage(tmp_path):
    path = save(tmp_path / "a.jpg", random_image())
    path.write_bytes(path.read_bytes() + bytes(200_000))
    check_whole(path)
    assert read_image(path).shape == (24, 32, 3)


def test_a_large_jpeg_is_found_cut_short_from_its_end(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    path = save(tmp_path / "a.jpg", noise, quality=95)
    assert path.stat().st_size > 100_000
    check_whole(path)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(DataError, match="cut short"):
        check_whole(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no image", "not an image of any known format"), (b"", "the file is empty")],
)
def test_what_is_no_image_is_named(tmp_path, content, message):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    for read in (read_image, read_mask, read_size):
        with pytest.raises(DataError, match=rf"a\.jpg: cannot be decoded: .*{message}") as error:
            read(path)
        assert len(error.value.problems) == 1
        assert "\n" not in error.value.problems[0]


def test_a_missing_file_is_named(tmp_path):
    for read in (read_image, read_mask, read_size):
        with pytest.raises(DataError, match=r"gone\.png: no such file"):
            read(tmp_path / "gone.png")


def test_orientation_is_ignored_by_header_and_pixels_alike(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # turned by 90 degrees
    for suffix in ("jpg", "png"):
        path = save(tmp_path / f"a.{suffix}", random_image((24, 32)), exif=exif)
        assert read_size(path) == (24, 32)
        assert read_image(path).shape == (24, 32, 3)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_index_masks_keep_their_ids(tmp_path, mode):
    ids = mask()
    ids[0, 0] = 255
    write_mask(tmp_path / "m.png", ids, palette=None if mode == "L" else _palette())
    with Image.open(tmp_path / "m.png") as file:
        assert file.mode == mode
    assert np.array_equal(read_mask(tmp_path / "m.png"), ids)


@pytest.mark.parametrize(("bits", "row"), [(1, b"\x50"), (2, b"\x1b"), (4, b"\x0f\x1e")])
def test_few_bits_of_grey_are_ids_not_shades(tmp_path, bits, row):
    wanted = {1: [0, 1, 0, 1], 2: [0, 1, 2, 3], 4: [0, 15, 1, 14]}[bits]
    path = tmp_path / "m.png"
    path.write_bytes(_grey_png(bits, 4, row))
    assert read_mask(path).tolist() == [wanted]


def test_one_bit_and_sixteen_bit_masks_keep_their_ids(tmp_path):
    bits = mask() > 0
    assert np.array_equal(read_mask(save(tmp_path / "b.png", bits)), bits)
    deep = mask().astype(np.uint16)
    assert np.array_equal(read_mask(save(tmp_path / "d.png", deep)), deep)
    with pytest.raises(DataError, match=r"d\.png: has ids from 256 to 258; wanted 0 to 255"):
        read_mask(save(tmp_path / "d.png", deep + np.uint16(256)))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_colours_become_ids(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("m") / "m.png"
    wanted = np.array([ids], dtype=np.uint8)
    wanted[wanted == 3] = 255
    with_white = np.vstack([COLOURS, [[255, 255, 255]]]).astype(np.uint8)
    save(path, with_white[np.array([ids])])
    assert np.array_equal(read_mask(path, Reading(PAINTED)), wanted)


def test_a_colour_of_no_class_is_named_with_its_pixels(tmp_path):
    pixels = COLOURS[mask((4, 5))]
    pixels[0, :3] = (1, 2, 3)
    pixels[1, 0] = (255, 254, 255)
    path = save(tmp_path / "m.png", pixels)
    with pytest.raises(DataError) as error:
        read_mask(path, Reading(PAINTED))
    (line,) = error.value.problems
    assert line.startswith(
        f"{path}: #010203 (3 pixels, 15%), #fffeff (1 pixel, 5%) are no colour of"
    )


@pytest.mark.parametrize("encoding", [None, PAINTED])
def test_a_jpeg_is_no_mask_whatever_its_pixels(tmp_path, encoding):
    path = save(tmp_path / "m.jpg", np.zeros((8, 8), dtype=np.uint8))
    with pytest.raises(DataError, match=r"m\.jpg: is a JPEG, which changes values; masks need PNG"):
        read_mask(path, Reading(encoding))


def test_many_unknown_colours_still_make_one_short_line(tmp_path):
    noise = np.random.default_rng(0).integers(0, 250, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path / "m.png", noise)
    with pytest.raises(DataError, match=r"and \d+ more are no colour of the class") as error:
        read_mask(path, Reading(PAINTED))
    assert len(error.value.problems[0]) < 500 + len(str(path))


def test_the_wrong_kind_of_mask_says_which_setting_to_change(tmp_path):
    coloured = save(tmp_path / "c.png", COLOURS[mask()])
    with pytest.raises(DataError, match=r"c\.png: .*set data\.mask_format=colour"):
        read_mask(coloured)
    index = save(tmp_path / "i.png", mask())
    with pytest.raises(DataError, match=r"i\.png: .*set data\.mask_format=index"):
        read_mask(index, Reading(PAINTED))


def _grey_png(bits: int, width: int, row: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, 1, bits, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def _palette():
    palette = np.full((256, 3), 255, dtype=np.uint8)
    palette[:3] = COLOURS
    return palette
