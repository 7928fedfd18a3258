"""Errors that a user can fix: short lines without a traceback."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

_FEW = 24
"""The most names that are listed in one line."""


class AerialsegError(Exception):
    """One or more problems, each one line: what, where, got, wanted, next step.

    Attributes:
        label: The prefix of each printed line.
        problems: The lines, without the label.
    """

    label: ClassVar[str] = "error"

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def lines(self) -> str:
        """The problems as printed: one labelled line each."""
        return "\n".join(f"{self.label}: {problem}" for problem in self.problems)


class ConfigError(AerialsegError):
    """The configuration is invalid."""

    label = "config error"


class DataError(AerialsegError):
    """A data set, image, mask or table cannot be used as it is."""

    label = "data error"


class CheckpointError(AerialsegError):
    """A checkpoint or weight file is missing, damaged, of the wrong kind or does not fit."""

    label = "checkpoint error"


class TrainingError(AerialsegError):
    """Training cannot start or continue."""

    label = "training error"


@dataclass(frozen=True)
class Failure:
    """Why a job has no result.

    Attributes:
        reason: In one line.
    """

    reason: str

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """The failure without the error, whose traceback would keep a network in memory."""
        if isinstance(error, AerialsegError):
            return cls("; ".join(error.problems))
        return cls(" ".join(f"{type(error).__name__}: {error}".split()))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` with the nearest known name, else all names if there are few."""
    names = sorted(known)
    if nearest := nearest_name(name, names):
        return f"; did you mean '{nearest}'?"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= _FEW else ""


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to ``name``, if one is close enough."""
    names = sorted(known)
    similar = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    # difflib finds no match for one-letter names: 'prob' means 'p'.
    initial = [candidate for candidate in names if candidate == name[:1]]
    # Nor does it see a short name behind letters that are swapped and doubled: 'apss' means 'aspp'.
    shuffled = [each for each in names if each[:1] == name[:1] and set(each) == set(name)]
    # Nor the beginning of a long one: 'unet' means 'unet_resnet18'.
    begun = [each for each in names if len(name) > 2 and each.startswith(name)]
    return next(iter(similar + initial + shuffled + begun), None)
