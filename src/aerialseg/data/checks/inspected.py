"""What an inspection knows of images: measurements, labels, and what is wrong with them."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.data.checks.image_measurements import ImageMeasurements
from aerialseg.data.checks.sample_checks import Turned
from aerialseg.data.layouts.listing import Sample
from aerialseg.errors import DataError

Fault: TypeAlias = DataError | Turned
"""Why a sample cannot be trained on."""


@dataclass(frozen=True, eq=False)
class Examined:
    """The files of one sample as they were found.

    Attributes:
        sample: With the id that it has in its data set.
        measured: None if the image cannot be read.
        counts: ``(num_classes + 2,)`` int64 pixels of each class of the mask's own table, of those
            ignored, of those without data; None if the sample has a fault.
        faults: Why it cannot be trained on.
    """

    sample: Sample
    measured: ImageMeasurements | None
    counts: npt.NDArray[np.int64] | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, eq=False)
class InspectedImage:
    """One image of the inspected data.

    Attributes:
        sample: With its split, if the images could be split; of several data sets the id begins
            with the set's name.
        measured: None if the image cannot be read.
        pixels: ``(num_classes,)`` int64 by the classes that are trained; None if image or mask
            has a fault, or there is no mask.
        ignored: Pixels of the mask that are ignored.
        nodata: Those of them where the image holds no data.
        is_sound: Whether the sample can be trained on.
    """

    sample: Sample
    measured: ImageMeasurements | None
    pixels: npt.NDArray[np.int64] | None
    ignored: int
    nodata: int
    is_sound: bool

    @property
    def ignored_share(self) -> float | None:
        """The share of the mask's pixels that is ignored, 0 to 1; None without a mask."""
        if self.pixels is None:
            return None
        total = int(self.pixels.sum()) + self.ignored
        return self.ignored / total if total else 0.0
