"""In which order unlabelled images are worth labelling."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

_MOSTLY = 0.5  # of the smaller image: what shows so much of an earlier one waits
_SHORTEST = 1e-9  # of a step between equal images, which a sparse array must not lose


@dataclass(frozen=True)
class RankedImage:
    """An image in the order of labelling.

    Attributes:
        index: Of the image.
        shown_by: Index of an earlier one that shows most of the same; None if none shows half.
        share: How much of the smaller of the two both show, 0.5 to 1, at least; 0 without one.
    """

    index: int
    shown_by: int | None
    share: float


def labelling_order(
    uncertainty: npt.NDArray[np.float64],
    overlaps: Sequence[tuple[int, int, float]],
    *,
    labelled: Collection[int] = (),
) -> list[RankedImage]:
    """The order of all images but those that are labelled.

    Each image that is taken adds most to the sum, over classes, of the square root of the
    uncertainty that was taken before: the network's doubts about a class that few images show
    count more than further doubts about a frequent one. What shows at least half of the place of
    an image that was taken waits until every place was taken once; then each has a second turn,
    and so on. Frames of one place need not all be known as pairs: if ``a`` shows 90 % of ``b`` and
    ``b`` 80 % of ``c``, then ``a`` shows at least 70 % of ``c``, for images of one size.

    Args:
        uncertainty: ``(N, C)``, 0 or more: of each image about each class.
        overlaps: Pairs of images of one place, with the share of the smaller that both show.
        labelled: Images that need no label. Their places come in the second turn.

    Returns:
        One for each image that is not labelled; of equal images the first comes first.
    """
    places = _Places(len(uncertainty), overlaps)
    left = np.ones(len(uncertainty), dtype=bool)
    left[list(labelled)] = False
    taken: npt.NDArray[np.float64] = np.zeros(uncertainty.shape[1])
    before = _Nearest(len(uncertainty))
    waiting = np.zeros(len(uncertainty), dtype=bool)
    for index in labelled:
        waiting |= before.add(index, places.shares(index))
    order: list[RankedImage] = []
    while left.any():
        if not (left & ~waiting).any():
            waiting[:] = False
        fresh = np.flatnonzero(left & ~waiting)
        gains = (np.sqrt(taken + uncertainty[fresh]) - np.sqrt(taken)).sum(axis=1)
        index = int(fresh[gains.argmax()])
        order.append(before.ranked(index))
        left[index] = False
        taken += uncertainty[index]
        waiting |= before.add(index, places.shares(index))
    return order


class _Places:
    """How much images show of each other's places, at least.

    Args:
        count: Number of images.
        overlaps: As of :func:`labelling_order`.
    """

    def __init__(self, count: int, overlaps: Sequence[tuple[int, int, float]]) -> None:
        pairs = np.array([pair[:2] for pair in overlaps], dtype=np.int64).reshape(-1, 2)
        missed = np.array([1.0 - pair[2] for pair in overlaps]).clip(_SHORTEST)
        self._graph = csr_array((missed, (pairs[:, 0], pairs[:, 1])), shape=(count, count))

    def shares(self, index: int) -> npt.NDArray[np.float64]:
        """``(N,)``: what each image shows of one, 0.5 to 1; 0 of what shows less than half."""
        # What a chain of frames loses of the first is at most the sum of what each step loses.
        lost = dijkstra(self._graph, directed=False, indices=index, limit=1.0 - _MOSTLY)
        shares: npt.NDArray[np.float64] = np.where(np.isfinite(lost), 1.0 - lost, 0.0)
        return shares


class _Nearest:
    """For each image, which of those before it shows most of the same.

    Args:
        count: Number of images.
    """

    def __init__(self, count: int) -> None:
        self._by = np.full(count, -1)
        self._share = np.zeros(count)

    def add(self, index: int, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Counts an image in; returns ``(N,)`` which images show mostly the same."""
        closer = shares > self._share
        self._by[closer], self._share[closer] = index, shares[closer]
        return shares > 0

    def ranked(self, index: int) -> RankedImage:
        """One image with the nearest of those counted in."""
        by = int(self._by[index])
        return RankedImage(index, None if by < 0 else by, float(self._share[index]))
