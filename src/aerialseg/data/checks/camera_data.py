"""What an image file says of its camera: make, model, and where the image was taken."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsFloat, cast

from PIL import Image

_MAKE, _MODEL, _GPS = 271, 272, 34853  # numbers of EXIF tags
_LATITUDE, _LONGITUDE = (1, 2), (3, 4)  # hemisphere, and degrees, minutes and seconds
_HEIGHT = re.compile(rb"RelativeAltitude\s*(?:=\s*[\"']|>)\s*([+-]?[0-9.]+)")
"""How drones of several makers write the height above the take-off into XMP data."""


@dataclass(frozen=True)
class Position:
    """Where an image was taken.

    Attributes:
        latitude: Degrees north.
        longitude: Degrees east.
        height: Metres above the take-off; None if the file does not say. EXIF's altitude is above
            the sea, which does not tell how much of the ground an image shows.
    """

    latitude: float
    longitude: float
    height: float | None


@dataclass(frozen=True)
class CameraData:
    """What is known of the camera.

    Attributes:
        camera: Make and model; empty if the file does not say.
        position: None if the file does not say.
        channels: Of the file, alpha included; None if Pillow does not read it.
    """

    camera: str
    position: Position | None
    channels: int | None


UNKNOWN = CameraData("", None, None)


def camera_data(path: Path) -> CameraData:
    """Make, model and position by EXIF and XMP data; damaged data count as none."""
    try:
        with Image.open(path) as image:
            exif = Image.Image.getexif(image)
            names = [_text(exif.get(tag)) for tag in (_MAKE, _MODEL)]
            # Models often begin with the maker's name.
            if names[1].startswith(names[0]):
                names = names[1:]
            position = _position(exif.get_ifd(_GPS), image.info.get("xmp"))
            return CameraData(" ".join(filter(None, names)), position, len(image.getbands()))
    except Exception:  # Pillow raises many types for damaged data; the pixels may be whole
        return UNKNOWN


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _position(gps: dict[int, Any], xmp: object) -> Position | None:
    """The position of the GPS data; None if they are not whole or say nothing."""
    try:
        latitude, longitude = (
            _degrees(gps[hemisphere], gps[angle]) for hemisphere, angle in (_LATITUDE, _LONGITUDE)
        )
    except (KeyError, ValueError, TypeError, ZeroDivisionError):
        return None
    # Cameras without a fix write zeros.
    is_fix = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
    return Position(latitude, longitude, _height(xmp)) if is_fix else None


def _degrees(hemisphere: object, angle: object) -> float:
    """Degrees north or east; ValueError, TypeError or ZeroDivisionError if they are none."""
    degrees, minutes, seconds = (
        float(cast("SupportsFloat", part)) for part in cast("tuple[object, ...]", angle)
    )
    sign = -1 if str(hemisphere).upper() in ("S", "W") else 1
    value = sign * (degrees + minutes / 60 + seconds / 3600)
    if value != value:
        raise ValueError("not a number")
    return value


def _height(xmp: object) -> float | None:
    found = _HEIGHT.search(xmp) if isinstance(xmp, bytes) else None
    try:
        return None if found is None else float(found[1])
    except ValueError:
        return None
