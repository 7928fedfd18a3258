"""Opening image files with GDAL, by rasterio, which is imported with the first that needs it."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from aerialseg.data.images.formats import START, format_of, undecodable
from aerialseg.errors import DataError

_DRIVERS = {"TIFF": "GTiff", "PNG": "PNG", "JPEG": "JPEG"}
"""GDAL's names of formats."""

_CACHE = "128"  # megabytes: a row of tiles of a large map


@contextmanager
def opened_raster(path: str | Path) -> Iterator[Any]:
    """A TIFF, PNG or JPEG opened by rasterio; whatever it raises inside becomes one line.

    Raises:
        DataError: If it is missing, damaged or of another format.
    """
    rasterio = quiet_rasterio()
    try:
        with Path(path).open("rb") as file:
            driver = _DRIVERS[format_of(file.read(START), path)]
        # Files beside the image must not change what is read.
        with (
            rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_PAM_ENABLED="NO"),
            rasterio.open(path, driver=driver) as raster,
        ):
            yield raster
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except rasterio.errors.RasterioError as error:
        reason = " ".join(str(error.__cause__ or error).split())
        reason = reason.replace(f"{path}: ", "").replace(f"{Path(path).name}, ", "")
        raise undecodable(path, reason.rstrip(".")) from None


@cache
def quiet_rasterio() -> Any:  # noqa: ANN401 - untyped
    """The package, told to be quiet: what it logs it raises too, and few images are maps."""
    # GDAL would keep blocks of files in a twentieth of the memory; each is read once.
    os.environ.setdefault("GDAL_CACHEMAX", _CACHE)
    import rasterio
    import rasterio.errors
    import rasterio.shutil
    import rasterio.warp

    logging.getLogger("rasterio").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", category=rasterio.errors.NotGeoreferencedWarning)
    return rasterio
