"""Which bands are used, which of their values become 0 and 255, and which hold no data."""

from typing import NamedTuple

import numpy as np

from helpers.field.image_files import bands_of, limits_of

BANDS = {
    "unsaid": None,
    "1-2-3": [1, 2, 3],
    "3-2-1": [3, 2, 1],
    "1": [1],
    "3-1": [3, 1],
    "4-3-2-1": [4, 3, 2, 1],
    "2-5": [2, 5],
}


class Range(NamedTuple):
    """What ``data.value_range`` is.

    Attributes:
        ends: Shares of the way from black to white, one pair or several that bands have by turns.
        percentiles: Likewise of the training images.
        is_one: Whether one pair is typed for all bands.
    """

    ends: tuple = ()
    percentiles: tuple = ()
    is_one: bool = True


RANGES = {
    "unsaid": Range(),
    "whole": Range(((0, 1),)),
    "clipped": Range(((0.2, 0.8),)),
    "one-a-band": Range(((0, 0.9), (0.05, 1), (-0.1, 1.1)), is_one=False),
    "percentiles": Range(percentiles=(2, 98)),
    "extremes": Range(percentiles=(0, 100)),
}


class Nodata(NamedTuple):
    """Pixels without data: the values that they hold, what is typed, and what the file says.

    Values are ``zero``, ``white``, ``lowest`` of floats, ``nan``, or ``first``, which is what the
    first class has in the first band that is used.
    """

    held: tuple = ()
    typed: str | None = None
    tag: str | None = None


NODATA = {
    "none": Nodata(),
    "0-typed": Nodata(("zero",), typed="zero"),
    "white-typed": Nodata(("white",), typed="white"),
    "0-in-tag": Nodata(("zero",), tag="zero"),
    "white-typed-0-in-tag": Nodata(("zero", "white"), typed="white", tag="zero"),
    "lowest-typed": Nodata(("lowest",), typed="lowest"),
    "lowest-in-tag": Nodata(("lowest",), tag="lowest"),
    "nan": Nodata(("nan",)),
    "of-one-band": Nodata(typed="first"),
}

_LOWEST = "-3.40282346638529e+38"
"""As GIS programs write the lowest 32-bit float, which is a little above this number."""


class Choices:
    """What is said of the bands of a file, and what comes of it.

    Args:
        form: The format.
        mode: The mode.
        bands: Of :data:`BANDS`.
        value_range: Of :data:`RANGES`.
        nodata: Of :data:`NODATA`.
        looks: The colours of the classes.
    """

    def __init__(self, form, mode, bands, value_range, nodata, looks):
        self._form, self._mode, self._bands = form, mode, bands
        self._range, self._nodata = value_range, nodata
        self._looks = np.array(looks, dtype=np.uint8)

    @property
    def typed(self):
        """What a user types."""
        bands = [] if self._bands is None else [f"data.bands={_listed(self._bands)}"]
        nodata = self._number(self._nodata.typed)
        return [*bands, *self._typed_range(), *([f"data.nodata={nodata}"] if nodata else [])]

    @property
    def tag(self):
        """The text of GDAL's tag; None for none."""
        return self._number(self._nodata.tag)

    def holes(self, missing):
        """By the value that is stored there, parts of the pixels that hold no data."""
        held = self._nodata.held
        columns = np.indices(missing.shape)[1] % max(1, len(held))
        return {
            float(self._number(name)): missing & (columns == part) for part, name in enumerate(held)
        }

    @property
    def colours(self):
        """The colour of each class as the network gets it, 0 to 255; None if it cannot be."""
        if self._bands is None:
            return self._looks.tolist()
        stored = bands_of(self._looks, self._form, self._mode)
        if stored is None or max(self._bands) > stored.shape[-1]:
            return None
        values = stored[:, [band - 1 for band in self._bands]].astype(float)
        if self._range.percentiles:  # no class is as rare as the rarest two in a hundred pixels
            low, high = values.min(axis=0), values.max(axis=0)
            low = np.where(self._is_transparency, 0, low)
        elif self._range.ends:
            low, high = np.array(self._pairs()).T
        else:
            return values.tolist()
        scaled = (values - low) * 255 / np.where(high > low, high - low, 1)
        return np.clip(np.rint(scaled), 0, 255).tolist()

    @property
    def hides(self):
        """Whether some pixels hold no data."""
        is_used = self._bands is not None and self._is_transparency.any()
        return bool(self._nodata.held) or (self._mode.hides and not is_used)

    @property
    def _is_transparency(self):
        """For each band that is used, whether it is an alpha band with transparent pixels."""
        is_alpha = self._mode.hides and self._form.kind in ("TIFF", "PNG")
        return np.array([is_alpha and band == 4 for band in self._bands])

    def _pairs(self):
        black, white = limits_of(self._form, self._mode)
        return [
            tuple(round(black + share * (white - black), 6) for share in self._ends(place))
            for place in range(len(self._bands))
        ]

    def _ends(self, place):
        return self._range.ends[place % len(self._range.ends)]

    def _typed_range(self):
        if self._range.percentiles:
            return [f"data.value_range={{percentiles: {_listed(self._range.percentiles)}}}"]
        if not self._range.ends:
            return []
        if self._bands is None:
            return ["data.value_range=[0,255]"]
        pairs = self._pairs()
        if self._range.is_one:
            return [f"data.value_range={_listed(pairs[0])}"]
        return [f"data.value_range=[{','.join(map(_listed, pairs))}]"]

    def _number(self, name):
        """A value of :data:`NODATA` as text; None for None."""
        if name == "first":
            stored = bands_of(self._looks[:1], self._form, self._mode)
            if stored is None:
                return str(self._looks[0, 0])
            # A band that the file lacks is what is refused, whatever value is typed.
            held = [band for band in self._bands or [1] if band <= stored.shape[1]]
            return str(stored[0, held[0] - 1])
        white = limits_of(self._form, self._mode)[1]
        numbers = {"zero": "0", "white": str(white), "lowest": _LOWEST, "nan": "nan", None: None}
        return numbers[name]


def _listed(numbers):
    return f"[{','.join(map(str, numbers))}]"
