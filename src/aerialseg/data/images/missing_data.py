"""Pixels of an image that hold no data: transparent ones, and those of a value that says so."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.decoding import load, opened
from aerialseg.data.images.formats import format_at
from aerialseg.data.images.orientation import orientation_of, upright
from aerialseg.data.images.raster import (
    FORMATS,
    internal_mask,
    may_lack_data,
    read_values,
    tiff_nodata,
)
from aerialseg.data.images.reading import read_size
from aerialseg.data.images.reading_settings import Reading

_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")


def missing_data(path: str | Path, reading: Reading) -> npt.NDArray[np.bool_] | None:
    """Which pixels of an image hold no data.

    Those are pixels of alpha 0, of a value that stands for no data (``data.nodata``, or GDAL's tag
    in a TIFF) in every band that is used, outside the mask that a TIFF has inside, and with NaN or
    infinity in a band. A file in which there can be none, as most JPEGs, is not decoded.

    Args:
        path: The image file.
        reading: How it is read.

    Returns:
        ``(H, W)`` bool at the size of the file, upright if orientations are applied; None if all
        pixels hold data.

    Raises:
        DataError: If the file cannot be read.
    """
    kind = format_at(path)
    if kind == "JPEG" and reading.nodata is None:
        return None
    if reading.bands is not None and kind in FORMATS and not may_lack_data(path, reading):
        return None
    turn = 1
    if reading.bands is not None and kind in FORMATS:
        _, missing = read_values(path, reading)
    else:
        with opened(path, max_megapixels=reading.max_megapixels) as image:
            missing = _missing_of(image, path, reading)
        masked = internal_mask(path)
        if masked is not None:
            missing = masked if missing is None else missing | masked
    if missing is None or not missing.any():
        return None
    if reading.applies_orientation and kind != "TIFF":
        with opened(path, max_megapixels=reading.max_megapixels) as image:
            turn = orientation_of(image, path)
    return np.asarray(upright(missing.view(np.uint8), turn)).view(np.bool_)


def missing_bytes(path: Path, reading: Reading) -> npt.NDArray[np.uint8]:
    """As :func:`missing_data`, ``(H, W)`` uint8: 1 where there is no data, else 0."""
    missing = missing_data(path, reading)
    if missing is None:
        return np.zeros(read_size(path, reading), dtype=np.uint8)
    return missing.view(np.uint8)


def without_data(
    mask: npt.NDArray[np.uint8], missing: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.uint8]:
    """The mask with 255 where the image holds no data; as it is if the two differ in size."""
    if missing is None or missing.shape != mask.shape:
        return mask
    return np.where(missing, np.uint8(IGNORE_INDEX), mask)


def _missing_of(
    image: Image.Image, path: str | Path, reading: Reading
) -> npt.NDArray[np.bool_] | None:
    """Of an image that Pillow has opened; None if its header allows no such pixel."""
    has_alpha = image.mode in _WITH_ALPHA or "transparency" in image.info
    said = tiff_nodata(image)
    if not has_alpha and said is None and reading.nodata is None:
        return None
    load(image, path)
    missing = np.zeros((image.height, image.width), dtype=bool)
    if said is not None:  # of a palette its numbers, as GDAL means them
        pixels = np.asarray(image).reshape(image.height, image.width, -1)
        channels = 3 if pixels.shape[2] >= 3 else 1  # without alpha
        missing |= (pixels[..., :channels] == said).all(axis=-1)
    if reading.nodata is not None:  # of a palette its colours, which are what can be seen
        bands = [band - 1 for band in reading.bands or (1, 2, 3)]
        served = np.asarray(image.convert("RGB"))[..., bands]
        missing |= (served == reading.nodata).all(axis=-1)
    if has_alpha:
        missing |= np.asarray(image.convert("RGBA"))[..., 3] == 0
    return missing
