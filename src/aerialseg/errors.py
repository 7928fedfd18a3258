"""Errors that a user can mend: short lines without a traceback."""

import difflib
from collections.abc import Iterable
from typing import ClassVar

_FEW = 24
"""Names that one line can list."""


class AerialsegError(Exception):
    """One or more problems, each one line: what, where, got, wanted, next step.

    Attributes:
        label: What the printed lines begin with.
        problems: The lines themselves, without the label.
    """

    label: ClassVar[str] = "error"

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def lines(self) -> str:
        """The problems as they are shown: one labelled line each."""
        return "\n".join(f"{self.label}: {problem}" for problem in self.problems)


class ConfigError(AerialsegError):
    """The configuration asks for something that cannot be."""

    label = "config error"


class DataError(AerialsegError):
    """A data set, image, mask or table cannot be used as it is."""

    label = "data error"


class CheckpointError(AerialsegError):
    """A checkpoint or weight file is missing, foreign, damaged or does not fit."""

    label = "checkpoint error"


class TrainingError(AerialsegError):
    """Training cannot start or go on."""

    label = "training error"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` with the nearest known name, else the names if they are few."""
    names = sorted(known)
    if nearest := nearest_name(name, names):
        return f"; did you mean '{nearest}'?"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= _FEW else ""


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if one is near enough."""
    names = sorted(known)
    similar = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    # Names of one letter are near to nothing: 'prob' means 'p'.
    initial = [candidate for candidate in names if candidate == name[:1]]
    return next(iter(similar + initial), None)
