"""The mask of an image: class ids, colours and an overlay, as files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.data.images.missing_data import missing_data, without_data
from aerialseg.data.images.reading import read_image
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.rows import HeldImage
from aerialseg.data.images.writing import write_image, write_mask
from aerialseg.inference.class_uncertainty import class_uncertainty
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.prediction import Strip, predict_strips
from aerialseg.inference.tiles.tiling import Tiling
from aerialseg.viz.band_colours import as_rgb
from aerialseg.viz.colours import overlay


def segment_image(
    path: Path,
    stem: Path,
    predictor: Predictor,
    reading: Reading,
    *,
    tiling: Tiling | None,
    opacity: float,
) -> npt.NDArray[np.float64]:
    """Writes ``STEM_index.png``, ``STEM_colour.png`` and ``STEM_overlay.png``.

    Args:
        path: The image.
        stem: Path of the results without their endings.
        predictor: Predicts it.
        reading: How it is read.
        tiling: How it is cut into tiles; ``None`` for whole.
        opacity: Of the mask in the overlay, 0 to 1.

    Returns:
        ``(C,)`` float64: how unsure the network is of each class, as
        :func:`~aerialseg.inference.class_uncertainty.class_uncertainty` says.
    """
    image, missing = read_image(path, reading), missing_data(path, reading)
    if tiling is None:
        logits = predictor.logits(image)
        mask = without_data(predictor.labels(logits, image.shape[:2]), missing)
        uncertainty = class_uncertainty(logits, missing)
    else:
        source, layout = HeldImage(image, missing), tiling.layout(image.shape[:2])
        strips = list(predict_strips(source, layout, predictor.batch_logits))
        mask = np.concatenate([strip.mask for strip in strips])
        uncertainty = _mean_uncertainty(strips, len(predictor.classes))
    blended = overlay(as_rgb(image), mask, predictor.classes, opacity=opacity)
    _write(stem, mask, predictor.classes, blended)
    return uncertainty


def _mean_uncertainty(strips: Sequence[Strip], classes: int) -> npt.NDArray[np.float64]:
    """That of all strips, each by as many pixels as hold data."""
    total, known = np.zeros(classes), 0
    for strip in strips:
        pixels = strip.mask.size - (0 if strip.missing is None else int(strip.missing.sum()))
        if strip.logits is not None:
            total += pixels * class_uncertainty(strip.logits, strip.missing)
        known += pixels
    return total / max(1, known)


def _write(
    stem: Path, mask: npt.NDArray[np.uint8], classes: ClassTable, blended: npt.NDArray[np.uint8]
) -> None:
    """Writes the three images of one input; ``stem`` is their path without the endings."""
    write_mask(Path(f"{stem}_index.png"), mask)
    write_mask(Path(f"{stem}_colour.png"), mask, palette=classes.palette)
    write_image(Path(f"{stem}_overlay.png"), blended)
