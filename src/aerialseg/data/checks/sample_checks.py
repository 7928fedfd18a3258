"""Checks of every image and mask before training, and the pixels per class on the way."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.checks.label_checks import shifted_line
from aerialseg.data.images.decoding import check_whole
from aerialseg.data.images.mask_errors import SizesDifferError, UnknownValuesError
from aerialseg.data.images.missing_data import missing_data, without_data
from aerialseg.data.images.orientation import UPRIGHT, turned_size
from aerialseg.data.images.reading import read_header, read_mask, read_orientation, read_size
from aerialseg.data.images.reading_settings import FileKind, Reading
from aerialseg.data.images.windows import Window
from aerialseg.data.layouts.listing import Sample, count
from aerialseg.data.sources.cutting import parts_of
from aerialseg.errors import DataError
from aerialseg.rle import count_packed, pack

_SHOWN = 10  # problems printed at once
_FEW = 3  # samples with the same fault that have a line each

_Size: TypeAlias = tuple[int, int]
_Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Turned:
    """A sample with an EXIF orientation of which nobody has said what becomes of it.

    Attributes:
        sample: Which.
        orientations: Those of image and mask.
        fits_applied: Whether image and mask have one size once they are turned.
        fits_ignored: Whether they have one size as they are stored.
    """

    sample: Sample
    orientations: tuple[int, int]
    fits_applied: bool
    fits_ignored: bool


@dataclass(frozen=True)
class SampleChecks:
    """Checks samples one by one, and says at once what is wrong with all of them.

    Args:
        reading: How, with the classes of the masks' values or colours.
        window: Height and width of the windows that larger images are served in; None for none.
    """

    reading: Reading
    window: tuple[int, int] | None = None

    def counts(self, samples: Sequence[Sample]) -> _Counts:
        """``(N, num_classes + 2)`` int64 pixels of each class, those ignored, those without data.

        There is a row for each sample, or for the share of each of its windows.

        Raises:
            DataError: If an image or a mask is missing, damaged, cut short or too large, if their
                sizes differ, if a mask is of the other format or has values or colours of no
                class, or if files have an EXIF orientation and it was not said what becomes of
                it. One line each, or one for what samples have in common.
        """
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            results = list(pool.map(self.checked, samples))
        problems = self._problems(samples, results) or self.kind_problems(samples)
        if problems:
            more = len(problems) - _SHOWN
            rest = [f"and {more} more samples"] if more > 0 else []
            raise DataError(*problems[:_SHOWN], *rest)
        counts = [result for result in results if isinstance(result, np.ndarray)]
        return np.concatenate([np.empty((0, len(self._ids) + 1), dtype=np.int64), *counts])

    @property
    def _ids(self) -> list[int]:
        """The ids that are counted, in the order of the columns."""
        return [*range(len(self.reading.given_encoding.classes)), IGNORE_INDEX]

    def _problems(
        self, samples: Sequence[Sample], results: Sequence[_Counts | Turned | DataError]
    ) -> list[str]:
        """What is wrong, one line each; what many samples have in common is one line."""
        turned = [result for result in results if isinstance(result, Turned)]
        shifted = self.shifted(results)
        problems = [*([turned_line(turned)] if turned else []), *([shifted] if shifted else [])]
        by_advice: dict[str, list[tuple[Sample, str]]] = {}
        for sample, result in zip(samples, results, strict=True):
            is_said = shifted is not None and isinstance(result, UnknownValuesError)
            if isinstance(result, DataError) and not is_said:
                for problem in result.problems:
                    by_advice.setdefault(problem.partition("; ")[2], []).append((sample, problem))
        for advice, faults in by_advice.items():
            problems += _lines(faults, is_of_settings="data." in advice)
        return problems

    def kind_problems(self, samples: Sequence[Sample]) -> list[str]:
        """That bands of the files are not of one number and type, where bands are named."""
        if self.reading.bands is None:
            return []
        by_kind: dict[FileKind, list[str]] = {}
        for sample in samples:
            kind = read_header(sample.image, self.reading)[1]
            by_kind.setdefault(kind, []).append(sample.id)
        if len(by_kind) < 2:
            return []
        found = ", ".join(f"{count(ids, 'image')} with {kind}" for kind, ids in by_kind.items())
        return [f"{found}; wanted one kind in a data set, or data.bands would mean other things"]

    def shifted(self, results: Sequence[_Counts | Turned | DataError]) -> str | None:
        """The line about values outside the table that fit it in another order."""
        unknown = [result for result in results if isinstance(result, UnknownValuesError)]
        if not unknown:
            return None
        counts = [result for result in results if isinstance(result, np.ndarray)]
        pixels = np.concatenate(counts).sum(axis=0).tolist() if counts else []
        values = {value for value, number in zip(self._ids, pixels, strict=False) if number}
        return shifted_line(
            values.union(*(error.pixels for error in unknown)), self.reading.given_encoding
        )

    def checked(self, sample: Sample) -> _Counts | Turned | DataError:
        """The pixels of one sample, a row for each part, or what is wrong with it."""
        try:
            return self._counted(sample)
        except DataError as error:
            return error

    def _counted(self, sample: Sample) -> _Counts | Turned:
        """The pixels of one mask by class, a row for each part, once the sample is checked."""
        size = read_size(sample.image, self.reading)
        check_whole(sample.image)
        counts, mask_size = np.zeros((1, len(self._ids) + 1), dtype=np.int64), size
        if sample.mask is not None:
            missing = missing_data(sample.image, self.reading)
            mask = without_data(read_mask(sample.mask, self.reading), missing)
            mask_size = mask.shape[0], mask.shape[1]
            parts = parts_of(sample, mask_size, self.window)
            rows = ([*_histogram(mask, p)[self._ids], _lacking(missing, p)] for p in parts)
            counts = np.array(list(rows), dtype=np.int64)
        if (turned := self._turned(sample, size, mask_size)) is not None:
            return turned
        if mask_size != size:
            raise SizesDifferError(
                f"{sample.image} is {size[1]}x{size[0]} and {sample.mask} is "
                f"{mask_size[1]}x{mask_size[0]} (width x height); wanted the same"
                f"{self._orientation_hint(sample, size, mask_size)}"
            )
        return counts

    def _orientations(self, sample: Sample) -> tuple[int, int]:
        """The EXIF orientations of image and mask."""
        image, mask = (
            UPRIGHT if path is None else read_orientation(path, self.reading)
            for path in (sample.image, sample.mask)
        )
        return image, mask

    def _turned(self, sample: Sample, size: _Size, mask_size: _Size) -> Turned | None:
        """The sample, if nobody has said what becomes of its orientation; sizes are as stored."""
        if self.reading.exif_orientation is not None:
            return None
        image, mask = self._orientations(sample)
        if image == mask == UPRIGHT:
            return None
        applied = turned_size(size, image) == turned_size(mask_size, mask)
        return Turned(sample, (image, mask), applied, size == mask_size)

    def _orientation_hint(self, sample: Sample, size: _Size, mask_size: _Size) -> str:
        """That the other choice of ``exif_orientation`` would give equal sizes, if it does."""
        image, mask = self._orientations(sample)
        # Turned by a quarter twice is no turn, so this undoes a choice as well as it makes one.
        if turned_size(size, image) != turned_size(mask_size, mask):
            return ""
        other = "apply" if self.reading.exif_orientation == "ignore" else "ignore"
        return f"; the image's EXIF orientation is {image}: data.exif_orientation={other} fits"


def _histogram(mask: npt.NDArray[np.uint8], part: Window | None) -> npt.NDArray[np.integer]:
    """The pixels of each id, 0 to 255, in a mask or in a window's share of it."""
    own = mask if part is None else np.ascontiguousarray(part.share.of(mask))
    return count_packed(pack(own))  # several times faster than pixel by pixel


def _lacking(missing: npt.NDArray[np.bool_] | None, part: Window | None) -> int:
    """The pixels without data in an image, or in a window's share of it."""
    if missing is None:
        return 0
    own = missing if part is None else part.share.of(missing.view(np.uint8))
    return int(np.count_nonzero(own))


def _lines(faults: Sequence[tuple[Sample, str]], *, is_of_settings: bool) -> list[str]:
    """A line for each fault, or one line for many that one change of a setting mends."""
    lines = [f"{sample.name}: {problem}" for sample, problem in faults]
    if len(lines) <= _FEW or not is_of_settings:
        return lines
    names = count([sample.id for sample, _ in faults], "sample")
    return [f"{names} have the same fault; the first: {lines[0]}"]


def turned_line(turned: Sequence[Turned]) -> str:
    """One line about all samples whose orientation may be applied or ignored."""
    kinds = sorted({kind for each in turned for kind in each.orientations} - {UPRIGHT})
    applied = sum(each.fits_applied and not each.fits_ignored for each in turned)
    ignored = sum(each.fits_ignored and not each.fits_applied for each in turned)
    fits = [f"apply fits {applied} of them by size"] if applied else []
    fits += [f"ignore fits {ignored} of them by size"] if ignored else []
    names = count([each.sample.id for each in turned], "image")
    return (
        f"{names} with an EXIF orientation ({', '.join(map(str, kinds))}), so viewers do not show "
        "the pixels as they are stored; set data.exif_orientation=apply if the masks were drawn "
        "on images as viewers show them, or data.exif_orientation=ignore if on pixels as they are "
        f"stored{'; ' if fits else ''}{', '.join(fits)}"
    )
