"""TIFFs of any type and number of bands, and data sets of them."""

import warnings
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from helpers.tiny_data import CLASSES, mask, save, text


def values_of(bands=4, dtype="uint16", size=(24, 32), seed=0):
    """``(H, W, bands)`` values from 0 to 10,000, or as many as the type has."""
    top = min(10_000, np.iinfo(dtype).max if np.dtype(dtype).kind in "ui" else 10_000)
    return np.random.default_rng(seed).integers(0, top + 1, (*size, bands)).astype(dtype)


def write_tiff(path: Path, values, **options) -> Path:
    """Writes ``(H, W, bands)`` values as a TIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, bands = values.shape
    shape = {"height": height, "width": width, "count": bands, "dtype": values.dtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **shape, **options) as file:
            file.write(np.moveaxis(values, -1, 0))
    return path


def write_band_folders(root: Path, ids, *, bands=4, dtype="uint16", size=(24, 32), **options):
    """Images of several bands with masks, and their class table."""
    for seed, key in enumerate(ids):
        values = values_of(bands, dtype, size, seed)
        write_tiff(root / f"images/{key}.tif", values, **options)
        save(root / f"masks/{key}.png", mask(size, seed))
    text(root / "classes.yaml", *(f"{name}: {colour}" for name, colour in CLASSES.items()))
    return root
