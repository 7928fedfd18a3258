"""Counts and percentages short enough for a cell of the matrix."""

import numpy as np
import numpy.typing as npt


def row_shares(matrix: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """``(C, C)`` float: each count's share of its row, 0 to 1; empty rows are NaN."""
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.full(matrix.shape, np.nan)
    np.divide(matrix, totals, out=shares, where=totals > 0)
    return shares


def short_count(count: int) -> str:
    """A count in at most four characters: ``987``, ``1.2k``, ``34k``, ``5.6M``, ``7.8G``."""
    for unit, letter in ((1, ""), (10**3, "k"), (10**6, "M"), (10**9, "G"), (10**12, "T")):
        scaled = count / unit
        if unit > 1 and scaled < 9.95:
            return f"{scaled:.1f}{letter}"
        if round(scaled) < 1000:
            return f"{round(scaled)}{letter}"
    return f"{count:.0e}"


def short_percent(share: float, *, decimals: int = 1) -> str:
    """A share from 0 to 1 in percent, without the percent sign: ``7.3``, ``100``.

    Exactly zero is ``0``; ``0.0`` is a small share above zero.
    """
    if share == 0 or share >= 0.9995:
        return f"{100 * share:.0f}"
    return f"{100 * share:.{decimals}f}"
