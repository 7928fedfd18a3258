"""The mask of an image: class ids, colours and an overlay, as files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

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


@dataclass(frozen=True, eq=False)
class ImageMasks:
    """Writes ``STEM_index.png``, ``STEM_colour.png`` and ``STEM_overlay.png`` of images.

    What is written of an image returns ``(C,)`` float64: how unsure the network is of each class,
    as :func:`~aerialseg.inference.class_uncertainty.class_uncertainty` says.

    Attributes:
        predictor: Predicts them.
        reading: How they are read.
        opacity: Of the mask in the overlay, 0 to 1.
    """

    predictor: Predictor
    reading: Reading
    opacity: float

    def image(self, path: Path) -> npt.NDArray[np.uint8]:
        """``(H, W, B)`` uint8, as the predictor takes it."""
        return read_image(path, self.reading)

    def write(
        self, path: Path, stem: Path, image: npt.NDArray[np.uint8], logits: torch.Tensor
    ) -> npt.NDArray[np.float64]:
        """Writes what a whole image is predicted as.

        Args:
            path: The image.
            stem: Path of the results without their endings.
            image: ``(H, W, B)`` uint8, as it was read.
            logits: ``(1, C, h, w)`` float, what the predictor says about it.
        """
        missing = missing_data(path, self.reading)
        labels = self.predictor.labels(logits, (image.shape[0], image.shape[1]))
        self._write(stem, image, without_data(labels, missing))
        return class_uncertainty(logits, missing)

    def write_in_tiles(self, path: Path, stem: Path, tiling: Tiling) -> npt.NDArray[np.float64]:
        """Predicts an image in tiles and writes the result.

        Args:
            path: The image.
            stem: Path of the results without their endings.
            tiling: How it is cut.
        """
        image, missing = self.image(path), missing_data(path, self.reading)
        source, layout = HeldImage(image, missing), tiling.layout(image.shape[:2])
        strips = list(predict_strips(source, layout, self.predictor.batch_logits))
        self._write(stem, image, np.concatenate([strip.mask for strip in strips]))
        return _mean_uncertainty(strips, len(self.predictor.classes))

    def _write(self, stem: Path, image: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8]) -> None:
        """Writes the three images of one input."""
        classes = self.predictor.classes
        blended = overlay(as_rgb(image), mask, classes, opacity=self.opacity)
        write_mask(Path(f"{stem}_index.png"), mask)
        write_mask(Path(f"{stem}_colour.png"), mask, palette=classes.palette)
        write_image(Path(f"{stem}_overlay.png"), blended)


def _mean_uncertainty(strips: Sequence[Strip], classes: int) -> npt.NDArray[np.float64]:
    """That of all strips, each by as many pixels as hold data."""
    total, known = np.zeros(classes), 0
    for strip in strips:
        pixels = strip.mask.size - (0 if strip.missing is None else int(strip.missing.sum()))
        if strip.logits is not None:
            total += pixels * class_uncertainty(strip.logits, strip.missing)
        known += pixels
    return total / max(1, known)
