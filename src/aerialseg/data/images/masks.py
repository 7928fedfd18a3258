"""Class ids from the pixels of a mask, and checks that every pixel has a class."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.classes import IGNORE_COLOUR, IGNORE_INDEX
from aerialseg.data.images.formats import is_lossy_webp
from aerialseg.data.images.gif import check_greys
from aerialseg.data.images.headers import check_colours
from aerialseg.data.images.mask_encoding import MaskEncoding, mask_values_of
from aerialseg.data.images.mask_errors import (
    ColourMaskError,
    IndexMaskError,
    LossyMaskError,
    UnknownColoursError,
    UnknownValuesError,
)
from aerialseg.errors import DataError

_GREY_LEVELS = {"L;2": np.uint8(85), "L;4": np.uint8(17)}
"""Factors by which Pillow spreads 2 and 4 bits of grey over 0 to 255."""
_LOSSY_TIFF = {"jpeg": "a JPEG", "tiff_jpeg": "a JPEG"}
_GREY_MODES = ("LA", "RGB", "RGBA", "RGBX")
"""Modes in which some programs write masks of one channel."""
_SHOWN = 5  # values or colours named in one line; a wrong file can have thousands


def check_mask_header(
    image: Image.Image, path: str | Path, encoding: MaskEncoding | None = None
) -> None:
    """Checks that an opened mask is of the expected kind, before it is decoded.

    Args:
        image: What the mask's file holds.
        path: The file, for errors.
        encoding: What is expected; None for values.

    Raises:
        DataError: If it is not, or if its format changes values, as JPEG does.
    """
    one_channel = len(image.getbands()) == 1
    if lossy := _lossy_kind(image, path):
        raise LossyMaskError(
            f"{path}: is {lossy}, which changes values; masks need PNG; export it again"
        )
    if encoding is not None and encoding.is_painted:
        if one_channel and image.mode != "P" and not encoding.has_grey_colours:
            raise IndexMaskError(
                f"{path}: is a single-channel mask (mode {image.mode}) where colours are "
                "expected; set data.mask_format=index if it holds class ids"
            )
        check_colours(image, path)
    elif image.mode == "F":
        raise DataError(f"{path}: holds fractions (mode F); wanted class ids; write it in 8 bits")
    elif not one_channel:
        check_colours(image, path)


def values_from_pixels(
    image: Image.Image, stored: str, path: str | Path
) -> npt.NDArray[np.integer]:
    """The values of a decoded mask, as they are stored.

    Args:
        image: The mask, which :func:`check_mask_header` has checked: one channel, or several that
            repeat it.
        stored: How the file stores its pixels, by :func:`stored_as`.
        path: The file, for errors.

    Returns:
        ``(H, W)`` integers: uint8, unless the file holds more than 8 bits.

    Raises:
        DataError: If the channels differ, or the values are stored inverted.
    """
    if ";" in stored and "I" in stored.partition(";")[2]:
        raise DataError(
            f"{path}: stores its values inverted (a TIFF in which white is zero), so programs "
            "disagree about them; export it as PNG"
        )
    if image.mode in ("L", "P", "1"):
        # Not convert("L") and not OpenCV: both give a palette's colours, not its indices.
        values = np.array(image, dtype=np.uint8)
        return values // _GREY_LEVELS.get(stored.removesuffix("R"), np.uint8(1))
    if len(image.getbands()) == 1:
        return np.asarray(image)
    pixels = np.asarray(image)
    colours = pixels[..., : 1 if image.mode == "LA" else 3]
    if image.mode not in _GREY_MODES or (colours != colours[..., :1]).any():
        raise ColourMaskError(
            f"{path}: is no single-channel mask (mode {image.mode}) where class ids are "
            "expected; set data.mask_format=colour if it is painted in the class table's colours"
        )
    if image.mode in ("LA", "RGBA"):
        _check_transparency(pixels[..., -1], path)
    return np.array(colours[..., 0])


def colours_from_pixels(image: Image.Image, path: str | Path) -> npt.NDArray[np.uint8]:
    """The ``(H, W, 3)`` uint8 RGB colours of a decoded mask.

    Raises:
        DataError: If some of its pixels are transparent: the colour behind them means nothing.
    """
    if "A" not in image.getbands() and "transparency" not in image.info:
        return np.asarray(image.convert("RGB"))
    pixels = np.asarray(image.convert("RGBA"))
    _check_transparency(pixels[..., 3], path)
    return pixels[..., :3]


def ids_from_values(
    values: npt.NDArray[np.integer], encoding: MaskEncoding, *, path: str | Path
) -> npt.NDArray[np.uint8]:
    """Turns the values of an index mask into class ids.

    Args:
        values: ``(H, W)`` integers.
        encoding: Which value stands for which class.
        path: The mask's file, for the error.

    Returns:
        ``(H, W)`` uint8; 255 is ignored. The array itself, where every value is its own id.

    Raises:
        UnknownValuesError: If a value stands for no class; names the values with their pixels.
    """
    ids = encoding.id_of_value
    if values.dtype != np.uint8:
        found, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        _check_known(dict(zip(found.tolist(), counts.tolist(), strict=True)), encoding, path)
        return _looked_up([ids[value] for value in found.tolist()], places.reshape(values.shape))
    # In uint8 255 + 1 is 0, so one comparison in one pass covers the ignored pixels too.
    if encoding.is_plain and int((values + np.uint8(1)).max(initial=0)) <= len(encoding.classes):
        return values.astype(np.uint8, copy=False)
    counts = np.bincount(values.ravel(), minlength=256)
    _check_known({v: int(counts[v]) for v in np.flatnonzero(counts).tolist()}, encoding, path)
    return _looked_up([ids.get(value, IGNORE_INDEX) for value in range(256)], values)


def ids_from_colours(
    pixels: npt.NDArray[np.uint8], encoding: MaskEncoding, *, path: str | Path
) -> npt.NDArray[np.uint8]:
    """Turns a colour mask into class ids.

    Args:
        pixels: ``(H, W, 3)`` uint8 RGB.
        encoding: The colours of the classes, and those that are ignored.
        path: The mask's file, for the error.

    Returns:
        ``(H, W)`` uint8; 255 is ignored.

    Raises:
        DataError: If a pixel has a colour that is neither a class's nor ignored.
    """
    codes = _codes(pixels)
    ids = _id_of_code(encoding.colours.tobytes())[codes]
    rest = codes[ids == IGNORE_INDEX]
    ignored = _codes(np.array(encoding.ignored_colours, dtype=np.uint8).reshape(-1, 3))
    unknown = rest[~np.isin(rest, ignored)]
    if unknown.size:
        values, counts = np.unique(unknown, return_counts=True)
        found = _tally([f"#{value:06x}" for value in values], counts, codes.size)
        raise UnknownColoursError(
            f"{path}: {found} no colour of the class table; correct the table or the mask, add "
            "what has no label to data.ignore_values as [red, green, blue], or set "
            "data.mask_format=index if it holds class ids"
        )
    return ids


def check_palette(
    image: Image.Image,
    values: npt.NDArray[np.integer],
    encoding: MaskEncoding,
    path: str | Path,
) -> None:
    """Checks that the palette of an index mask does not contradict the class table.

    A program that saves a painted mask with a palette numbers the colours as it likes. If the
    palette shows the table's colours, they must stand at the ids of their classes. A palette of
    other colours, such as a ramp of grey, says nothing, except in a GIF.

    Raises:
        DataError: If they do not; says both orders.
    """
    colours = image.getpalette("RGB") if image.mode == "P" else None
    if image.format == "GIF":
        said = None if encoding.mask_values is None else encoding.id_of_value
        check_greys(image, values, path, said=said)
    if colours is None or encoding.mask_values is not None:
        return
    palette = list(zip(colours[::3], colours[1::3], colours[2::3], strict=True))
    table = {rgb: index for index, rgb in enumerate(encoding.classes.colours)}
    white = {} if IGNORE_COLOUR in table else {IGNORE_COLOUR: IGNORE_INDEX}
    used = np.flatnonzero(np.bincount(values.ravel(), minlength=256)).tolist()
    shown = [v for v in used if encoding.id_of_value.get(v) != IGNORE_INDEX and v < len(palette)]
    meant = {value: (white | table).get(palette[value]) for value in shown}
    classes = {v: i for v, i in meant.items() if i is not None and i != IGNORE_INDEX}
    # One colour alone may be in a palette by chance, as black often is.
    unrelated = set(palette) - table.keys() - {IGNORE_COLOUR, (0, 0, 0)}
    if None in meant.values() or not classes or (len(classes) == 1 and unrelated):
        return
    differs = meant if len(classes) > 1 else classes
    # A value outside the table is refused as such, with its share of the pixels.
    if all(v == index or v not in encoding.id_of_value for v, index in differs.items()):
        return
    names = encoding.classes.names
    by_palette = ", ".join(f"{v} is '{names[i]}'" for v, i in list(classes.items())[:_SHOWN])
    by_table = ", ".join(f"{i} is '{names[i]}'" for i in sorted(classes.values())[:_SHOWN])
    raise DataError(
        f"{path}: by the colours of its palette {by_palette}, by the class table {by_table}; set "
        "data.mask_format=colour to go by the colours; if the values are right, say so with "
        f"{mask_values_of(range(len(names)), names)}"
    )


def _lossy_kind(image: Image.Image, path: str | Path) -> str:
    """The name of a format that changes values, if the mask is of one."""
    if image.format in ("JPEG", "MPO"):  # Pillow calls a JPEG with a preview MPO
        return "a JPEG"
    if image.format == "WEBP":
        return "a lossy WebP" if is_lossy_webp(Path(path).read_bytes()) else ""
    return _LOSSY_TIFF.get(str(image.info.get("compression")), "") if image.format == "TIFF" else ""


def _check_transparency(alpha: npt.NDArray[np.uint8], path: str | Path) -> None:
    """Refuses a mask in which some pixels are more transparent than others."""
    if alpha.size and alpha.min() != alpha.max():
        share = 100 * np.count_nonzero(alpha != alpha.max()) / alpha.size
        raise DataError(
            f"{path}: has transparent pixels ({share:.2g}%), of which only you know whether they "
            "have a class; export it without transparency"
        )


def _check_known(pixels: dict[int, int], encoding: MaskEncoding, path: str | Path) -> None:
    """Raises UnknownValuesError if one of the values that have pixels stands for no class."""
    unknown = [value for value in pixels if value not in encoding.id_of_value]
    if not unknown:
        return
    what = "id" if encoding.mask_values is None else "value"
    counts = np.array([pixels[value] for value in unknown])
    found = _tally([f"{what} {value}" for value in unknown], counts, sum(pixels.values()))
    if encoding.mask_values is not None:
        problem = (
            f"{path}: {found} not in data.mask_values; add it there with its class, or to "
            "data.ignore_values if it has none"
        )
    else:
        last = len(encoding.classes) - 1
        problem = (
            f"{path}: {found} outside the class table, which has {last + 1} classes (ids 0 to "
            f"{last}, {IGNORE_INDEX} is ignored); correct the table or the mask, or say which "
            "value is which class with data.mask_values"
        )
    raise UnknownValuesError(problem, pixels)


def _looked_up(ids: list[int], places: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    found: npt.NDArray[np.uint8] = np.array(ids, dtype=np.uint8)[places]
    return found


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


def _tally(names: list[str], counts: npt.NDArray[np.integer], total: int) -> str:
    """``id 7 (5 pixels, 0.65%) is``: what was found how often, the commonest first."""
    order = np.argsort(-counts, kind="stable")[:_SHOWN]
    shown = ", ".join(
        f"{names[i]} ({counts[i]} pixel{'' if counts[i] == 1 else 's'}, "
        f"{100 * counts[i] / total:.3g}%)"
        for i in order
    )
    more = f" and {len(names) - len(order)} more" if len(names) > len(order) else ""
    return f"{shown}{more} {'is' if len(names) == 1 else 'are'}"
