"""The EXIF orientation of an image file: how its stored pixels are turned to stand upright."""

from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

ExifOrientation: TypeAlias = Literal["apply", "ignore"]
"""Whether images and masks are turned upright by their tags, or taken as they are stored."""

UPRIGHT = 1
_TAG = 274
_QUARTER_TURNS = (5, 6, 7, 8)
_SIGNATURE_LENGTH = 8


def orientation_of(image: Image.Image, path: str | Path) -> int:
    """The orientation of an opened image by its EXIF or XMP data, 1 to 8.

    It is 1 without such data and where they are damaged, as for viewers.

    Args:
        image: What the file holds; its pixels need not be decoded.
        path: The file.
    """
    exif = image.info.get("exif")
    if image.format == "PNG" and exif is None:
        exif = _exif_of_png(path)
        if exif is not None:
            image.info["exif"] = exif
    try:
        # The method of PngImageFile would decode all pixels to find data that stand behind them.
        value = Image.Image.getexif(image).get(_TAG, UPRIGHT)
    except Exception:  # Pillow raises many types for damaged data; the pixels may be whole
        return UPRIGHT
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Height and width of an image of ``size`` once it is upright."""
    return size[::-1] if orientation in _QUARTER_TURNS else size


def upright(pixels: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """An ``(H, W)`` or ``(H, W, C)`` array as a viewer shows it.

    Args:
        pixels: As they are stored.
        orientation: 1 to 8, as EXIF counts: 2 and 4 are mirrored, 3 is upside down, 6 and 8 are
            a quarter turn away, 5 and 7 mirrored as well.
    """
    if orientation == UPRIGHT:
        return pixels
    if orientation in (5, 7):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (2, 4):
        pixels = pixels[:, ::-1]
    quarters = {3: 2, 4: 2, 6: 3, 7: 2, 8: 1}.get(orientation, 0)  # against the clock
    # A copy even of what counts as contiguous: edges of one pixel keep a negative stride else.
    return np.rot90(pixels, quarters).copy(order="C")


def _exif_of_png(path: str | Path) -> bytes | None:
    """The EXIF data of a PNG, which may also stand behind its pixels."""
    with Path(path).open("rb") as file:
        file.seek(_SIGNATURE_LENGTH)
        while len(head := file.read(8)) == 8:
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind == b"eXIf":
                return b"Exif\x00\x00" + file.read(length)
            file.seek(length + 4, 1)
    return None
