"""The progress bar of a task's work on many images."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.progress import track

T = TypeVar("T")

_LEAST = 6
"""Items from which on a bar is shown: fewer are done before it could be read."""


def with_progress(items: Sequence[T], description: str) -> Iterable[T]:
    """The items, with a bar that shows how many were done.

    Args:
        items: What the work goes through.
        description: A short one, before the bar.
    """
    return track(items, description, disable=len(items) < _LEAST)
