"""Writing class ids as a map: a GeoTIFF that any geographic information system shows in colours."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.images.georeference import Georeference
from aerialseg.data.images.opened_raster import quiet_rasterio
from aerialseg.errors import DataError
from aerialseg.storage.atomic_files import replacing, write_text

_PLAIN = {"tiled": True, "blockxsize": 512, "blockysize": 512, "bigtiff": "IF_SAFER"}
_STORED = {"compress": "DEFLATE", "blocksize": 512, "bigtiff": "IF_SAFER"}


def write_map(
    path: Path,
    strips: Iterable[npt.NDArray[np.uint8]],
    size: tuple[int, int],
    classes: ClassTable,
    georeference: Georeference | None,
) -> None:
    """Writes a mask as a cloud-optimised GeoTIFF with palette, class names and overviews.

    An overview shows the class that most of the pixels have that it stands for. 255 is no data. The
    names of the classes lie in a file of GDAL beside it too, ``NAME.tif.aux.xml``, from which a
    geographic information system takes its legend.

    Args:
        path: Ends in ``.tif``.
        strips: ``(h, W)`` uint8 rows of the mask from top to bottom; one at a time is held.
        size: Height and width of the mask.
        classes: Names and colours of the ids.
        georeference: Where it lies; ``None`` for an image that does not say.

    Raises:
        AerialsegError: If it cannot be written; what was there stays then.
    """
    palette = dict(enumerate(map(tuple, _colours(classes))))

    def complete(file: Any) -> None:  # noqa: ANN401 - rasterio's, untyped
        file.write_colormap(1, palette)
        file.update_tags(1, **_tags(classes.names))

    _write(path, strips, size, georeference, complete, overviews="mode")
    write_text(path.with_name(f"{path.name}.aux.xml"), _legend(classes.names))


def write_shares(
    path: Path,
    strips: Iterable[npt.NDArray[np.uint8]],
    size: tuple[int, int],
    georeference: Georeference | None,
    *,
    about: str,
) -> None:
    """Writes numbers from 0 to 1 as a GeoTIFF like that of :func:`write_map`.

    Args:
        path: Ends in ``.tif``.
        strips: ``(h, W)`` uint8, 0 to 254 for 0 to 1, as the file's scale says; 255 is no data.
        size: Height and width.
        georeference: As of :func:`write_map`.
        about: What the numbers are, the description of the band.

    Raises:
        AerialsegError: As of :func:`write_map`.
    """

    def complete(file: Any) -> None:  # noqa: ANN401 - rasterio's, untyped
        file.scales = (1 / 254,)
        file.set_band_description(1, about)

    _write(path, strips, size, georeference, complete, overviews="average")


def _write(
    path: Path,
    strips: Iterable[npt.NDArray[np.uint8]],
    size: tuple[int, int],
    georeference: Georeference | None,
    complete: Callable[[Any], None],
    *,
    overviews: str,
) -> None:
    """Writes one band; ``complete`` adds what there is to say of it."""
    rasterio = quiet_rasterio()
    profile: dict[str, Any] = {"height": size[0], "width": size[1], "count": 1, "dtype": "uint8"}
    if georeference is not None:
        profile |= {"crs": georeference.crs, "transform": georeference.transform}
    try:
        with replacing(path) as temporary:
            rows = temporary.with_name(f"{temporary.name}.rows")
            try:
                with rasterio.open(
                    rows, "w", driver="GTiff", nodata=IGNORE_INDEX, **profile, **_PLAIN
                ) as file:
                    _fill(file, strips, size[1])
                    complete(file)
                rasterio.shutil.copy(
                    rows, temporary, driver="COG", overview_resampling=overviews, **_STORED
                )
            finally:
                rows.unlink(missing_ok=True)
    except rasterio.errors.RasterioError as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise DataError(f"{path}: cannot be written: {reason}") from error


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
