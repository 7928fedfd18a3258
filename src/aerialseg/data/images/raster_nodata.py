"""What a file that rasterio has opened says of pixels without data."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.reading_settings import Reading
from aerialseg.errors import DataError


def may_lack(raster: Any, reading: Reading) -> bool:  # noqa: ANN401 - rasterio's, untyped
    """Whether the header allows pixels without data."""
    is_float = np.issubdtype(raster.dtypes[0], np.floating)
    says_so = _nodata_of(raster, reading) or _alpha_of(raster, reading) or _has_mask(raster)
    return bool(is_float or says_so)


def missing_in(
    raster: Any,  # noqa: ANN401 - rasterio's, untyped
    values: npt.NDArray[Any],
    reading: Reading,
    window: Any = None,  # noqa: ANN401 - likewise
) -> npt.NDArray[np.bool_]:
    """Where there is no data.

    Args:
        raster: The opened file.
        values: ``(H, W, B)``, its bands that are used.
        reading: Names the bands.
        window: The part of the file that the values are of; ``None`` for all.

    Returns:
        ``(H, W)`` bool: a band is NaN or infinite, all have the value that stands for no data,
        alpha is 0, or the mask inside of the file says so.
    """
    missing = np.zeros(values.shape[:2], dtype=bool)
    if np.issubdtype(values.dtype, np.floating):
        missing |= ~np.isfinite(values).all(axis=-1)
    for nodata in _nodata_of(raster, reading):
        missing |= has_value(values, nodata)
    alpha = _alpha_of(raster, reading)
    if alpha is not None:
        missing |= raster.read(alpha, window=window) == 0
    if _has_mask(raster):
        missing |= masked(raster, window)
    return missing


def masked(raster: Any, window: Any = None) -> npt.NDArray[np.bool_]:  # noqa: ANN401 - rasterio's, untyped
    """``(H, W)`` bool: where the mask inside of a file, or a part of it, says there is no data."""
    return np.asarray(raster.read_masks(1, window=window) == 0)


def has_value(values: npt.NDArray[Any], nodata: tuple[float, ...]) -> npt.NDArray[np.bool_]:
    """``(H, W)`` bool: where each band of ``(H, W, B)`` values has its value for no data."""
    if np.issubdtype(values.dtype, np.floating):
        # As the file holds it: 0.1 is another number in 32 bits than in 64.
        with np.errstate(over="ignore"):
            nodata_as_stored = np.array(nodata, dtype=values.dtype)
        return np.asarray((values == nodata_as_stored).all(axis=-1))
    return np.asarray((values == np.array(nodata)).all(axis=-1))


def check_nodata(dtype: str, path: str | Path, reading: Reading) -> None:
    """Checks that files can hold ``data.nodata``, which else would be found in no pixel.

    Args:
        dtype: NumPy's name of the type of the bands.
        path: The file, for the error.
        reading: Says the value.

    Raises:
        DataError: If they cannot.
    """
    value, kind = reading.nodata, np.dtype(dtype)
    if value is None or kind.kind not in "ui":
        return
    lowest, highest = np.iinfo(kind).min, np.iinfo(kind).max
    if not (lowest <= value <= highest and value == int(value)):
        raise DataError(
            f"{path}: holds {dtype}, in which no pixel can have the value {value:g} of no data; "
            f"set data.nodata to a whole number from {lowest} to {highest}, or to null"
        )


def _nodata_of(raster: Any, reading: Reading) -> list[tuple[float, ...]]:  # noqa: ANN401 - rasterio's, untyped
    """What stands for no data, for each used band: what the file says, and what is typed."""
    bands = reading.bands or range(1, raster.count + 1)
    said = tuple(raster.nodatavals[band - 1] for band in bands)
    typed = [] if reading.nodata is None else [(reading.nodata,) * len(bands)]
    return typed if None in said else [said, *typed]


def _alpha_of(raster: Any, reading: Reading) -> int | None:  # noqa: ANN401 - rasterio's, untyped
    """The number of the alpha band, unless it is used as an image's band."""
    names = [interpretation.name for interpretation in raster.colorinterp]
    number = names.index("alpha") + 1 if "alpha" in names else None
    return None if number in (reading.bands or ()) else number


def _has_mask(raster: Any) -> bool:  # noqa: ANN401 - rasterio's, untyped
    """Whether a TIFF has a mask inside, besides alpha and values that stand for no data."""
    flags = {flag.name for flag in raster.mask_flag_enums[0]}
    return flags == {"per_dataset"}
