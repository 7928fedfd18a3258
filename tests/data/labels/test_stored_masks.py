"""Mask files of every kind, cut and written again."""

import numpy as np
import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading import read_mask
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.windows import Box
from aerialseg.data.labels.stored_masks import encode_stored, read_stored_mask
from aerialseg.errors import DataError
from helpers.tiny_data import CLASSES, mask, save

TABLE = ClassTable.from_mapping(CLASSES)
IDS = np.where(mask(seed=3) == 2, 255, mask(seed=4))
VALUES = {0: "ground", 7: "car", 40: "car", 300: "tree"}
GREYS = [value for level in range(256) for value in (level, level, level)]


def reading(**options):
    return Reading(encoding=MaskEncoding(TABLE, **options))


def palette_image(colours):
    image = Image.fromarray(IDS)
    image.putpalette(colours)
    return image


PALETTE = TABLE.palette.ravel().tolist()
LOOKUP = np.full(256, 7, np.uint16)
LOOKUP[[0, 1, 2, 255]] = 0, 7, 300, 255
CASES = {
    "grey.png": (Image.fromarray(IDS), {}),
    "palette.png": (palette_image(PALETTE), {}),
    "greys.png": (palette_image(GREYS), {}),
    "equal_channels.png": (Image.fromarray(np.repeat(IDS[..., None], 3, 2)), {}),
    "colours.png": (Image.fromarray(TABLE.palette[IDS]), {"mask_format": "colour"}),
    "colours_in_a_palette.png": (palette_image(PALETTE), {"mask_format": "colour"}),
    "grey.tif": (Image.fromarray(IDS), {}),
    "colours.tif": (Image.fromarray(TABLE.palette[IDS]), {"mask_format": "colour"}),
    "grey.bmp": (Image.fromarray(IDS), {}),
    "deep.png": (Image.fromarray(LOOKUP[IDS]), {"mask_values": VALUES}),
    "deep.tif": (Image.fromarray(LOOKUP[IDS]), {"mask_values": VALUES}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mask_is_written_again_as_it_was(name, tmp_path):
    image, options = CASES[name]
    path, how = tmp_path / name, reading(**options)
    image.save(path)
    stored = read_stored_mask(path, how)
    assert np.array_equal(stored.ids, read_mask(path, how))
    again = tmp_path / f"again_{name}"
    again.write_bytes(encode_stored(stored, path))
    before, after = Image.open(path), Image.open(again)
    assert after.format == before.format
    assert np.array_equal(read_mask(again, how), IDS)
    if name not in ("equal_channels.png", "colours_in_a_palette.png"):
        assert after.mode == before.mode
        assert np.array_equal(np.asarray(after), np.asarray(before))
        if before.mode == "P":
            assert after.getpalette()[: 3 * 3] == before.getpalette()[: 3 * 3]


@pytest.mark.parametrize("name", CASES)
def test_other_classes_are_painted_and_the_rest_stays(name, tmp_path):
    image, options = CASES[name]
    path, how = tmp_path / name, reading(**options)
    image.save(path)
    stored = read_stored_mask(path, how).cut(Box(2, 3, 10, 12))
    wanted = stored.ids.copy()
    wanted[:5] = np.where(wanted[:5] == 1, 2, 1)
    asked = wanted.copy()
    asked[5:] = 255  # not painted
    crop = tmp_path / "crop.png"
    crop.write_bytes(encode_stored(stored.with_ids(asked, how.encoding), crop))
    assert np.array_equal(read_mask(crop, how), wanted)


def test_grey_ids_get_the_colours_of_their_classes_to_be_edited_in(tmp_path):
    path = save(tmp_path / "a.png", IDS)
    crop = tmp_path / "crop.png"
    visible = read_stored_mask(path, reading()).cut(Box(0, 0, 24, 32)).visible(reading().encoding)
    crop.write_bytes(encode_stored(visible, crop))
    assert np.array_equal(np.asarray(Image.open(crop)), IDS)
    assert np.array_equal(np.asarray(Image.open(crop).convert("RGB")), TABLE.palette[IDS])
    assert np.array_equal(read_mask(crop, reading()), IDS)


def test_the_place_of_a_map_is_kept(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    path, again = tmp_path / "map.tif", tmp_path / "again.tif"
    place = rasterio.Affine(0.5, 0, 4000, 0, -0.5, 7000)
    profile = {"driver": "GTiff", "height": 24, "width": 32, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile, crs="EPSG:32640", transform=place) as file:
        file.write(IDS, 1)
    again.write_bytes(encode_stored(read_stored_mask(path, reading()), path))
    with rasterio.open(again) as file:
        assert (file.crs.to_epsg(), file.transform) == (32640, place)
        assert np.array_equal(file.read(1), IDS)


def test_what_cannot_be_written_again_is_said(tmp_path):
    gif = save(tmp_path / "a.gif", TABLE.palette[IDS])
    how = reading(mask_format="colour")
    with pytest.raises(DataError, match=r"a\.gif: is a GIF, which is not written again without"):
        encode_stored(read_stored_mask(gif, how), gif)
    exif = Image.Exif()
    exif[274] = 6
    turned = save(tmp_path / "turned.png", IDS, exif=exif)
    how = Reading(encoding=MaskEncoding(TABLE), exif_orientation="apply")
    with pytest.raises(DataError, match=r"turned\.png: is a mask with the EXIF orientation 6"):
        read_stored_mask(turned, how)
