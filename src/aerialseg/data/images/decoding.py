"""Opening pictures: only known formats, only what is whole, and every fault as one line."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from aerialseg.data.images.headers import (
    MAX_MEGAPIXELS,
    START,
    check_header,
    format_of,
    undecodable,
)
from aerialseg.data.images.jpeg import CUT_SHORT, END_OF_IMAGE, LONGEST_SEGMENT, is_whole_jpeg
from aerialseg.data.images.png import END, check_png
from aerialseg.errors import DataError

Image.MAX_IMAGE_PIXELS = None  # ours is checked instead: it can be set, and says what to do
# What Pillow has doubts about is refused a moment later, or is not about pixels.
warnings.filterwarnings("ignore", module=r"PIL\.")

_TAIL = 4096


@contextmanager
def opened(path: str | Path, *, max_megapixels: float = MAX_MEGAPIXELS) -> Iterator[Image.Image]:
    """Opens a picture with PIL; what PIL raises, also while decoding, becomes one clear line.

    Raises:
        DataError: If there is no such file, if it is no picture of a known format, if its header
            promises what :func:`check_header` refuses, or if it is damaged.
    """
    try:
        with Path(path).open("rb") as file:
            kind = format_of(file.read(START), path)
            file.seek(0)
            with Image.open(file, formats=[kind]) as picture:
                check_header(picture, max_megapixels, path)
                yield picture
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except DataError:
        raise
    except Exception as error:  # over damaged files decoders raise nearly anything
        raise undecodable(path, _reason(error)) from None


def load(picture: Image.Image, path: str | Path) -> None:
    """Decodes what :func:`opened` has opened.

    Raises:
        DataError: If a PNG is damaged or has fewer rows than it says: Pillow says nothing then.
    """
    picture.load()
    if picture.format == "PNG":
        last = picture.crop((0, picture.height - 1, *picture.size))
        suspect = bool(picture.info.get("interlace")) or not np.asarray(last).any()
        check_png(Path(path).read_bytes(), path, rows=suspect)


def check_whole(path: str | Path) -> None:
    """Finds a JPEG or PNG that was cut short, as a rule from its last bytes alone.

    Raises:
        DataError: If the end is missing.
    """
    with Path(path).open("rb") as file:
        kind = format_of(file.read(START), path)
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if kind == "PNG" and END not in tail:
        raise undecodable(path, CUT_SHORT)
    # A short file's last bytes could be those of its thumbnail.
    long = size > LONGEST_SEGMENT + _TAIL and END_OF_IMAGE in tail
    if kind == "JPEG" and not long and not is_whole_jpeg(Path(path).read_bytes()):
        raise undecodable(path, CUT_SHORT)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "its header is damaged, or of a rare kind"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    text = error.strerror if isinstance(error, OSError) else None
    return " ".join((text or str(error)).split()) or type(error).__name__
