"""Class ids from the pixels of a mask, and checks that every id has a class."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.classes import IGNORE_COLOUR, IGNORE_INDEX, ClassTable
from aerialseg.data.images.headers import check_colours
from aerialseg.errors import DataError

_GREY_LEVELS = {"L;2": np.uint8(85), "L;4": np.uint8(17)}
"""Factors by which Pillow spreads 2 and 4 bits of grey over 0 to 255."""
_SHOWN = 5  # ids or colours named in one line; a wrong file can have thousands


def check_mask_header(image: Image.Image, path: str | Path, *, is_painted: bool) -> None:
    """Checks that an opened mask is of the expected kind, before it is decoded.

    Args:
        image: What the mask's file holds.
        path: The file, for errors.
        is_painted: Whether colours of the class table are expected instead of class ids.

    Raises:
        DataError: If it is not, or if it is a JPEG.
    """
    one_channel = len(image.getbands()) == 1
    # Pillow calls a JPEG with a preview MPO; a TIFF may hold JPEG data.
    if image.format in ("JPEG", "MPO") or image.info.get("compression") == "jpeg":
        raise DataError(f"{path}: is a JPEG, which changes values; masks need PNG; export it again")
    if is_painted:
        if one_channel and image.mode != "P":
            raise DataError(
                f"{path}: is a single-channel mask (mode {image.mode}) where colours are "
                "expected; set data.mask_format=index if it holds class ids"
            )
        check_colours(image, path)
    elif image.mode == "F":
        raise DataError(f"{path}: holds fractions (mode F); wanted class ids; write it in 8 bits")
    elif not one_channel:
        raise DataError(
            f"{path}: is no single-channel mask (mode {image.mode}) where class ids are "
            "expected; set data.mask_format=colour if it is painted in the class table's colours"
        )


def ids_from_pixels(image: Image.Image, stored: str, path: str | Path) -> npt.NDArray[np.uint8]:
    """The class ids of a decoded one-channel mask.

    Args:
        image: The mask, which :func:`check_mask_header` has checked.
        stored: How the file stores its pixels, by :func:`stored_as`.
        path: The file, for errors.

    Returns:
        ``(H, W)`` uint8.

    Raises:
        DataError: If an id is below 0 or above 255.
    """
    if image.mode in ("L", "P", "1"):
        # Not convert("L") and not OpenCV: both give a palette's colours, not its indices.
        ids = np.array(image, dtype=np.uint8)
        return ids // _GREY_LEVELS[stored] if stored in _GREY_LEVELS else ids
    ids = np.asarray(image)
    if ids.size and (ids.min() < 0 or ids.max() > 255):
        raise DataError(f"{path}: has ids from {ids.min()} to {ids.max()}; wanted 0 to 255")
    return ids.astype(np.uint8)


def ids_from_colours(
    pixels: npt.NDArray[np.uint8], colours: npt.NDArray[np.uint8], *, path: str | Path
) -> npt.NDArray[np.uint8]:
    """Turns a colour mask into class ids.

    Args:
        pixels: ``(H, W, 3)`` uint8 RGB; white becomes 255, which is ignored.
        colours: ``(num_classes, 3)`` uint8 RGB, in the order of the ids.
        path: The mask's file, for the error.

    Returns:
        ``(H, W)`` uint8.

    Raises:
        DataError: If a pixel has the colour of no class and is not white.
    """
    codes = _codes(pixels)
    ids = _id_of_code(colours.tobytes())[codes]
    unknown = (ids == IGNORE_INDEX) & (codes != _codes(np.array(IGNORE_COLOUR)))
    if unknown.any():
        values, counts = np.unique(codes[unknown], return_counts=True)
        found = _tally([f"#{value:06x}" for value in values], counts)
        raise DataError(
            f"{path}: {found} no colour of the class table; correct the table or the mask, or set "
            "data.mask_format=index if it holds class ids"
        )
    return ids


def check_ids(mask: npt.NDArray[np.uint8], classes: ClassTable, *, path: str | Path) -> None:
    """Checks that every pixel of an ``(H, W)`` uint8 mask has a class or is ignored.

    Raises:
        DataError: If not; names the file, the ids and their pixel counts.
    """
    # In uint8 255 + 1 is 0, so one comparison in one pass covers the ignored pixels too.
    if mask.size and int((mask + np.uint8(1)).max()) > len(classes):
        check_counts(np.bincount(mask.ravel(), minlength=256), classes, path=path)


def check_counts(
    histogram: npt.NDArray[np.integer], classes: ClassTable, *, path: str | Path
) -> None:
    """:func:`check_ids` on a mask's ``(256,)`` pixels per id.

    Raises:
        DataError: If an id below 255 has pixels but no class.
    """
    outside = np.flatnonzero(histogram[len(classes) : IGNORE_INDEX]) + len(classes)
    if outside.size:
        found = _tally([f"id {value}" for value in outside], histogram[outside])
        raise DataError(
            f"{path}: {found} outside the class table, which has {len(classes)} classes (ids 0 to "
            f"{len(classes) - 1}, {IGNORE_INDEX} is ignored); correct the table or the mask"
        )


def _codes(pixels: npt.NDArray[np.integer]) -> npt.NDArray[np.uint32]:
    wide = pixels.astype(np.uint32)
    return wide[..., 0] << np.uint32(16) | wide[..., 1] << np.uint32(8) | wide[..., 2]


@lru_cache(maxsize=2)
def _id_of_code(colours: bytes) -> npt.NDArray[np.uint8]:
    """A 16 MB table over all colours: one look-up a pixel, however many classes there are."""
    table = np.full(2**24, IGNORE_INDEX, dtype=np.uint8)
    codes = _codes(np.frombuffer(colours, dtype=np.uint8).reshape(-1, 3))
    table[codes] = np.arange(len(codes), dtype=np.uint8)
    return table


def _tally(names: list[str], counts: npt.NDArray[np.integer]) -> str:
    order = np.argsort(-counts, kind="stable")[:_SHOWN]
    shown = ", ".join(
        f"{names[i]} ({counts[i]} pixel{'' if counts[i] == 1 else 's'})" for i in order
    )
    more = f" and {len(names) - len(order)} more" if len(names) > len(order) else ""
    return f"{shown}{more} {'is' if len(names) == 1 else 'are'}"
