"""Pairs of images that may show the same place, from an index of binary descriptors.

Comparing all pairs takes the square of the number of images. Here each descriptor is put into a few
tables under some of its bits (locality-sensitive hashing: Indyk and Motwani, STOC 1998), and images
get a vote for each pair of their descriptors that meet. Each image keeps its few best partners, so
the number of pairs that are looked at closely grows with the number of images, not with its square.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from aerialseg.data.checks.camera_data import Position
from aerialseg.data.checks.local_features import LocalFeatures

_TABLES = 24
_BITS = 31  # of a table's keys: two views of a corner differ in about a tenth of their bits
_LARGEST_BUCKET = 16  # a descriptor that more images have, as grass does, says nothing
_LEAST_VOTES = 8
_PARTNERS = 8  # of an image on each side of the split, its own too
_ALIKE_BITS = 10  # of the 64 of a hash that may differ
_DISTANCE_PER_HEIGHT = 1.5  # images closer than so many heights above ground may overlap
_UNKNOWN_HEIGHT = 60.0  # metres
_HEIGHTS = (5.0, 500.0)
_EARTH_RADIUS = 6_371_000.0  # metres


@dataclass(frozen=True, order=True)
class Candidate:
    """Two images that may overlap.

    Attributes:
        first: Index of an image.
        second: Index of another, larger.
        is_mirrored: Whether one has to be mirrored.
    """

    first: int
    second: int
    is_mirrored: bool


def candidates(
    features: Sequence[LocalFeatures],
    sides: Sequence[str],
    positions: Sequence[Position | None],
) -> list[Candidate]:
    """The pairs that are worth a closer look, in order.

    Args:
        features: Of each image.
        sides: The side of the split of each image: each keeps its best partners on each side.
        positions: Where each image was taken; None if it does not say.
    """
    found: set[Candidate] = set()
    numbers = np.unique(np.array(sides, dtype=str), return_inverse=True)[1]
    for is_mirrored in (False, True):
        votes = _votes(features, is_mirrored=is_mirrored)
        found |= {Candidate(*pair, is_mirrored) for pair in _best(votes, numbers)}
    found |= _alike(features)
    found |= _close(positions, numbers)
    return sorted(found)


def _votes(features: Sequence[LocalFeatures], *, is_mirrored: bool) -> npt.NDArray[np.int64]:
    """``(P, 3)`` int64: first and second image, and how often descriptors of both met."""
    views = [each.descriptors for each in features]
    if is_mirrored:
        views += [each.mirrored_descriptors for each in features]
    owners = np.repeat(np.arange(len(views)), [len(view) for view in views])
    if not len(owners):
        return np.empty((0, 3), dtype=np.int64)
    words, count = np.concatenate(views), len(features)
    rng = np.random.default_rng(0)  # which bits make up a table; the same in every run
    codes = []
    for _ in range(_TABLES):
        chosen = rng.choice(8 * words.shape[1], _BITS, replace=False)
        first, second = _meetings(_keys(words, chosen), owners, len(views))
        if is_mirrored:  # only pairs of an image and a mirrored one are new
            new = (first < count) & (second >= count) & (second - count != first)
            one, other = first[new], second[new] - count
            first, second = np.minimum(one, other), np.maximum(one, other)
        codes.append(first * count + second)
    pairs, votes = np.unique(np.concatenate(codes), return_counts=True)
    return np.stack([pairs // count, pairs % count, votes], axis=1)


def _keys(words: npt.NDArray[np.uint8], chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``(N,)`` int64: the chosen bits of each descriptor as a number."""
    keys = np.zeros(len(words), dtype=np.int64)
    for bit in chosen.tolist():
        keys = (keys << 1) | ((words[:, bit // 8] >> np.uint8(bit % 8)) & np.uint8(1))
    return keys


def _meetings(
    keys: npt.NDArray[np.int64], owners: npt.NDArray[np.int64], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First and second owner, in order, of all pairs of owners that share a key.

    Args:
        keys: ``(N,)`` of descriptors.
        owners: ``(N,)``, 0 to ``count - 1``.
        count: Number of owners.
    """
    unique = np.unique(keys * count + owners)  # an owner counts once for a key
    keys, owners = unique // count, unique % count
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[starts, len(keys)])
    firsts, seconds = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for size in range(2, _LARGEST_BUCKET + 1):
        members = owners[starts[sizes == size][:, None] + np.arange(size)]
        one, other = np.triu_indices(size, k=1)
        firsts.append(members[:, one].ravel())
        seconds.append(members[:, other].ravel())
    return np.concatenate(firsts), np.concatenate(seconds)


def _best(votes: npt.NDArray[np.int64], sides: npt.NDArray[np.intp]) -> set[tuple[int, int]]:
    """The pairs with the most votes of each image, on each side of the split."""
    votes = votes[votes[:, 2] >= _LEAST_VOTES]
    if not len(votes):
        return set()
    # Each pair stands in the lists of both of its images; an image has a list for each side.
    images, partners = votes[:, :2].T.ravel(), votes[:, 1::-1].T.ravel()
    lists = images * (int(sides.max()) + 1) + sides[partners]
    rows = np.tile(np.arange(len(votes)), 2)
    order = np.lexsort((-votes[rows, 2], lists))
    lists = lists[order]
    starts = np.flatnonzero(np.r_[True, lists[1:] != lists[:-1]])
    lengths = np.diff(np.r_[starts, len(lists)])
    rank = np.arange(len(lists)) - np.repeat(starts, lengths)
    chosen = np.unique(rows[order][rank < _PARTNERS])
    return {(int(first), int(second)) for first, second in votes[chosen, :2]}


def _alike(features: Sequence[LocalFeatures]) -> set[Candidate]:
    """The pairs of whole images with nearly the same hash, in any orientation."""
    hashes = np.array([each.hashes for each in features], dtype=np.uint64).reshape(-1, 8)
    found: set[Candidate] = set()
    for row, first in enumerate(hashes[:, 0]):
        differing = np.bitwise_count(hashes[row + 1 :] ^ first)
        for other, turn in zip(*np.nonzero(differing <= _ALIKE_BITS), strict=True):
            found.add(Candidate(row, row + 1 + int(other), bool(turn >= 4)))
    return _few_of_each(found, len(features))


def _few_of_each(found: set[Candidate], count: int) -> set[Candidate]:
    """At most a few pairs of each image: flat images, such as of water, all have one hash."""
    left = np.full(count, 2 * _PARTNERS)
    kept = set()
    for pair in sorted(found):
        if left[pair.first] and left[pair.second]:
            left[[pair.first, pair.second]] -= 1
            kept.add(pair)
    return kept


def _close(positions: Sequence[Position | None], sides: npt.NDArray[np.intp]) -> set[Candidate]:
    """The pairs that were taken close to each other, by their GPS data."""
    known = [row for row, position in enumerate(positions) if position is not None]
    places = [position for position in positions if position is not None]
    if len(known) < 2:
        return set()
    degrees = np.radians([[place.latitude, place.longitude] for place in places])
    north = degrees[:, 0] * _EARTH_RADIUS
    east = degrees[:, 1] * _EARTH_RADIUS * np.cos(degrees[:, 0].mean())
    metres = np.stack([north, east], axis=1)
    heights = np.array([_UNKNOWN_HEIGHT if p.height is None else p.height for p in places])
    reach = _DISTANCE_PER_HEIGHT * float(np.clip(np.median(heights), *_HEIGHTS))
    tree, rows = cKDTree(metres), np.array(known)
    most = min(len(known), 4 * _PARTNERS)
    distances, nearest = tree.query(metres, k=most, distance_upper_bound=reach)
    votes = [
        (min(row, rows[other]), max(row, rows[other]), _LEAST_VOTES + 1000 - rank)
        for row, others, near in zip(known, nearest, distances, strict=True)
        for rank, (other, distance) in enumerate(zip(others, near, strict=True))
        if np.isfinite(distance) and rows[other] != row
    ]
    best = _best(np.array(votes, dtype=np.int64).reshape(-1, 3), sides)
    return {Candidate(first, second, False) for first, second in best}
