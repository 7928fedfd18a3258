"""What is measured of one image for an inspection, in one reading of its file."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.image_facts import digest_of
from aerialseg.data.checks.camera_data import CameraData, camera_data
from aerialseg.data.checks.local_features import LocalFeatures, local_features, reduced
from aerialseg.data.images.formats import format_at
from aerialseg.data.images.reading import read_header, read_orientation
from aerialseg.data.images.reading_settings import RGB, Reading
from aerialseg.data.images.views import (
    has_open_range,
    stored_values,
    viewed,
    with_own_range,
)

_COMMON_EDGE = 1024
"""The longer edge in pixels at which sharpness is compared: a camera's full size differs, and its
finest details are noise."""


@dataclass(frozen=True, eq=False)
class ImageMeasurements:
    """One image.

    Attributes:
        digest: Of the file's bytes, as of :class:`~aerialseg.data.cache.image_facts.ImageFacts`.
        format: ``JPEG``, ``PNG``, ...
        channels: Of the file.
        size: Height and width in pixels, upright if orientations are applied.
        orientation: By EXIF, 1 to 8.
        camera: What the file says of its camera.
        brightness: Mean luma, 0 to 255; of bands whose range follows from percentiles the mean
            of the stored values.
        sharpness: Variance of the Laplacian at a common size: the less, the more blurred.
        features: What it is recognised by.
    """

    digest: str
    format: str
    channels: int
    size: tuple[int, int]
    orientation: int
    camera: CameraData
    brightness: float
    sharpness: float
    features: LocalFeatures


def measured_image(path: Path, reading: Reading) -> ImageMeasurements:
    """Reads and measures an image.

    Args:
        path: The file, of which every pixel is decoded, a large JPEG at a part of its size.
        reading: How.

    Raises:
        DataError: As :func:`~aerialseg.data.images.reading.read_image`.
    """
    size, kind = read_header(path, reading)
    grey, brightness = _grey(path, size, reading)
    common = reduced(grey, _COMMON_EDGE)
    laplacian = cv2.Laplacian(common, cv2.CV_32F)
    camera = camera_data(path)
    return ImageMeasurements(
        digest=digest_of(path).hex(),
        format=format_at(path),
        channels=kind.bands if reading.bands is not None else camera.channels or RGB,
        size=size,
        orientation=read_orientation(path, reading),
        camera=camera,
        brightness=brightness,
        sharpness=float(np.var(laplacian)),
        features=local_features(common),
    )


def _grey(
    path: Path, size: tuple[int, int], reading: Reading
) -> tuple[npt.NDArray[np.uint8], float]:
    """``(h, w)`` uint8 luma, of a large JPEG at a part of its size, and the brightness."""
    if not has_open_range(reading):
        grey = _luma(viewed(path, size, reading, longest=_COMMON_EDGE))
        return grey, float(grey.mean())
    values, known = stored_values(path, reading)
    brightness = float(known[:, :RGB].mean()) if len(known) else 0.0
    return _luma(with_own_range(values, known)), brightness


def _luma(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """``(H, W)`` uint8 from ``(H, W, B)``: of red, green and blue, or of the first band."""
    if image.shape[2] < RGB:
        return np.ascontiguousarray(image[..., 0])
    colours = np.ascontiguousarray(image[..., :RGB])
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
