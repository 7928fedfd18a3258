"""What was found while reading and drawing annotations: counted, and said in one line each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from aerialseg.data.layouts.listing import count
from aerialseg.errors import DataError

FEW_POINTS = "polygons of fewer than 3 points, which have no area, left out"
NO_AREA = "points, lines and other shapes without an area, left out"

_SHOWN = 10
"""Problems printed at once."""


class Findings:
    """What does not stop a conversion but should not pass unsaid either, by kind."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """Notes one case.

        Args:
            kind: What it is and what becomes of it; the number of cases is put behind.
            name: The image and the place in its file.
        """
        self._found.setdefault(kind, []).append(name)

    def take(self, other: "Findings") -> None:
        """Adds the cases of others."""
        for kind, names in other._found.items():
            self._found.setdefault(kind, []).extend(names)

    def lines(self) -> Iterator[str]:
        """One line a kind, with the number of cases and the first of them."""
        for kind, names in self._found.items():
            yield f"{kind}: {count(names, 'case')}"


def check_once(values: Iterable[object], key: str, where: str) -> None:
    """Checks that a file describes no image twice.

    Args:
        values: Of each image, what only one may have.
        key: What that is, such as ``name``.
        where: The file.

    Raises:
        DataError: If images share one.
    """
    times = Counter(values)
    if twice := [str(value) for value, number in times.items() if number > 1]:
        raise DataError(f"{where}: more than one image for {count(twice, key)}; keep one of each")


def stop_at(problems: Sequence[str], what: str = "problem") -> None:
    """Raises DataError with the first of the problems, if there are any."""
    if problems:
        rest = len(problems) - _SHOWN
        more = (
            [f"and {rest} more {what}{'' if rest == 1 else 's'} of this kind"] if rest > 0 else []
        )
        raise DataError(*problems[:_SHOWN], *more)
