"""One problem of a config, and the nearest valid name for a wrong one."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

_FEW = 24


class Problem(NamedTuple):
    """What is wrong, and where: ``trainer.max_epoch``, ``augmentation.transforms[0].p``."""

    path: str
    text: str

    def __str__(self) -> str:
        """The line that is shown."""
        return f"{self.path}: {self.text}"


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
