"""One thing that is wrong, or worth a look, with a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aerialseg.data.notices import named, with_own_keys

Severity: TypeAlias = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""From what makes training fail or its scores mean nothing, to what is worth a look."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a data set.

    Attributes:
        severity: ``error`` if the data cannot be trained on as they are, or scores of them mean
            nothing; ``warning`` if that may be meant; ``note`` for what is worth a look.
        code: Its kind, in snake_case; the same in every release.
        message: What was found, in one line.
        files: The ids of the images that it is about; of files without an image their names.
        next_step: What to do, in one line; empty if nothing has to be done.
        pairs: The ids of images that show one place, where the finding is about such pairs; those
            that share most come first.
    """

    severity: Severity
    code: str
    message: str
    files: tuple[str, ...] = ()
    next_step: str = ""
    pairs: tuple[tuple[str, str], ...] = ()


def found(
    severity: Severity,
    code: str,
    line: str,
    files: Sequence[str] = (),
    *,
    next_step: str | None = None,
    pairs: Sequence[tuple[str, str]] = (),
) -> Finding:
    """A finding in the words of the data set that it is about.

    Args:
        severity: See :class:`Finding`.
        code: Likewise.
        line: What was found.
        files: The ids of the images.
        next_step: What to do; None if the line says it after its first semicolon.
        pairs: See :class:`Finding`.
    """
    message = line
    if next_step is None:
        message, _, next_step = line.partition("; ")
    step = with_own_keys(next_step)
    return Finding(severity, code, named(message), tuple(files), step, tuple(pairs))


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings sorted by severity, each severity as it was found."""
    return tuple(sorted(findings, key=lambda each: SEVERITIES.index(each.severity)))
