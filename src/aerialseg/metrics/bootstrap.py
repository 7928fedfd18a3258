"""How far scores would differ on other images of the same kind: a bootstrap over groups.

Neighbouring frames show the same place, so they are drawn together: a draw takes as many groups as
there are, with replacement, adds their confusion matrices and scores the sum. Percentile intervals
are too narrow when groups are few; theirs are widened as Hesterberg (2015, "What Teachers Should
Know About the Bootstrap") says, to the width of Student's t on groups - 1 degrees of freedom.
Of fewer than five groups there is no interval: with four, one in twenty differences that are chance
would seem sure, with two one in four.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import torch
from scipy import stats
from torch import Tensor

DRAWS = 10_000
LEVEL = 0.95
FEWEST = 5
"""Groups that an interval needs."""

Score: TypeAlias = Callable[[Tensor], Tensor]
"""``(..., C, C)`` confusion matrices to their scores, ``(...)`` or ``(..., C)``."""


@dataclass(frozen=True)
class Interval:
    """A 95 % interval.

    Attributes:
        low: Its lower end.
        high: Its upper end.
    """

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        """Whether it covers a value."""
        return self.low <= value <= self.high


def sum_by_group(matrices: Tensor, groups: Sequence[str]) -> Tensor:
    """Adds the matrices of each group.

    Args:
        matrices: ``(N, C, C)`` integer, one for each image.
        groups: The group of each image.

    Returns:
        ``(G, C, C)`` int64, in the order of the first image of each group.
    """
    rows = {name: row for row, name in enumerate(dict.fromkeys(groups))}
    index = torch.tensor([rows[name] for name in groups], dtype=torch.int64)
    sums = torch.zeros(len(rows), *matrices.shape[1:], dtype=torch.int64)
    return sums.index_add(0, index, matrices.to(torch.int64))


def intervals(groups: Tensor, score: Score, *, seed: int = 0) -> list[Interval | None]:
    """The 95 % interval of each score.

    Args:
        groups: ``(G, C, C)`` integer, as :func:`sum_by_group` adds them.
        score: Of a matrix; one score, or one for each class.
        seed: Of the draws.

    Returns:
        One for each score; ``None`` where fewer than ``FEWEST`` groups have it, as with a class
        that is in few places.
    """
    draws = _draws(len(groups), seed)
    drawn = score(_sums(groups, draws)).view(len(draws), -1)  # (draws, scores)
    found = score(groups).view(len(groups), -1).isfinite().sum(0)
    return [_interval(column, int(count)) for column, count in zip(drawn.T, found, strict=True)]


def paired_difference(
    before: Tensor, after: Tensor, score: Score, *, seed: int = 0
) -> tuple[float, Interval | None]:
    """How much better ``after`` is than ``before``, on the same groups of images.

    A draw takes the same groups for both, so what makes a place hard for both cancels.

    Args:
        before: ``(G, C, C)`` integer.
        after: Likewise, in the same order of groups.
        score: Of a matrix, one number.
        seed: Of the draws.

    Returns:
        The difference on all groups, and its 95 % interval; ``None`` if there are too few.

    Raises:
        ValueError: If the two have different groups.
    """
    (found,) = paired_differences(before, after, score, seed=seed)
    return found


def paired_differences(
    before: Tensor, after: Tensor, score: Score, *, seed: int = 0
) -> list[tuple[float, Interval | None]]:
    """As :func:`paired_difference`, of each score where ``score`` gives one for each class.

    Returns:
        One for each score: NaN where one of the two has none; without an interval where fewer than
        ``FEWEST`` groups have it in both.

    Raises:
        ValueError: If the two have different groups.
    """
    if before.shape != after.shape:
        shapes = f"{tuple(before.shape)} and {tuple(after.shape)}"
        raise ValueError(f"matrices of groups have shapes {shapes}; wanted the same")
    draws = _draws(len(before), seed)
    drawn = (score(_sums(after, draws)) - score(_sums(before, draws))).view(len(draws), -1)
    differences = (score(after.sum(0)) - score(before.sum(0))).view(-1).tolist()
    in_both = (score(after) - score(before)).view(len(before), -1).isfinite().sum(0).tolist()
    columns = zip(differences, drawn.T, in_both, strict=True)
    return [(difference, _interval(column, count)) for difference, column, count in columns]


def _draws(groups: int, seed: int) -> Tensor:
    """``(DRAWS, groups)`` float64: how often each group is in each draw."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(groups, (DRAWS, groups), generator=generator)
    return torch.zeros(DRAWS, groups, dtype=torch.float64).scatter_add_(
        1, chosen, torch.ones(chosen.shape, dtype=torch.float64)
    )


def _sums(groups: Tensor, draws: Tensor) -> Tensor:
    """``(DRAWS, C, C)`` float64; exact up to 2**53 pixels."""
    return (draws @ groups.flatten(1).double()).view(len(draws), *groups.shape[1:])


def _interval(drawn: Tensor, groups: int) -> Interval | None:
    """The interval between quantiles; draws without the class do not count."""
    drawn = drawn[drawn.isfinite()]
    if groups < FEWEST:
        return None
    ends = torch.quantile(drawn, torch.tensor(_tails(groups), dtype=torch.float64))
    return Interval(*ends.tolist())


def _tails(groups: int) -> tuple[float, float]:
    """Below and above which share of the draws an interval ends."""
    t = float(stats.t.ppf((1 + LEVEL) / 2, groups - 1))
    tail = NormalDist().cdf(-t * math.sqrt(groups / (groups - 1)))
    return tail, 1 - tail
