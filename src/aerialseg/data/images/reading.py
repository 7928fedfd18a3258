"""Reading images and masks.

Images are ``(H, W, 3)`` uint8 RGB, masks ``(H, W)`` uint8 class ids with 255 for ignored
pixels. A camera's EXIF orientation is ignored everywhere: a mask has none, and the two must
agree pixel by pixel.
"""

from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.data.images.decoding import load, opened
from aerialseg.data.images.headers import MAX_MEGAPIXELS, START, check_colours, format_of, stored_as
from aerialseg.data.images.jpeg import check_jpeg, decode_jpeg
from aerialseg.data.images.masks import ids_from_colours
from aerialseg.data.images.resizing import resize_keep_aspect, resized
from aerialseg.errors import DataError

MaskFormat: TypeAlias = Literal["index", "colour"]
"""What the pixels of a mask file are: class ids, or colours of the class table."""
_GREY_LEVELS = {"L;2": np.uint8(85), "L;4": np.uint8(17)}
"""What Pillow multiplies few bits of grey with, so that the last level is white."""


def read_image(
    path: str | Path, *, max_megapixels: float = MAX_MEGAPIXELS
) -> npt.NDArray[np.uint8]:
    """Reads a picture as ``(H, W, 3)`` uint8 RGB; grey becomes RGB, transparency is dropped.

    Args:
        path: A JPEG, PNG, WebP, BMP or TIFF, whatever its name ends in.
        max_megapixels: Most millions of pixels, asked of the header.

    Raises:
        DataError: If the file is missing, damaged, cut short, of another format or too large, or
            has more than 8 bits a channel, print colours, or several frames.
    """
    return read_resized(path, None, max_megapixels=max_megapixels)[0]


def read_resized(
    path: str | Path, image_min_size: int | None, *, max_megapixels: float = MAX_MEGAPIXELS
) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """Reads a picture as :func:`read_image` and :func:`resize_keep_aspect` do, but sooner.

    Where the size shrinks by an even number exactly, as 1280x720 does for 360 or 180, a JPEG is
    decoded at half its size, in a fifth to a third less time. What comes out differs from the
    picture decoded whole and then resized by 0.2 to 0.8 of 255 on average, which is less than
    JPEG itself has changed, and is as near to the truth to 0.1 (to 0.3 with 4:2:2 chroma). With
    any other factor it would differ by 1 to 5 and be blurred, so there the whole is decoded.

    Args:
        path: The picture's file.
        image_min_size: Pixels of the smaller edge; None keeps the size.
        max_megapixels: As in :func:`read_image`.

    Returns:
        ``(h, w, 3)`` uint8 RGB, and the height and width of the file's picture.

    Raises:
        DataError: As :func:`read_image` does.
    """
    data = _read_jpeg(path)
    if data is None:
        image = _decode_other(path, max_megapixels)
        size = (image.shape[0], image.shape[1])
    else:
        frame = check_jpeg(data, path, max_megapixels=max_megapixels)
        size = (frame.height, frame.width)
        image = decode_jpeg(data, path, half=_halves(size, image_min_size))
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
    with opened(path, max_megapixels=max_megapixels) as picture:
        _check_mask(picture, path, is_painted=colours is not None)
        stored = stored_as(picture)
        load(picture, path)
        if colours is None:
            return _read_ids(picture, stored, path)
        pixels = np.asarray(picture.convert("RGB"))
    return ids_from_colours(pixels, colours, path=path)


def read_size(path: str | Path, *, max_megapixels: float = MAX_MEGAPIXELS) -> tuple[int, int]:
    """Height and width of a picture in pixels, from the header alone.

    Raises:
        DataError: If the header already tells that :func:`read_image` would refuse the file.
    """
    with opened(path, max_megapixels=max_megapixels) as picture:
        check_colours(picture, path)
        return picture.height, picture.width


def _halves(size: tuple[int, int], image_min_size: int | None) -> bool:
    """Whether both edges shrink by an even whole number."""
    if image_min_size is None or min(size) < 2 * image_min_size:
        return False
    targets = resized(size, image_min_size)
    return all(edge % (2 * target) == 0 for edge, target in zip(size, targets, strict=True))


def _read_jpeg(path: str | Path) -> bytes | None:
    """The bytes of a JPEG; of any other known format None, which Pillow reads by itself."""
    try:
        with Path(path).open("rb") as file:
            start = file.read(START)
            return start + file.read() if format_of(start, path) == "JPEG" else None
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def _decode_other(path: str | Path, max_megapixels: float) -> npt.NDArray[np.uint8]:
    with opened(path, max_megapixels=max_megapixels) as picture:
        check_colours(picture, path)
        load(picture, path)
        # Pillow would copy a picture that is RGB already.
        return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _check_mask(picture: Image.Image, path: str | Path, *, is_painted: bool) -> None:
    """Makes sure, by its header, that a mask is of the kind that is expected."""
    one_channel = len(picture.getbands()) == 1
    # A JPEG with a preview is called MPO; a TIFF can be compressed as a JPEG is.
    if picture.format in ("JPEG", "MPO") or picture.info.get("compression") == "jpeg":
        raise DataError(f"{path}: is a JPEG, which changes values; masks need PNG; export it again")
    if is_painted:
        if one_channel and picture.mode != "P":
            raise DataError(
                f"{path}: is a single-channel mask (mode {picture.mode}) where colours are "
                "expected; set data.mask_format=index if it holds class ids"
            )
        check_colours(picture, path)
    elif picture.mode == "F":
        raise DataError(f"{path}: holds fractions (mode F); wanted class ids; write it in 8 bits")
    elif not one_channel:
        raise DataError(
            f"{path}: is no single-channel mask (mode {picture.mode}) where class ids are "
            "expected; set data.mask_format=colour if it is painted in the class table's colours"
        )


def _read_ids(picture: Image.Image, stored: str, path: str | Path) -> npt.NDArray[np.uint8]:
    if picture.mode in ("L", "P", "1"):
        # Not convert("L") and not OpenCV: both give a palette's colours, not its indices.
        ids = np.array(picture, dtype=np.uint8)
        return ids // _GREY_LEVELS[stored] if stored in _GREY_LEVELS else ids
    ids = np.asarray(picture)
    if ids.size and (ids.min() < 0 or ids.max() > 255):
        raise DataError(f"{path}: has ids from {ids.min()} to {ids.max()}; wanted 0 to 255")
    return ids.astype(np.uint8)
