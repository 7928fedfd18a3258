"""Blending the network's output of overlapping tiles."""

import torch
from torch import Tensor


class RowBlender:
    """A weighted mean of outputs on the grid of their cells, row by row from the top.

    A tile counts most in its middle and least at its edges, where the network sees least of what is
    around: along an edge the weight rises over the overlap. So the mean passes from one tile to the
    next without a step.

    Args:
        width: Columns of the grid in cells.
        tile: Rows and columns of a tile in cells.
        overlap: Rows and columns of cells that neighbouring tiles share.
        first: The first row that is held.
    """

    def __init__(
        self, width: int, tile: tuple[int, int], overlap: tuple[int, int], *, first: int = 0
    ) -> None:
        down, across = (_ramp(*edges) for edges in zip(tile, overlap, strict=True))
        self._weights = down[:, None] * across
        self._first = first
        self._sum = torch.zeros(0, 0, width)
        self._weight = torch.zeros(0, width)

    def add(self, output: Tensor, top: int, left: int) -> None:
        """Adds a tile.

        Args:
            output: ``(C, h, w)`` float, of the size of a tile.
            top: Its first row in the grid, none of those that are forgotten.
            left: Its first column.
        """
        height, width = self._weights.shape
        self.reach(top + height, channels=output.shape[0])
        rows, columns = slice(top - self._first, None), slice(left, left + width)
        self._sum[:, rows, columns][:, :height] += output.float().cpu() * self._weights
        self._weight[rows, columns][:height] += self._weights

    def reach(self, end: int, *, channels: int) -> None:
        """Makes rows up to ``end``, which tiles that are left out may never do."""
        missing = end - self._first - self._weight.shape[0]
        if missing > 0 or self._sum.shape[0] != channels:
            width = self._weight.shape[1]
            kept = self._sum if self._sum.shape[0] else torch.zeros(channels, 0, width)
            self._sum = torch.cat([kept, torch.zeros(channels, max(0, missing), width)], dim=1)
            self._weight = torch.cat([self._weight, torch.zeros(max(0, missing), width)])

    def mean(self, start: int, end: int) -> Tensor:
        """The blended rows from ``start`` to ``end``: ``(1, C, end - start, width)`` float.

        They are final if no later tile reaches them. Where no tile was added they are 0.
        """
        rows = slice(start - self._first, end - self._first)
        return (self._sum[:, rows] / self._weight[rows].clamp(min=1e-12))[None]

    def forget(self, end: int) -> None:
        """Drops the rows before ``end``."""
        number = end - self._first
        if number > 0:
            self._sum, self._weight = self._sum[:, number:].clone(), self._weight[number:].clone()
            self._first = end


def _ramp(length: int, overlap: int) -> Tensor:
    """Weights along an edge: they rise over the overlap, and fall likewise at the other end."""
    places = torch.arange(length) + 0.5
    distance = torch.minimum(places, length - places)
    return (distance / max(overlap, 1)).clamp(max=1.0)
