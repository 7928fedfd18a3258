"""What a picture's header says, asked before anything is decoded."""

import re
from pathlib import Path
from typing import Annotated, TypeAlias, cast

from annotated_types import Gt, Le
from PIL import Image, ImageFile, TiffImagePlugin

from aerialseg.errors import DataError

Megapixels: TypeAlias = Annotated[float, Gt(0), Le(1000)]
"""Millions of pixels; OpenCV decodes 2**30 pixels at most."""

MAX_MEGAPIXELS = 200.0
"""What a picture may have unless a config says otherwise; 600 MB once decoded."""

START = 64
"""Bytes at the start of a file that tell what it is."""

WANTED = "JPEG, PNG, WebP, BMP or TIFF"

_KNOWN = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF.{4}WEBP",
    "BMP": rb"BM",
    "TIFF": rb"II[*+]\x00|MM\x00[*+]",
}
# What else goes by the name of a picture, or came in the place of one.
_FOREIGN = {
    "GIF": rb"GIF8",
    "an icon": rb"\x00\x00[\x01\x02]\x00",
    "Photoshop data": rb"8BPS",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "PDF": rb"%PDF",
    "JPEG 2000": rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\x00\x00\x00\x0cJXL |\xff\x0a",
    "AVIF": rb".{4}ftypavi",
    "HEIC": rb".{4}ftyp(he|mif|msf)",
    "a portable pixmap": rb"P[1-7fF]\s",
    "a zip archive": rb"PK\x03\x04",
    "a Git LFS pointer": rb"version https://git-lfs",
    "a web page or SVG": rb"\s*<",
}
_ORIENTATION = 274  # numbers of TIFF tags
_SUBFILE_TYPE = 254
_TILE_SIZE = (322, 323)
_REDUCED_OR_MASK = 1 | 4


def format_of(start: bytes, path: str | Path) -> str:
    """Pillow's name of a file's format, from its first :data:`START` bytes.

    Only what this says is ever handed to a decoder, and only to the decoder of that format.

    Raises:
        DataError: If the file is empty, or of any other format.
    """
    for name, pattern in _KNOWN.items():
        if re.match(pattern, start, re.DOTALL):
            return name
    for name, pattern in _FOREIGN.items():
        if re.match(pattern, start, re.DOTALL):
            raise DataError(
                f"{path}: holds {name}; wanted {WANTED}; convert it, or get it again from its "
                "source"
            )
    if not start:
        raise undecodable(path, "the file is empty")
    raise undecodable(path, f"not a picture of any known format ({WANTED})")


def check_pixels(width: int, height: int, max_megapixels: float, path: str | Path) -> None:
    """Makes sure that a picture has pixels, and not too many.

    Raises:
        DataError: If not; a small file can promise more than any memory holds.
    """
    if width * height == 0:
        raise undecodable(path, "its header states no size")
    if width * height > max_megapixels * 1e6:
        raise DataError(
            f"{path}: has {width}x{height} pixels, {width * height / 1e6:.6g} million; wanted at "
            f"most {max_megapixels:.6g} million; cut it into tiles, or raise data.max_megapixels"
        )


def check_header(picture: Image.Image, max_megapixels: float, path: str | Path) -> None:
    """Makes sure that an opened picture can be decoded as it is meant.

    Raises:
        DataError: If it has too many pixels, moves, has several pages, or is a turned TIFF.
    """
    check_pixels(*picture.size, max_megapixels, path)
    if picture.format in ("PNG", "WEBP") and getattr(picture, "n_frames", 1) > 1:
        raise DataError(f"{path}: is animated; wanted a still picture; save one frame of it")
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        _check_tiff(picture, max_megapixels, path)


def check_colours(picture: Image.Image, path: str | Path) -> None:
    """Makes sure that a picture's pixels become 8-bit RGB without a guess.

    Raises:
        DataError: If it has more than 8 bits a channel, or colours meant for print.
    """
    stored = stored_as(picture)
    # 16 bits for all three channels of a bitmap are less, not more.
    if picture.mode[0] in "IF" or (";16" in stored and not stored.startswith("BGR")):
        raise DataError(
            f"{path}: has more than 8 bits a channel (mode {stored}); which of its values are "
            "dark and bright only you know, so write it as 8-bit RGB"
        )
    if picture.mode in ("CMYK", "LAB"):
        raise foreign_colours(picture.mode, path)


def stored_as(picture: Image.Image) -> str:
    """How the file keeps its pixels, in Pillow's words: ``RGB``, ``L;4``, ``RGB;16B``."""
    tiles = picture.tile if isinstance(picture, ImageFile.ImageFile) else []
    arguments = tiles[0].args if tiles else None
    stored = arguments[0] if isinstance(arguments, tuple) else arguments
    return stored if isinstance(stored, str) else picture.mode


def undecodable(path: str | Path, reason: str) -> DataError:
    """The error for a picture that cannot be decoded."""
    return DataError(
        f"{path}: cannot be decoded: {reason}; copy it again from its source, or take it out"
    )


def foreign_colours(name: str, path: str | Path) -> DataError:
    """The error for a picture whose colours are not those of a screen."""
    return DataError(
        f"{path}: has {name} colours, which become RGB by a colour profile only; write it as "
        "8-bit RGB"
    )


def _check_tiff(
    picture: TiffImagePlugin.TiffImageFile, max_megapixels: float, path: str | Path
) -> None:
    tile_width, tile_height = (cast("int", picture.tag_v2.get(tag, 1)) for tag in _TILE_SIZE)
    # A tile is decoded whole, however little of it the picture shows.
    check_pixels(tile_width, tile_height, max_megapixels, path)
    orientation = picture.tag_v2.get(_ORIENTATION, 1)
    if orientation != 1:
        # Pillow turns these, and these alone; a picture and its mask must agree as stored.
        raise DataError(
            f"{path}: is a TIFF with the orientation {orientation}; wanted 1; store it upright"
        )
    if picture.n_frames > 1:
        picture.seek(1)
        kind = cast("int", picture.tag_v2.get(_SUBFILE_TYPE, 0))
        picture.seek(0)
        if not kind & _REDUCED_OR_MASK:  # what maps carry along for a quick view
            raise DataError(
                f"{path}: has {picture.n_frames} pages; wanted one; save each as a file of its own"
            )
