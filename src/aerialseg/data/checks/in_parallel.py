"""Many files at a time, one in each thread: decoders and OpenCV let others work meanwhile."""

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Progress: TypeAlias = Callable[[Sequence[Any], str], Iterable[Any]]
"""Yields the items of a sequence and shows how far it is, under a short description."""


def in_parallel(
    function: Callable[[T], R], items: Sequence[T], progress: Progress, description: str
) -> list[R]:
    """The results of a function, in the order of the items.

    An error, or a signal that stops the process, ends it once the items that are in work are done.

    Args:
        function: Called in a thread.
        items: What it is called with.
        progress: Shows how many are done.
        description: Of the work.
    """
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())
    waiting = [pool.submit(function, item) for item in items]
    shown = iter(progress(waiting, description))
    try:
        return [future.result() for future in shown]
    finally:
        pool.shutdown(cancel_futures=True)
        if isinstance(shown, Generator):
            shown.close()  # now: when the interpreter ends, a bar cannot be drawn any more
