"""Opening and decoding with Pillow; every fault of a file becomes one line."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from aerialseg.data.images.formats import CUT_SHORT, START, format_of, undecodable
from aerialseg.data.images.headers import MAX_MEGAPIXELS, check_header
from aerialseg.data.images.jpeg import END_OF_IMAGE, check_end
from aerialseg.data.images.png import has_all_rows
from aerialseg.data.images.tiff_kinds import unread_tiff
from aerialseg.errors import DataError

Image.MAX_IMAGE_PIXELS = None  # max_megapixels is checked instead, which a config can set
# Pillow warns of faults that are refused a moment later, and of metadata that nobody reads.
warnings.filterwarnings("ignore", module=r"PIL\.")

_TAIL = 4096
_LONGEST_JPEG_SEGMENT = 2**16 + 1


@contextmanager
def opened(path: str | Path, *, max_megapixels: float = MAX_MEGAPIXELS) -> Iterator[Image.Image]:
    """Opens an image with Pillow; whatever Pillow raises inside the block becomes one line.

    Raises:
        DataError: If the file is missing, damaged, not in a known format or a TIFF of a kind that
            is not read, or if :func:`check_header` refuses it.
    """
    kind = ""
    try:
        with Path(path).open("rb") as file:
            kind = format_of(file.read(START), path)
            file.seek(0)
            with Image.open(file, formats=[kind]) as image:
                check_header(image, max_megapixels, path)
                yield image
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except DataError:
        raise
    except Exception as error:  # on damaged files decoders raise nearly anything
        was_opened = not isinstance(error, UnidentifiedImageError)
        unread = unread_tiff(path, was_opened=was_opened) if kind == "TIFF" else None
        raise unread or undecodable(path, _reason(error)) from None


def load(image: Image.Image, path: str | Path) -> None:
    """Decodes what :func:`opened` has opened, inside its block.

    Raises:
        DataError: If a PNG has a wrong checksum, no end, or too few rows: Pillow's decoder accepts
            all three.
    """
    image.load()
    if image.format != "PNG":
        return
    with Image.open(path, formats=["PNG"]) as unread:
        unread.verify()
    last_row = image.crop((0, image.height - 1, *image.size))
    # Missing rows are zeros; counting rows takes as long as decoding, so only then.
    suspect = bool(image.info.get("interlace")) or not np.asarray(last_row).any()
    if suspect and not has_all_rows(Path(path).read_bytes()):
        raise undecodable(path, "the file has fewer rows than its header says")


def check_whole(path: str | Path) -> None:
    """Finds a JPEG or PNG that was cut short, where possible from its last bytes alone.

    Raises:
        DataError: If the end is missing; if a JPEG that must be decoded for this is damaged.
    """
    with Path(path).open("rb") as file:
        kind = format_of(file.read(START), path)
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if kind == "PNG" and b"IEND" not in tail:
        raise undecodable(path, CUT_SHORT)
    # In a short file the last bytes could be those of an EXIF thumbnail.
    long = size > _LONGEST_JPEG_SEGMENT + _TAIL
    if kind == "JPEG" and not (long and END_OF_IMAGE in tail):
        check_end(Path(path).read_bytes(), path)


def _reason(error: Exception) -> str:
    """Why Pillow could not decode a file, in one line."""
    if isinstance(error, UnidentifiedImageError):
        return "its header is damaged, or of a rare kind"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    text = error.strerror if isinstance(error, OSError) else None
    reason = " ".join((text or str(error)).split()) or type(error).__name__
    return CUT_SHORT if reason == "truncated PNG file" else reason
