"""Images as ``data:`` addresses, which pages show without a file beside them."""

import base64
import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.viz.theme import RGBImage

_JPEG_QUALITY = 72
_LEVELS = 16
_DARK, _LIGHT = np.array([38, 12, 81]), np.array([252, 253, 191])


def thumbnail_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Height and width of an image whose longer edge is made ``longest`` pixels at most."""
    factor = min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def photo_uri(image: RGBImage, size: tuple[int, int]) -> str:
    """An image as JPEG.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        size: Height and width that it is shrunken to, in pixels.
    """
    smaller = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    return _jpeg(np.asarray(smaller, dtype=np.uint8))


def mask_uri(mask: npt.NDArray[np.uint8], classes: ClassTable, size: tuple[int, int]) -> str:
    """A mask as PNG in the colours of its classes; ignored pixels are transparent.

    Args:
        mask: ``(H, W)`` uint8 class ids.
        classes: The table that names the colours.
        size: Height and width of what is shown, in pixels; each is the nearest one of the mask.
    """
    smaller = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    image = Image.fromarray(np.asarray(smaller, dtype=np.uint8), mode="P")
    image.putpalette(classes.palette.tobytes())
    return _png(image, transparency=IGNORE_INDEX)


def confidence_uri(confidence: npt.NDArray[np.uint8], size: tuple[int, int]) -> str:
    """Confidence as PNG of sixteen colours, dark where the network is unsure.

    Args:
        confidence: ``(H, W)`` uint8, 0 to 255.
        size: Height and width that it is shrunken to, in pixels.
    """
    smaller = cv2.resize(confidence, size[::-1], interpolation=cv2.INTER_AREA)
    levels = np.asarray(smaller, dtype=np.uint8) // (256 // _LEVELS)
    image = Image.fromarray(levels, mode="P")
    steps = np.linspace(0, 1, _LEVELS)[:, None]
    image.putpalette(((1 - steps) * _DARK + steps * _LIGHT).round().astype(np.uint8).tobytes())
    return _png(image, bits=4)


def _jpeg(image: RGBImage) -> str:
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return _uri("image/jpeg", data.tobytes())


def _png(image: Image.Image, **options: int) -> str:
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True, **options)
    return _uri("image/png", data.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
