"""Bands of TIFF and PNG files of any depth, which Pillow reads in part or not at all.

Pillow turns 16-bit RGB into 8 bits and takes the first of several bands in silence, so what it is
given is checked by :func:`check_is_rgb` before. GDAL, by rasterio, reads all of it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

from aerialseg.data.images.formats import format_at, undecodable
from aerialseg.data.images.headers import check_pixels, foreign_colours
from aerialseg.data.images.opened_raster import opened_raster
from aerialseg.data.images.raster_nodata import check_nodata, masked, may_lack, missing_in
from aerialseg.data.images.reading_settings import FileKind, Reading
from aerialseg.data.images.tiff_kinds import Tags, read_tags, subfile_types
from aerialseg.durations import counted
from aerialseg.errors import DataError

FORMATS = frozenset({"TIFF", "PNG"})
"""Formats of which bands are read here."""

_EXTRA_SAMPLES, _PHOTOMETRIC, _SAMPLES, _ORIENTATION = 338, 262, 277, 274  # TIFF tags
_GDAL_NODATA, _BITS = 42113, 258
_COLOUR_CHANNELS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3}  # by photometric interpretation
_WHITE_IS_ZERO, _OF_PALETTE = 0, 3
_FOREIGN = {5: "CMYK", 8: "LAB"}
_ALPHA = ((1,), (2,))
_MASK = 4  # a subfile type
_GLANCE = 256  # pixels of an edge of the small copy by which a file is described


def check_is_rgb(path: str | Path, kind: str) -> None:
    """Checks that a TIFF holds grey, a palette or RGB, with or without alpha, and nothing else.

    Args:
        path: The file.
        kind: Its format.

    Raises:
        DataError: If it has more bands or bits; says which settings read them.
    """
    if kind != "TIFF":
        return
    tags = _tiff_tags(path)
    samples = int(tags.get(_SAMPLES, 1))
    more = samples - _COLOUR_CHANNELS.get(int(tags.get(_PHOTOMETRIC, 1)), samples)
    is_known = int(tags.get(_PHOTOMETRIC, 1)) in _COLOUR_CHANNELS
    bits = tags.get(_BITS, 1)
    is_deep = is_known and (max(bits) if isinstance(bits, tuple) else bits) > 8
    is_more = more > 0 and not (more == 1 and tags.get(_EXTRA_SAMPLES) in _ALPHA)
    if is_more or is_deep:
        try:
            error = needs_bands(path)
        except DataError:  # whoever opens it next says what is wrong with it
            return
        raise error


def needs_bands(path: str | Path) -> DataError:
    """The error for a file that is no 8-bit RGB where ``data.bands`` is null."""
    with opened_raster(path) as raster:
        kind = _kind_of(raster)
        if np.dtype(kind.dtype).kind not in "uif":
            raise undecodable(path, f"it holds {kind}")
        shape = (min(raster.height, _GLANCE), min(raster.width, _GLANCE))
        glance = raster.read(out_shape=(raster.count, *shape))
    numbers = glance[np.isfinite(glance)]
    low, high = (numbers.min(), numbers.max()) if numbers.size else (0, 0)
    bands = ",".join(str(band) for band in range(1, min(kind.bands, 8) + 1))
    ranges = ""
    if kind.dtype != "uint8":
        ranges = (
            ", and which values become 0 and 255 by data.value_range=[LOW,HIGH], or by "
            "'data.value_range={percentiles: [2, 98]}' of the training images"
        )
    return DataError(
        f"{path}: is no 8-bit RGB but holds {kind}, with values from about {low:.6g} to "
        f"{high:.6g}; say which bands are used, red, green and blue first, by "
        f"data.bands=[{bands}]{ranges}"
    )


def raster_size(path: str | Path, reading: Reading) -> tuple[tuple[int, int], FileKind]:
    """Height and width, and what the pixels are, from the header of a TIFF or PNG.

    Raises:
        DataError: If the header tells that :func:`read_values` would refuse the file.
    """
    with opened_raster(path) as raster:
        _check(raster, path, reading)
        return (raster.height, raster.width), _kind_of(raster)


def may_lack_data(path: str | Path, reading: Reading) -> bool:
    """Whether the header of a TIFF or PNG allows pixels without data."""
    with opened_raster(path) as raster:
        return may_lack(raster, reading)


def read_values(
    path: str | Path, reading: Reading
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """The bands of a TIFF or PNG that ``reading.bands`` names, in that order, as they are stored.

    Returns:
        ``(H, W, B)`` of the file's dtype, and ``(H, W)`` bool, where there is no data: a band is
        NaN or infinite, all have the value that stands for no data, alpha is 0, or the mask inside
        of the file says so. None if there is data everywhere.

    Raises:
        DataError: If the file is damaged, or lacks a band.
    """
    with opened_raster(path) as raster:
        _check(raster, path, reading)
        bands = list(reading.bands or range(1, raster.count + 1))
        values = np.moveaxis(raster.read(bands), 0, -1)
        missing = missing_in(raster, values, reading)
    return values, missing if missing.any() else None


def internal_mask(path: str | Path) -> npt.NDArray[np.bool_] | None:
    """Where the mask inside of a TIFF, as maps often have one, says that there is no data.

    Args:
        path: A file of any format.

    Returns:
        ``(H, W)`` bool; None if it has no such mask.

    Raises:
        DataError: If the mask is damaged.
    """
    if format_at(path) != "TIFF" or not any(kind & _MASK for kind in _subfile_types(path)):
        return None
    with opened_raster(path) as raster:
        return masked(raster)


def check_unmasked(path: str | Path) -> None:
    """Refuses labels of which a part is masked out inside of their file.

    Raises:
        DataError: If there is such a part.
    """
    hidden = internal_mask(path)
    if hidden is not None and hidden.any():
        raise DataError(
            f"{path}: has a mask inside that hides {hidden.mean():.2%} of its pixels, of which "
            "only you know whether they have a class; export it without the mask"
        )


def tiff_nodata(image: Image.Image) -> float | None:
    """The value that stands for no data in an opened TIFF: GDAL's tag; None if there is none."""
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    try:
        return float(tags.get(_GDAL_NODATA, ""))
    except ValueError:
        return None


def _check(raster: Any, path: str | Path, reading: Reading) -> None:  # noqa: ANN401 - rasterio's, untyped
    """Refuses a file of several pages, one that is turned or too large, or that lacks a band."""
    check_pixels(raster.width, raster.height, reading.max_megapixels, path)
    if len(raster.subdatasets) > 1:
        raise DataError(
            f"{path}: has {len(raster.subdatasets)} pages; wanted one; save each as a file of "
            "its own"
        )
    tags = _tiff_tags(path) if raster.driver == "GTiff" else {}
    if (turned := tags.get(_ORIENTATION, 1)) != 1:
        raise DataError(
            f"{path}: is a TIFF with the orientation {turned}; wanted 1; store it upright"
        )
    _check_meaning(raster, tags, path, reading)
    kind = _kind_of(raster)
    if len(set(raster.dtypes)) > 1 or np.dtype(kind.dtype).kind not in "uif":
        raise DataError(
            f"{path}: has bands of {', '.join(dict.fromkeys(raster.dtypes))}; wanted one type of "
            "whole or real numbers"
        )
    check_bands(kind, path, reading)


def _check_meaning(raster: Any, tags: Tags, path: str | Path, reading: Reading) -> None:  # noqa: ANN401 - rasterio's, untyped
    """Refuses bands whose values are other than they seem: indices, inks, inverted, of few bits."""
    photometric = tags.get(_PHOTOMETRIC)
    interpretation = raster.colorinterp[0].name
    if photometric == _OF_PALETTE or (not tags and interpretation == "palette"):
        raise DataError(
            f"{path}: holds numbers of a palette, which are no values of bands; leave data.bands "
            "out, or write it as RGB"
        )
    if photometric in _FOREIGN:
        raise foreign_colours(_FOREIGN[photometric], path)
    if photometric == _WHITE_IS_ZERO:
        raise DataError(
            f"{path}: stores its values inverted (white is zero); write it with black as zero"
        )
    bits = int(raster.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", 8))
    if bits < 8 and reading.ranges is None and reading.percentiles is None:
        raise DataError(
            f"{path}: has {counted(bits, 'bit')} a value, so white is {2**bits - 1} in it; set "
            f"data.value_range=[0,{2**bits - 1}]"
        )


def check_bands(kind: FileKind, path: str | Path, reading: Reading) -> None:
    """Checks that a file has the bands that are used, and that their values have a meaning.

    Raises:
        DataError: If not.
    """
    missing = [band for band in reading.bands or () if band > kind.bands]
    if missing:
        raise DataError(f"{path}: has {kind}, no band {missing[0]}; see data.bands")
    if reading.kind is not None and kind != reading.kind:
        raise DataError(
            f"{path}: has {kind}, the images of training have {reading.kind}; wanted the same, or "
            "numbers of bands and values would mean something else"
        )
    if kind.dtype != "uint8" and reading.ranges is None and reading.percentiles is None:
        raise DataError(
            f"{path}: has {kind}; which of its values become 0 and 255 only you know; set "
            "data.value_range=[LOW,HIGH], or 'data.value_range={percentiles: [2, 98]}'"
        )
    check_nodata(kind.dtype, path, reading)


def _kind_of(raster: Any) -> FileKind:  # noqa: ANN401 - rasterio's, untyped
    return FileKind(int(raster.count), str(raster.dtypes[0]))


def _subfile_types(path: str | Path) -> list[int]:
    """What the pages of a TIFF are; none if they cannot be read."""
    try:
        return subfile_types(Path(path))
    except Exception:  # on damaged files it raises nearly anything; who decodes it says more
        return []


def _tiff_tags(path: str | Path) -> Tags:
    """The tags of the first page of a TIFF; none if they cannot be read."""
    try:
        return read_tags(Path(path))
    except Exception:  # on damaged files it raises nearly anything; who decodes it says more
        return {}
