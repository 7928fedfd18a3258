"""Groups of images that show one place, and how a split is told to keep them together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from aerialseg.data.sources.split_groups import grouped_by_pattern

_PATTERNS = (r"^(.+)_\d+$", r"^(.+)-\d+$", r"^(.+?)_?\d+$", "^([^_]+)_", "^([^-]+)-", "^(.+)/")
"""How names of frames often say which flight they are of."""
_SHARE_OF_VAL = 0.5  # of the wanted validation images that must be left beside the largest group


@dataclass(frozen=True)
class Grouping:
    """How the images of one data set are kept on one side of the split where they show one place.

    Attributes:
        pattern: A value of ``data.group_pattern``; None if no simple one fits.
        table: The group of each image by id, for ``data.groups``.
        groups: How many there are.
        largest: Images in the largest.
        can_be_split: Whether enough images are outside the largest to validate on.
    """

    pattern: str | None
    table: Mapping[str, str]
    groups: int
    largest: int
    can_be_split: bool


def grouping(
    ids: Sequence[str],
    linked: Iterable[tuple[str, str]],
    now: Mapping[str, str],
    val_fraction: float,
) -> Grouping:
    """The groups of images that must stay together, by pattern if one fits.

    Args:
        ids: Of the images that are divided.
        linked: Pairs that show one place.
        now: The groups that there are already, by id: they stay together too.
        val_fraction: The share of the images that is wanted to validate.
    """
    place = {key: row for row, key in enumerate(ids)}
    rows = {(place[one], place[other]) for one, other in linked}
    first: dict[str, int] = {}
    for key, group in now.items():
        rows.add((first.setdefault(group, place[key]), place[key]))
    parts = components(len(ids), rows)
    largest = int(np.bincount(parts).max())
    pattern = _pattern(ids, parts, val_fraction)
    names = {part: f"place_{number + 1:04}" for number, part in enumerate(dict.fromkeys(parts))}
    table = {key: names[part] for key, part in zip(ids, parts.tolist(), strict=True)}
    return Grouping(pattern, table, len(names), largest, _leaves_enough(parts, val_fraction))


def components(count: int, pairs: Iterable[tuple[int, int]]) -> npt.NDArray[np.int32]:
    """``(count,)``: the number of the connected component of each of ``count`` things."""
    links = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)


def _pattern(ids: Sequence[str], parts: npt.NDArray[np.int32], val_fraction: float) -> str | None:
    """The pattern with the most groups that takes no two images of one part apart."""
    best, most = None, 1
    for pattern in _PATTERNS:
        groups = [group or f"/{key}" for key, group in grouped_by_pattern(ids, pattern).items()]
        pairs = zip(parts.tolist(), groups, strict=True)
        number = len(set(groups))
        keeps = len(set(pairs)) == len(set(parts.tolist()))
        counts = np.unique(groups, return_inverse=True)[1]
        if keeps and most < number < len(ids) and _leaves_enough(counts, val_fraction):
            best, most = pattern, number
    return best


def _leaves_enough(groups: npt.NDArray[np.integer], val_fraction: float) -> bool:
    left = len(groups) - int(np.bincount(groups).max())
    return left >= max(1, _SHARE_OF_VAL * val_fraction * len(groups))
