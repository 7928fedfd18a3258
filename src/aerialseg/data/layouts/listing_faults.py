"""Files without a counterpart: errors for training, noted one after the other for an inspection."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from aerialseg.errors import DataError


@dataclass(frozen=True)
class ListingFault:
    """What is wrong with the files of a data set, before any is opened.

    Attributes:
        code: The kind of fault, in snake_case; the same in every release.
        problem: The line.
        files: The ids of the files.
    """

    code: str
    problem: str
    files: tuple[str, ...]


_noted: ContextVar[list[ListingFault] | None] = ContextVar("noted", default=None)


@contextmanager
def noting_faults() -> Iterator[list[ListingFault]]:
    """Lets layouts go on without the files that have a fault; yields what is noted meanwhile."""
    found: list[ListingFault] = []
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


def note_or_raise(faults: Sequence[ListingFault]) -> None:
    """Notes faults inside :func:`noting_faults`.

    Raises:
        DataError: Elsewhere, with a line for each, if there are any.
    """
    found = _noted.get()
    if found is not None:
        found.extend(faults)
    elif faults:
        raise DataError(*(fault.problem for fault in faults))
