"""Writing class ids as a map: a GeoTIFF that any geographic information system shows in colours."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.images.georeference import Georeference
from aerialseg.data.images.opened_raster import gdal_errors, gdal_reason, quiet_rasterio
from aerialseg.errors import DataError
from aerialseg.storage.atomic_files import replacing, write_text

_PLAIN = {"tiled": True, "blockxsize": 512, "blockysize": 512, "bigtiff": "IF_SAFER"}
_STORED = {"compress": "DEFLATE", "blocksize": 512, "bigtiff": "IF_SAFER"}


@dataclass(frozen=True)
class MapPlace:
    """Where a map lies, and where it is put together.

    Attributes:
        size: Height and width in pixels.
        georeference: Where it lies; ``None`` for an image that does not say.
        scratch: A folder for files that are as large as the map and only needed to write it; who
            has made it removes it.
    """

    size: tuple[int, int]
    georeference: Georeference | None
    scratch: Path


def write_map(
    path: Path, strips: Iterable[npt.NDArray[np.uint8]], place: MapPlace, classes: ClassTable
) -> None:
    """Writes a mask as a cloud-optimised GeoTIFF with palette, class names and overviews.

    An overview shows the class that most of the pixels have that it stands for. 255 is no data. The
    names of the classes lie in a file of GDAL beside it too, ``NAME.tif.aux.xml``, from which a
    geographic information system takes its legend.

    Args:
        path: Ends in ``.tif``.
        strips: ``(h, W)`` uint8 rows of the mask from top to bottom; one at a time is held.
        place: Where it lies.
        classes: Names and colours of the ids.

    Raises:
        AerialsegError: If it cannot be written; what was there stays then.
    """
    palette = dict(enumerate(map(tuple, _colours(classes))))

    def complete(file: Any) -> None:  # noqa: ANN401 - rasterio's, untyped
        file.write_colormap(1, palette)
        file.update_tags(1, **_tags(classes.names))

    _write(path, strips, place, complete, overviews="mode")
    write_text(path.with_name(f"{path.name}.aux.xml"), _legend(classes.names))


def write_shares(
    path: Path,
    strips: Iterable[npt.NDArray[np.uint8]],
    place: MapPlace,
    *,
    about: str,
) -> None:
    """Writes numbers from 0 to 1 as a GeoTIFF like that of :func:`write_map`.

    Args:
        path: Ends in ``.tif``.
        strips: ``(h, W)`` uint8, 0 to 254 for 0 to 1, as the file's scale says; 255 is no data.
        place: Where they lie.
        about: What the numbers are, the description of the band.

    Raises:
        AerialsegError: As of :func:`write_map`.
    """

    def complete(file: Any) -> None:  # noqa: ANN401 - rasterio's, untyped
        file.scales = (1 / 254,)
        file.set_band_description(1, about)

    _write(path, strips, place, complete, overviews="average")


def _write(
    path: Path,
    strips: Iterable[npt.NDArray[np.uint8]],
    place: MapPlace,
    complete: Callable[[Any], None],
    *,
    overviews: str,
) -> None:
    """Writes one band; ``complete`` adds what there is to say of it."""
    rasterio, (height, width) = quiet_rasterio(), place.size
    profile: dict[str, Any] = {"height": height, "width": width, "count": 1, "dtype": "uint8"}
    if (georeference := place.georeference) is not None:
        profile |= {"crs": georeference.crs, "transform": georeference.transform}
    rows, whole = (place.scratch / f"{name}.tif" for name in ("rows", "whole"))
    try:
        with rasterio.open(
            rows, "w", driver="GTiff", nodata=IGNORE_INDEX, **profile, **_PLAIN
        ) as file:
            _fill(file, strips, width)
            complete(file)
        rasterio.shutil.copy(rows, whole, driver="COG", overview_resampling=overviews, **_STORED)
    except gdal_errors() as error:
        raise DataError(f"{path}: cannot be written: {gdal_reason(error)}") from error
    finally:
        rows.unlink(missing_ok=True)
    with replacing(path) as temporary:
        whole.replace(temporary)


def _fill(file: Any, strips: Iterable[npt.NDArray[np.uint8]], width: int) -> None:  # noqa: ANN401 - rasterio's, untyped
    first = 0
    for strip in strips:
        file.write(strip, 1, window=((first, first + len(strip)), (0, width)))
        first += len(strip)


def _colours(classes: ClassTable) -> npt.NDArray[np.uint8]:
    """``(256, 4)`` uint8 RGBA, transparent where there is no data."""
    opacity = np.full((256, 1), 255, dtype=np.uint8)
    opacity[IGNORE_INDEX] = 0
    return np.hstack([classes.palette, opacity])


def _tags(names: Sequence[str]) -> dict[str, str]:
    return {f"CLASS_{index:03}": name for index, name in enumerate(names)}


def _legend(names: Sequence[str]) -> str:
    """Class names as GDAL keeps them beside a file."""
    lines = "".join(f"      <Category>{escape(name)}</Category>\n" for name in names)
    return (
        '<PAMDataset>\n  <PAMRasterBand band="1">\n    <CategoryNames>\n'
        f"{lines}    </CategoryNames>\n  </PAMRasterBand>\n</PAMDataset>\n"
    )
