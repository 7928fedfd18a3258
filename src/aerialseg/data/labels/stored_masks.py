"""Mask files as they are stored: read, cut, painted over and written again without a loss."""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.decoding import load, opened
from aerialseg.data.images.headers import stored_as
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.masks import (
    check_mask_header,
    check_palette,
    colours_from_pixels,
    ids_from_colours,
    ids_from_values,
    values_from_pixels,
)
from aerialseg.data.images.orientation import UPRIGHT, orientation_of
from aerialseg.data.images.raster import check_unmasked
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.windows import Box
from aerialseg.errors import DataError

_WRITTEN = ("PNG", "TIFF", "BMP")
_GEOGRAPHIC = (33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113)
"""Tags of a TIFF that say where on earth it lies, and what GDAL keeps beside its pixels."""


@dataclass(frozen=True, eq=False)
class StoredMask:
    """The pixels of a mask file.

    Attributes:
        pixels: ``(H, W)`` integers, the values of an index mask, or ``(H, W, 3)`` uint8 RGB.
        ids: ``(H, W)`` uint8: the class of each pixel by the mask's own table; 255 is ignored.
        kind: Pillow's name of the file format.
        palette: RGB of the values, one after the other, if the file has a palette.
        tags: What a TIFF says about its place.
    """

    pixels: npt.NDArray[Any]
    ids: npt.NDArray[np.uint8]
    kind: str
    palette: bytes | None = None
    tags: TiffImagePlugin.ImageFileDirectory_v2 | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.ids.shape[0], self.ids.shape[1]

    def cut(self, box: Box) -> "StoredMask":
        """A rectangle of it, to be written as PNG."""
        rows, columns = slice(box.top, box.top + box.height), slice(box.left, box.left + box.width)
        return replace(
            self,
            pixels=self.pixels[rows, columns],
            ids=self.ids[rows, columns],
            kind="PNG",
            tags=None,
        )

    def with_ids(self, ids: npt.NDArray[np.uint8], encoding: MaskEncoding) -> "StoredMask":
        """The same with other classes; pixels whose class stays keep what they hold.

        Args:
            ids: ``(H, W)`` uint8 class ids of the mask's own table; 255 is not painted.
            encoding: What stands for a class; of several values the first.
        """
        changed = (ids != self.ids) & (ids != IGNORE_INDEX)
        if encoding.is_painted:
            of_id = encoding.classes.palette
        else:
            of_id = np.zeros(256, dtype=self.pixels.dtype)
            for value, index in reversed(encoding.id_of_value.items()):
                of_id[index] = value
        pixels = self.pixels.copy()
        pixels[changed] = of_id[ids[changed]]
        return replace(self, pixels=pixels, ids=np.where(changed, ids, self.ids))

    def visible(self, encoding: MaskEncoding) -> "StoredMask":
        """With a palette of the classes' colours, so that an editor shows more than black."""
        if self.palette is not None or self.pixels.dtype != np.uint8 or encoding.is_painted:
            return self
        colours = np.full((256, 3), 255, dtype=np.uint8)
        for value, index in encoding.id_of_value.items():
            if value < 256:
                colours[value] = encoding.classes.palette[index]
        return replace(self, palette=colours.tobytes())


def read_stored_mask(path: Path, reading: Reading) -> StoredMask:
    """Reads a mask file as it is stored.

    Args:
        path: The file.
        reading: With an encoding; what classes become is left aside.

    Raises:
        DataError: As :func:`~aerialseg.data.images.reading.read_mask`; or if it has an EXIF
            orientation that is applied, so that its pixels stand elsewhere than in the image.
    """
    encoding = reading.given_encoding
    with opened(path, max_megapixels=reading.max_megapixels) as image:
        check_mask_header(image, path, encoding)
        stored, kind = stored_as(image), str(image.format)
        load(image, path)
        check_unmasked(path)
        turn = orientation_of(image, path) if reading.applies_orientation else UPRIGHT
        if turn != UPRIGHT:
            raise DataError(
                f"{path}: is a mask with the EXIF orientation {turn}, which would be lost; store "
                "it upright, and inspect again"
            )
        if encoding.is_painted:
            colours = colours_from_pixels(image, path)
            ids = ids_from_colours(colours, encoding, path=path)
            return StoredMask(colours, ids, kind, tags=_tags_of(image))
        values = values_from_pixels(image, stored, path)
        check_palette(image, values, encoding, path)
        ids = ids_from_values(values, encoding, path=path)
        palette = image.getpalette("RGB") if image.mode == "P" else None
        packed = None if palette is None else bytes(palette)
        return StoredMask(values, ids, kind, packed, _tags_of(image))


def encode_stored(mask: StoredMask, path: Path) -> bytes:
    """The bytes of a file of the mask's own format.

    Args:
        mask: The mask.
        path: The file that it was read from, for errors.

    Raises:
        DataError: If the format cannot hold it without a loss.
    """
    if mask.kind not in _WRITTEN:
        raise DataError(
            f"{path}: is a {mask.kind}, which is not written again without a loss; wanted "
            f"{', '.join(_WRITTEN)}; export the masks as PNG, and inspect again"
        )
    data = io.BytesIO()
    options: dict[str, Any] = {}
    if mask.kind == "TIFF":
        options = {"compression": "tiff_adobe_deflate", "tiffinfo": mask.tags}
    try:
        _as_image(mask).save(data, mask.kind, **options)
    except (OSError, ValueError, KeyError) as error:  # of a format without such pixels
        raise DataError(
            f"{path}: cannot be written again as {mask.kind}: {error}; export the masks as PNG, "
            "and inspect again"
        ) from error
    return data.getvalue()


def _as_image(mask: StoredMask) -> Image.Image:
    """What Pillow writes; ValueError for values of more than 16 bits."""
    pixels = mask.pixels
    if pixels.ndim == 2 and pixels.dtype != np.uint8:
        if pixels.min() < 0 or pixels.max() > np.iinfo(np.uint16).max:
            raise ValueError(f"its values reach from {pixels.min()} to {pixels.max()}")
        pixels = pixels.astype(np.uint16)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if mask.palette is not None:
        image.putpalette(mask.palette)
    return image


def _tags_of(image: Image.Image) -> TiffImagePlugin.ImageFileDirectory_v2 | None:
    """What a TIFF says about its place; None of other files."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for number in _GEOGRAPHIC:
        if number in image.tag_v2:
            tags[number] = image.tag_v2[number]
            tags.tagtype[number] = image.tag_v2.tagtype[number]
    return tags
