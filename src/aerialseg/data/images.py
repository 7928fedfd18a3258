"""Pictures and masks: reading, resizing, writing.

Pictures are ``(H, W, 3)`` uint8 RGB, masks ``(H, W)`` uint8 class ids with 255 for ignored
pixels. A camera's EXIF orientation is ignored everywhere: a mask has none, and the two must
agree pixel by pixel.
"""

from io import BytesIO
from pathlib import Path
from typing import Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.data.decoding import (
    CUT_SHORT,
    is_jpeg,
    is_whole_jpeg,
    jpeg_size,
    opened,
    undecodable,
)
from aerialseg.data.masks import ids_from_colours
from aerialseg.errors import DataError
from aerialseg.files import write_bytes

MaskFormat: TypeAlias = Literal["index", "colour"]
"""What the pixels of a mask file are: class ids, or colours of the class table."""

_RGB_AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
_HALF = cv2.IMREAD_REDUCED_GRAYSCALE_2  # a bit that means half size; with the above it is not grey


def read_image(path: str | Path) -> npt.NDArray[np.uint8]:
    """Reads a picture as ``(H, W, 3)`` uint8 RGB; grey becomes RGB, transparency is dropped.

    Raises:
        DataError: If the file is missing, damaged, cut short, or has more than 8 bits a channel.
    """
    return read_resized(path, None)[0]


def read_resized(
    path: str | Path, image_min_size: int | None
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

    Returns:
        ``(h, w, 3)`` uint8 RGB, and the height and width of the file's picture.

    Raises:
        DataError: As :func:`read_image` does.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if not is_jpeg(data):
        image, scale = _decode_other(path), 1
    elif _halves(jpeg_size(data), image_min_size):
        image, scale = _decode_jpeg(data, path, _RGB_AS_STORED | _HALF), 2
    else:
        image, scale = _decode_jpeg(data, path, _RGB_AS_STORED), 1
    size = (image.shape[0] * scale, image.shape[1] * scale)
    return resize_keep_aspect(image, image_min_size), size


def read_mask(
    path: str | Path, *, colours: npt.NDArray[np.uint8] | None = None
) -> npt.NDArray[np.uint8]:
    """Reads a mask as ``(H, W)`` uint8 class ids.

    Args:
        path: A file with one channel of class ids (grey, or the indices of a palette).
        colours: ``(num_classes, 3)`` uint8 RGB if the file holds colours instead of ids; white
            becomes 255.

    Raises:
        DataError: If the file is missing, damaged or of the other kind, if an id is above 255,
            or if a colour is of no class.
    """
    with opened(path) as picture:
        if colours is None:
            return _read_ids(picture, path)
        if picture.mode not in ("RGB", "RGBA", "P"):
            raise DataError(
                f"{path}: is a single-channel mask (mode {picture.mode}) where colours are "
                "expected; set data.mask_format=index if it holds class ids"
            )
        pixels = np.asarray(picture.convert("RGB"))
    return ids_from_colours(pixels, colours, path=path)


def read_size(path: str | Path) -> tuple[int, int]:
    """Height and width in pixels, from the header alone.

    Raises:
        DataError: If the file is missing or its header is no picture's.
    """
    with opened(path) as picture:
        return picture.height, picture.width


def resized(size: tuple[int, int], image_min_size: int | None) -> tuple[int, int]:
    """Height and width that :func:`resize_keep_aspect` gives a picture of ``size``."""
    if image_min_size is None:
        return size
    shorter = min(size)
    height, width = ((2 * edge * image_min_size + shorter) // (2 * shorter) for edge in size)
    return height, width


def resize_keep_aspect(
    array: npt.NDArray[np.uint8], image_min_size: int | None, *, is_mask: bool = False
) -> npt.NDArray[np.uint8]:
    """Resizes so that the smaller edge has ``image_min_size`` pixels.

    The other edge is rounded. Pictures are averaged by area on the way down and bilinear on the
    way up. Masks take the nearest pixel, with the same pixel centres as the picture: OpenCV's
    plain nearest is off by up to half a pixel.

    Args:
        array: ``(H, W, 3)`` uint8 picture or ``(H, W)`` uint8 mask.
        image_min_size: Pixels of the smaller edge; None returns the array as it is.
        is_mask: Whether the array holds class ids, which must not be blended.
    """
    size = (array.shape[0], array.shape[1])
    target = resized(size, image_min_size)
    if target == size:
        return array
    interpolation = cv2.INTER_AREA if min(target) < min(size) else cv2.INTER_LINEAR
    if is_mask:
        interpolation = cv2.INTER_NEAREST_EXACT
    return cv2.resize(array, target[::-1], interpolation=interpolation).astype(np.uint8, copy=False)


def write_image(path: str | Path, image: npt.NDArray[np.uint8]) -> None:
    """Writes an ``(H, W, 3)`` uint8 RGB picture, whole or not at all.

    Raises:
        DataError: If the name does not end as a known picture format's does, or cannot be written.
    """
    _write(Path(path), Image.fromarray(image))


def write_mask(
    path: str | Path,
    mask: npt.NDArray[np.uint8],
    *,
    palette: npt.NDArray[np.uint8] | None = None,
) -> None:
    """Writes an ``(H, W)`` uint8 mask as a PNG of class ids, whole or not at all.

    Args:
        path: A name that ends in ``.png``, since the ids must survive.
        mask: Class ids.
        palette: ``(256, 3)`` uint8 RGB to show the ids in; they can still be read back.

    Raises:
        DataError: If the name does not end in ``.png``, or cannot be written.
    """
    if Path(path).suffix.lower() != ".png":
        raise DataError(f"{path}: masks are written as PNG, which keeps ids; end the name in .png")
    picture = Image.fromarray(mask)
    if palette is not None:
        picture.putpalette(palette.tobytes())
    _write(Path(path), picture)


def _halves(size: tuple[int, int], image_min_size: int | None) -> bool:
    """Whether both edges shrink by an even whole number."""
    if image_min_size is None or min(size) < 2 * image_min_size:
        return False
    targets = resized(size, image_min_size)
    return all(edge % (2 * target) == 0 for edge, target in zip(size, targets, strict=True))


def _decode_other(path: str | Path) -> npt.NDArray[np.uint8]:
    with opened(path) as picture:
        if picture.mode.startswith(("I", "F")):
            raise DataError(
                f"{path}: has more than 8 bits a channel (mode {picture.mode}); "
                "write it as 8-bit RGB"
            )
        # Pillow would copy a picture that is RGB already.
        return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _decode_jpeg(data: bytes, path: str | Path, flags: int) -> npt.NDArray[np.uint8]:
    if not is_whole_jpeg(data):
        raise undecodable(path, CUT_SHORT)
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error as error:
        raise undecodable(path, " ".join(str(error).split())) from None
    if image is None:
        raise undecodable(path, "the JPEG is damaged")
    return image.astype(np.uint8, copy=False)


def _read_ids(picture: Image.Image, path: str | Path) -> npt.NDArray[np.uint8]:
    if picture.mode in ("L", "P", "1"):
        # Not convert("L") and not OpenCV: both give a palette's colours, not its indices.
        return np.array(picture, dtype=np.uint8)
    if not picture.mode.startswith("I"):
        raise DataError(
            f"{path}: is no single-channel mask (mode {picture.mode}) where class ids are "
            "expected; set data.mask_format=colour if it is painted in the class table's colours"
        )
    ids = np.asarray(picture)
    if ids.size and (ids.min() < 0 or ids.max() > 255):
        raise DataError(f"{path}: has ids from {ids.min()} to {ids.max()}; wanted 0 to 255")
    return ids.astype(np.uint8)


def _write(path: Path, picture: Image.Image) -> None:
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in Image.SAVE:
        raise DataError(f"{path}: unknown kind of picture; end the name in .png or .jpg")
    buffer = BytesIO()
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    picture.save(buffer, format=kind, **options)
    write_bytes(path, buffer.getvalue())
