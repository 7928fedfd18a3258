"""Writing images and masks, whole or not at all."""

import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.errors import DataError
from aerialseg.storage.atomic_files import write_bytes

_JPEG_OPTIONS = {"quality": 95, "subsampling": 0}
_MASK_OPTIONS = {"compress_type": zlib.Z_RLE}  # several times faster, and no larger


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


def _write(path: Path, picture: Image.Image) -> None:
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in Image.SAVE:
        raise DataError(f"{path}: unknown kind of picture; end the name in .png or .jpg")
    write_bytes(path, _encode(picture, kind))


def _encode(picture: Image.Image, kind: str) -> bytes:
    if kind == "PNG" and picture.mode == "RGB":
        # OpenCV takes half of Pillow's time at its quickest, for files of the same size.
        bgr = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR)
        return bytes(cv2.imencode(".png", bgr)[1])
    buffer = BytesIO()
    options = {"JPEG": _JPEG_OPTIONS, "PNG": _MASK_OPTIONS}.get(kind, {})
    picture.save(buffer, format=kind, **options)
    return buffer.getvalue()
