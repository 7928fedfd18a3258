"""Which bands of an image file are used, and which of their values become 0 and 255."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.errors import ConfigError

Ranges: TypeAlias = tuple[tuple[float, float], ...]
"""For each band the values that become 0 and 255."""

ValueRange: TypeAlias = list[float | list[float]] | dict[str, list[float]]
"""``[low, high]``, one such pair for each band, or ``{"percentiles": [2, 98]}``."""

MAX_BANDS = 64
"""More is taken for a mistake: images are kept in memory as a byte for each band."""

_PERCENTILES = "percentiles"


def check_band_settings(
    bands: Sequence[int] | None, value_range: ValueRange | None, nodata: float | None
) -> None:
    """Checks ``data.bands``, ``data.value_range`` and ``data.nodata``.

    Raises:
        ConfigError: With one line for each that is no setting, or does not fit the others.
    """
    problems = [*_band_problems(bands), *_range_problems(bands, value_range)]
    if nodata is not None and not np.isfinite(nodata):
        problems.append("data.nodata: NaN and infinity are no data anyway; leave it out")
    if problems:
        raise ConfigError(*problems)


def percentiles_of(value_range: ValueRange | None) -> tuple[float, float] | None:
    """The two percentiles of a checked ``data.value_range``; None if it gives values or nothing."""
    if not isinstance(value_range, dict):
        return None
    low, high = value_range[_PERCENTILES]
    return float(low), float(high)


def ranges_of(value_range: ValueRange | None, count: int) -> Ranges | None:
    """The range of each band of a checked ``data.value_range``; None if it gives no values."""
    if not isinstance(value_range, list):
        return None
    pairs: Sequence[Any] = value_range if isinstance(value_range[0], list) else [value_range]
    ranges = tuple((float(low), float(high)) for low, high in pairs)
    return ranges * count if len(ranges) == 1 else ranges


def to_bytes(values: npt.NDArray[Any], ranges: Ranges) -> npt.NDArray[np.uint8]:
    """Maps the values of each band linearly to 0..255, rounded; what is outside is clipped.

    Args:
        values: ``(H, W, B)`` of any real dtype; NaN becomes 0.
        ranges: For each band the values that become 0 and 255.

    Returns:
        ``(H, W, B)`` uint8.
    """
    result = np.empty(values.shape, dtype=np.uint8)
    for band, (low, high) in enumerate(ranges):  # a band at a time, to keep the floats few
        scaled = (values[..., band].astype(np.float64) - low) * 255 / (high - low)
        scaled = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)
        result[..., band] = np.rint(np.clip(scaled, 0, 255))
    return result


def _band_problems(bands: Sequence[int] | None) -> Iterator[str]:
    if bands is None:
        return
    if not 1 <= len(bands) <= MAX_BANDS or min(bands) < 1:
        yield (
            f"data.bands: {list(bands)} is out of range; wanted 1 to {MAX_BANDS} numbers of bands, "
            "the first of a file being 1, as in data.bands=[1,2,3]"
        )


def _range_problems(bands: Sequence[int] | None, value_range: ValueRange | None) -> Iterator[str]:
    """What is wrong with ``data.value_range``, given ``data.bands``."""
    if value_range is None:
        return
    key = "data.value_range"
    if bands is None:
        yield f"{key}: is of bands, but data.bands is null; name them, as in data.bands=[1,2,3]"
    if isinstance(value_range, dict):
        given = value_range.get(_PERCENTILES, [])
        if set(value_range) != {_PERCENTILES} or not (
            len(given) == 2 and 0 <= given[0] < given[1] <= 100
        ):
            yield f"{key}: wanted two percentiles, as in '{key}={{percentiles: [2, 98]}}'"
        return
    pairs = value_range if any(isinstance(each, list) for each in value_range) else [value_range]
    if not all(_is_pair(pair) for pair in pairs):
        yield (
            f"{key}: wanted [low, high] with low below high, as in {key}=[0,10000], or one such "
            f"pair for each band, or '{{percentiles: [2, 98]}}'; got {value_range}"
        )
    elif bands is not None and len(pairs) not in (1, len(bands)):
        yield f"{key}: has {len(pairs)} pairs for the {len(bands)} bands of data.bands"


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(v, int | float) and np.isfinite(v) for v in pair)
        and pair[0] < pair[1]
    )
