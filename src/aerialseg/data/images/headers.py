"""Checks on an image's header, made before any pixel is decoded."""

from pathlib import Path
from typing import Annotated, TypeAlias, cast

from annotated_types import Gt, Le
from PIL import Image, ImageFile, TiffImagePlugin

from aerialseg.data.images.formats import undecodable
from aerialseg.data.images.gif import check_gif
from aerialseg.data.images.tiff_kinds import check_tiff_kind, subfile_types
from aerialseg.errors import DataError

Megapixels: TypeAlias = Annotated[float, Gt(0), Le(1000)]
"""Millions of pixels; OpenCV resizes 2**30 pixels at most."""

MAX_MEGAPIXELS = 200.0
"""Default limit on an image's size; 600 MB once decoded."""

_ORIENTATION = 274  # numbers of TIFF tags
_TILE_SIZE = (322, 323)
_REDUCED_OR_MASK = 1 | 4  # subfile types: a smaller copy, a transparency mask


def check_pixels(width: int, height: int, max_megapixels: float, path: str | Path) -> None:
    """Checks that an image has pixels, and not too many.

    Raises:
        DataError: If not; a small file can claim more pixels than fit into memory.
    """
    if width * height == 0:
        raise undecodable(path, "its header states no size")
    if width * height > max_megapixels * 1e6:
        raise DataError(
            f"{path}: has {width}x{height} pixels, {width * height / 1e6:.6g} million; wanted at "
            f"most {max_megapixels:.6g} million; cut it into tiles, or raise data.max_megapixels"
        )


def check_header(image: Image.Image, max_megapixels: float, path: str | Path) -> None:
    """Checks that an opened image is a single one, upright, and not too large.

    Raises:
        DataError: If it has too many pixels, is animated, has several pages, is a rotated TIFF, or
            a GIF that is cut short or has a frame of another size.
    """
    check_pixels(*image.size, max_megapixels, path)
    if image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1:
        raise DataError(f"{path}: is animated; wanted a still image; save one frame of it")
    if image.format == "GIF":
        check_gif(Path(path).read_bytes(), path)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _check_tiff(image, max_megapixels, path)


def check_colours(image: Image.Image, path: str | Path) -> None:
    """Checks that an image's pixels convert to 8-bit RGB without guessing.

    Raises:
        DataError: If it has more than 8 bits a channel, or colours meant for print.
    """
    if is_deep(image):
        raise DataError(
            f"{path}: has more than 8 bits a channel (mode {stored_as(image)}); which of its "
            "values are dark and bright only you know, so write it as 8-bit RGB"
        )
    if image.mode in ("CMYK", "LAB"):
        raise foreign_colours(image.mode, path)


def is_deep(image: Image.Image) -> bool:
    """Whether an image has more than 8 bits a channel."""
    stored = stored_as(image)
    # A 16-bit BMP has 5 or 6 bits a channel, since the 16 are those of all three channels.
    return image.mode[0] in "IF" or (";16" in stored and not stored.startswith("BGR"))


def stored_as(image: Image.Image) -> str:
    """Pillow's raw mode, which is how the file stores its pixels: ``RGB``, ``L;4``, ``RGB;16B``."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    arguments = tiles[0].args if tiles else None
    stored = arguments[0] if isinstance(arguments, tuple) else arguments
    return stored if isinstance(stored, str) else image.mode


def foreign_colours(name: str, path: str | Path) -> DataError:
    """The error for an image in a colour space that is not RGB or grey."""
    return DataError(
        f"{path}: has {name} colours, which become RGB by a colour profile only; write it as "
        "8-bit RGB"
    )


def _check_tiff(
    image: TiffImagePlugin.TiffImageFile, max_megapixels: float, path: str | Path
) -> None:
    """Refuses a TIFF with huge tiles, a rotation, several pages, or of a kind read wrongly."""
    tile_width, tile_height = (cast("int", image.tag_v2.get(tag, 1)) for tag in _TILE_SIZE)
    # A tile is decoded whole, even if most of it lies outside the image.
    check_pixels(tile_width, tile_height, max_megapixels, path)
    check_tiff_kind(image.tag_v2, path)
    orientation = image.tag_v2.get(_ORIENTATION, 1)
    if orientation != 1:
        # Pillow rotates TIFFs, and no other format; an image must keep its mask's orientation.
        raise DataError(
            f"{path}: is a TIFF with the orientation {orientation}; wanted 1; store it upright"
        )
    if image.tag_v2.next:  # not n_frames, which fails where a page is a mask
        # Maps often carry smaller copies of themselves, and a mask.
        pages = sum(not kind & _REDUCED_OR_MASK for kind in subfile_types(Path(path))[1:]) + 1
        if pages > 1:
            raise DataError(
                f"{path}: has {pages} pages; wanted one; save each as a file of its own"
            )
