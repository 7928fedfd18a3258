"""Reading images and masks.

Images are ``(H, W, 3)`` uint8 RGB, masks ``(H, W)`` uint8 class ids with 255 for ignored
pixels. A camera's EXIF orientation is ignored everywhere: a mask has none, and the two must
agree pixel by pixel.
"""

from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.decoding import load, opened
from aerialseg.data.images.formats import START, format_of
from aerialseg.data.images.headers import MAX_MEGAPIXELS, check_colours, stored_as
from aerialseg.data.images.jpeg import decode_jpeg, jpeg_size
from aerialseg.data.images.masks import check_mask_header, ids_from_colours, ids_from_pixels
from aerialseg.data.images.resizing import resize_keep_aspect, resized
from aerialseg.errors import DataError

MaskFormat: TypeAlias = Literal["index", "colour"]
"""What the pixels of a mask file are: class ids, or colours of the class table."""

_Decoded: TypeAlias = tuple[npt.NDArray[np.uint8], tuple[int, int]]


def read_image(
    path: str | Path, *, max_megapixels: float = MAX_MEGAPIXELS
) -> npt.NDArray[np.uint8]:
    """Reads an image as ``(H, W, 3)`` uint8 RGB; grey becomes RGB, transparency is dropped.

    Args:
        path: A JPEG, PNG, WebP, BMP or TIFF, whatever its name ends in.
        max_megapixels: Largest size in millions of pixels, checked against the header.

    Raises:
        DataError: If the file is missing, damaged, cut short, of another format or too large, or
            has more than 8 bits a channel, print colours, or several frames.
    """
    return read_resized(path, None, max_megapixels=max_megapixels)[0]


def read_resized(
    path: str | Path, image_min_size: int | None, *, max_megapixels: float = MAX_MEGAPIXELS
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
        max_megapixels: As in :func:`read_image`.

    Returns:
        ``(h, w, 3)`` uint8 RGB, and the height and width of the image in the file.

    Raises:
        DataError: As :func:`read_image` does.
    """
    jpeg = _read_jpeg(path, image_min_size, max_megapixels)
    image, size = jpeg or _read_other(path, max_megapixels)
    return resize_keep_aspect(image, image_min_size), size


def read_mask(
    path: str | Path,
    *,
    colours: npt.NDArray[np.uint8] | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> npt.NDArray[np.uint8]:
    """Reads a mask as ``(H, W)`` uint8 class ids.

    Args:
        path: A file with one channel of class ids (grey, or the indices of a palette).
        colours: ``(num_classes, 3)`` uint8 RGB if the file holds colours instead of ids; white
            becomes 255.
        max_megapixels: As in :func:`read_image`.

    Raises:
        DataError: If the file is missing, damaged or of the other kind, if an id is above 255,
            or if a colour is of no class; if it is a JPEG, which keeps neither.
    """
    with opened(path, max_megapixels=max_megapixels) as image:
        check_mask_header(image, path, is_painted=colours is not None)
        stored = stored_as(image)
        load(image, path)
        if colours is None:
            return ids_from_pixels(image, stored, path)
        pixels = np.asarray(image.convert("RGB"))
    return ids_from_colours(pixels, colours, path=path)


def read_size(path: str | Path, *, max_megapixels: float = MAX_MEGAPIXELS) -> tuple[int, int]:
    """Height and width of an image in pixels, from the header alone.

    Raises:
        DataError: If the header already tells that :func:`read_image` would refuse the file.
    """
    with opened(path, max_megapixels=max_megapixels) as image:
        check_colours(image, path)
        return image.height, image.width


def _read_jpeg(
    path: str | Path, image_min_size: int | None, max_megapixels: float
) -> _Decoded | None:
    """A JPEG at full or half size, and its full size; None if Pillow has to decode the file."""
    try:
        with Path(path).open("rb") as file:
            start = file.read(START)
            if format_of(start, path) != "JPEG":
                return None
            data = start + file.read()
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    size = jpeg_size(data, path, max_megapixels=max_megapixels)
    if size is None:
        return None
    image = decode_jpeg(data, path, at_least=_half(size, image_min_size))
    return None if image is None else (image, size)


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
    with opened(path, max_megapixels=max_megapixels) as image:
        check_colours(image, path)
        load(image, path)
        # convert() would copy an image that is RGB already.
        pixels = np.array(image if image.mode == "RGB" else image.convert("RGB"))
    return pixels, (pixels.shape[0], pixels.shape[1])
