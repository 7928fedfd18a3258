"""Reading images and masks.

Images are ``(H, W, 3)`` uint8 RGB, or ``(H, W, B)`` uint8 where bands are named. Masks are
``(H, W)`` uint8 class ids with 255 for ignored pixels. The EXIF orientation of either is applied
where that is asked for, else ignored: image and mask must agree pixel by pixel, and only the user
knows on which of the two a mask was drawn.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.data.images.band_settings import to_bytes
from aerialseg.data.images.decoding import load, opened
from aerialseg.data.images.formats import format_at
from aerialseg.data.images.headers import check_colours, is_deep, stored_as
from aerialseg.data.images.jpeg import read_jpeg
from aerialseg.data.images.masks import (
    check_mask_header,
    check_palette,
    colours_from_pixels,
    ids_from_colours,
    ids_from_values,
    values_from_pixels,
)
from aerialseg.data.images.orientation import UPRIGHT, orientation_of, turned_size, upright
from aerialseg.data.images.raster import (
    FORMATS,
    check_bands,
    check_is_rgb,
    check_unmasked,
    needs_bands,
    raster_size,
    read_values,
)
from aerialseg.data.images.reading_settings import AS_STORED, RGB, FileKind, Reading
from aerialseg.data.images.resizing import resize_keep_aspect, resized
from aerialseg.data.images.windows import Box, changed_since_listing
from aerialseg.errors import DataError

_Decoded: TypeAlias = tuple[npt.NDArray[np.uint8], tuple[int, int]]


def read_image(path: str | Path, reading: Reading = AS_STORED) -> npt.NDArray[np.uint8]:
    """Reads an image as ``(H, W, 3)`` uint8 RGB, or the bands that ``reading`` names.

    Grey becomes RGB. What is transparent keeps its colour: see
    :func:`~aerialseg.data.images.missing_data.missing_data`.

    Args:
        path: A JPEG, PNG, WebP, BMP or TIFF, whatever its name ends in.
        reading: How.

    Raises:
        DataError: If the file is missing, damaged, cut short, of another format or too large, or
            has print colours or several frames; if it has other bands or more than 8 bits a
            channel, and ``reading`` does not say which become what.
    """
    return read_resized(path, None, reading)[0]


def read_resized(
    path: str | Path, image_min_size: int | None, reading: Reading = AS_STORED
) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """Reads an image as :func:`read_image` and :func:`resize_keep_aspect` do, but faster.

    If both edges shrink by the same even factor, as 1280x720 does for 360 or 180, a JPEG is
    decoded at half its size, which takes less time. The result differs from the image decoded at
    full size and then resized by 0.2 to 0.8 of 255 on average, which is less than the loss of
    JPEG itself, and is as close to the original within 0.1 (0.3 with 4:2:2 chroma). With any other
    factor it would differ by 1 to 5 and be blurred, so then the JPEG is decoded at full size.

    Args:
        path: The image file.
        image_min_size: Pixels of the smaller edge; None keeps the size.
        reading: How.

    Returns:
        ``(h, w, 3)`` uint8 RGB or ``(h, w, B)`` uint8, and the height and width before resizing.

    Raises:
        DataError: As :func:`read_image` does.
    """
    if reading.bands is None:
        half = partial(_half, image_min_size=image_min_size)
        jpeg = read_jpeg(path, half, reading.max_megapixels)
        image, size = jpeg or _read_other(path, reading.max_megapixels)
    else:
        image = _bytes_of(read_stored(path, reading)[0], reading)
        size = image.shape[0], image.shape[1]
    turn = read_orientation(path, reading) if reading.applies_orientation else UPRIGHT
    return resize_keep_aspect(upright(image, turn), image_min_size), turned_size(size, turn)


def read_part(
    path: str | Path, box: Box, shrink: int, reading: Reading = AS_STORED
) -> npt.NDArray[np.uint8]:
    """Reads a rectangle of an image, where that is quicker at a part of its size.

    Args:
        path: The image file.
        box: In pixels of the image, upright if orientations are applied.
        shrink: 1, 2, 4 or 8, which divides all edges of the image and of ``box``. Only a JPEG is
            decoded that many times smaller.
        reading: How.

    Returns:
        ``(h, w, B)`` uint8 as of :func:`read_image`, with the height and width of ``box`` or
        ``shrink`` times less.

    Raises:
        DataError: As :func:`read_image` does, or if the box does not lie in the image.
    """
    if reading.bands is None:
        jpeg = read_jpeg(path, partial(_at_least, shrink=shrink), reading.max_megapixels)
        image, size = jpeg or _read_other(path, reading.max_megapixels)
    else:
        image = _bytes_of(read_stored(path, reading)[0], reading)
        size = image.shape[0], image.shape[1]
    times = shrink if image.shape[:2] != size else 1
    turn = read_orientation(path, reading) if reading.applies_orientation else UPRIGHT
    found = box.shrunk(times).of(upright(image, turn))
    if found.shape[:2] != box.shrunk(times).size:
        raise changed_since_listing(path, turned_size(size, turn))
    return found


def read_mask(path: str | Path, reading: Reading = AS_STORED) -> npt.NDArray[np.uint8]:
    """Reads a mask as ``(H, W)`` uint8 class ids; 255 is ignored.

    Args:
        path: A file with one channel of values (grey, or the indices of a palette), with several
            equal channels of them, or with colours.
        reading: How; without an encoding, values are left as they are. With a class map, the ids
            are those of the trained classes.

    Raises:
        DataError: If the file is missing, damaged or of the other kind, if a value or a colour
            stands for no class, if its palette contradicts the class table, or if its format
            changes values, as JPEG does.
    """
    encoding = reading.encoding
    with opened(path, max_megapixels=reading.max_megapixels) as image:
        check_mask_header(image, path, encoding)
        stored = stored_as(image)
        load(image, path)
        check_unmasked(path)
        if encoding is not None and encoding.is_painted:
            ids = ids_from_colours(colours_from_pixels(image, path), encoding, path=path)
        else:
            values = values_from_pixels(image, stored, path)
            if encoding is None:
                ids = _as_ids(values, path)
            else:
                check_palette(image, values, encoding, path)
                ids = ids_from_values(values, encoding, path=path)
        if reading.class_map is not None:
            ids = reading.class_map.applied(ids)
        return upright(ids, _turn_of(image, path, reading))


def read_size(path: str | Path, reading: Reading = AS_STORED) -> tuple[int, int]:
    """Height and width of an image in pixels, from the header alone.

    Raises:
        DataError: If the header already tells that :func:`read_image` would refuse the file.
    """
    return read_header(path, reading)[0]


def read_header(path: str | Path, reading: Reading = AS_STORED) -> tuple[tuple[int, int], FileKind]:
    """As :func:`read_size`, with the number and the type of the bands."""
    kind = format_at(path)
    if reading.bands is not None and kind in FORMATS:
        size, found = raster_size(path, reading)
        turn = read_orientation(path, reading) if reading.applies_orientation else UPRIGHT
        return turned_size(size, turn), found
    with _opened_rgb(path, kind, reading.max_megapixels) as image:
        size = turned_size((image.height, image.width), _turn_of(image, path, reading))
    found = FileKind(RGB, "uint8")
    check_bands(found, path, reading)
    return size, found


def read_stored(
    path: str | Path, reading: Reading
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """The values of the bands that ``reading`` names, as they are stored, not turned.

    Returns:
        ``(H, W, B)`` of the file's type, and where there is no data as :func:`read_values` says;
        None for files that are no TIFF or PNG.

    Raises:
        DataError: As :func:`read_image`.
    """
    if format_at(path) in FORMATS:
        return read_values(path, reading)
    whole = partial(_half, image_min_size=None)
    image, _ = read_jpeg(path, whole, reading.max_megapixels) or _read_other(
        path, reading.max_megapixels
    )
    check_bands(FileKind(RGB, "uint8"), path, reading)
    return image[..., [band - 1 for band in reading.bands or (1, 2, 3)]], None


def read_orientation(path: str | Path, reading: Reading = AS_STORED) -> int:
    """The EXIF orientation of an image, 1 to 8, applied or not; 1 if it has none.

    Raises:
        DataError: If its header cannot be read.
    """
    if reading.bands is not None and format_at(path) == "TIFF":
        return UPRIGHT  # others are refused, and Pillow may not open it
    with opened(path, max_megapixels=reading.max_megapixels) as image:
        return orientation_of(image, path)


@contextmanager
def _opened_rgb(path: str | Path, kind: str, max_megapixels: float) -> Iterator[Image.Image]:
    """An image of at most 8-bit RGB, opened by Pillow; DataError says what others need."""
    check_is_rgb(path, kind)
    with opened(path, max_megapixels=max_megapixels) as image:
        if is_deep(image):
            raise needs_bands(path)
        check_colours(image, path)
        yield image


def _bytes_of(values: npt.NDArray[Any], reading: Reading) -> npt.NDArray[np.uint8]:
    """The values of bands as the bytes that the network gets."""
    if reading.ranges is not None:
        return to_bytes(values, reading.ranges)
    if reading.percentiles is not None:
        raise ValueError("the values of the percentiles are not known yet")
    return np.ascontiguousarray(values, dtype=np.uint8)


def _turn_of(image: Image.Image, path: str | Path, reading: Reading) -> int:
    return orientation_of(image, path) if reading.applies_orientation else UPRIGHT


def _as_ids(values: npt.NDArray[np.integer], path: str | Path) -> npt.NDArray[np.uint8]:
    """Values that are ids already."""
    if values.size and (values.min() < 0 or values.max() > 255):
        raise DataError(f"{path}: has ids from {values.min()} to {values.max()}; wanted 0 to 255")
    return values.astype(np.uint8, copy=False)


def _at_least(size: tuple[int, int], shrink: int) -> tuple[int, int]:
    """The height and width that are enough where an image may be ``shrink`` times smaller."""
    return (0, 0) if shrink == 1 else (size[0] // shrink, size[1] // shrink)


def _half(size: tuple[int, int], image_min_size: int | None) -> tuple[int, int]:
    """Half of ``size`` if both edges shrink by the same even factor, else (0, 0)."""
    # Below 8 pixels libjpeg's scales of 3/8 and 1/2 round to the same size.
    if image_min_size is None or max(size) < 8:
        return 0, 0
    targets = resized(size, image_min_size)
    even = all(edge % (2 * target) == 0 for edge, target in zip(size, targets, strict=True))
    return (size[0] // 2, size[1] // 2) if even else (0, 0)


def _read_other(path: str | Path, max_megapixels: float) -> _Decoded:
    """An image that Pillow decodes, and its size."""
    with _opened_rgb(path, format_at(path), max_megapixels) as image:
        load(image, path)
        # convert() would copy an image that is RGB already.
        pixels = np.array(image if image.mode == "RGB" else image.convert("RGB"))
    return pixels, (pixels.shape[0], pixels.shape[1])
