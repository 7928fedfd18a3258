"""Whether the labels of a whole data set make sense: what no single mask can show."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.mask_encoding import MaskEncoding, mask_values_of
from aerialseg.data.notices import say_once
from aerialseg.errors import DataError

logger = logging.getLogger(__name__)

_SHOWN = 6  # classes or values named in one line
_FEW = 2  # values, in masks that may be of another class table
_SUSPICIOUS = 0.5  # share of pixels that are ignored, from which on somebody is asked


@dataclass(frozen=True)
class LabelCounts:
    """The pixels of masks by class.

    Attributes:
        classes: ``(N, num_classes)`` int64, a row for each mask or window of one.
        ignored: ``(N,)`` int64, the pixels that are ignored.
        nodata: ``(N,)`` int64, those of them where the image holds no data.
    """

    classes: npt.NDArray[np.int64]
    ignored: npt.NDArray[np.int64]
    nodata: npt.NDArray[np.int64]


def check_labels(counts: LabelCounts, encoding: MaskEncoding) -> None:
    """Checks that there is something to learn, and warns of classes that never occur.

    Args:
        counts: Of all masks; without any nothing is checked.
        encoding: How they were read.

    Raises:
        DataError: As :func:`label_error` says it.
    """
    if line := label_error(counts, encoding):
        raise DataError(line)
    if line := label_warning(counts, encoding):
        say_once(logger, logging.WARNING, line)


def label_error(counts: LabelCounts, encoding: MaskEncoding) -> str:
    """Why there is nothing to learn, in one line; empty if there is.

    That is if the table has one class, if every pixel is ignored, or if masks of two values, one of
    them 255, show but one class of the table.
    """
    names, pixels, ignored = encoding.classes.names, counts.classes.sum(axis=0), _ignored(counts)
    if not pixels.any() and not ignored:
        return ""
    if len(names) == 1:
        return (
            f"class table: has one class, '{names[0]}', so there is nothing to tell it from; add "
            "a class for the rest, such as `background: [0, 0, 0]`, in its place by the mask ids"
        )
    present = np.flatnonzero(pixels).tolist()
    if not present:
        return (
            f"masks: every pixel is ignored, so there is nothing to learn; {_ignored_by(encoding)}"
        )
    return _ignored_class(present, ignored, encoding)


def label_warning(counts: LabelCounts, encoding: MaskEncoding) -> str:
    """What is odd about the labels, in one line; empty if nothing is."""
    names, pixels, ignored = encoding.classes.names, counts.classes.sum(axis=0), _ignored(counts)
    present = np.flatnonzero(pixels).tolist()
    labelled = int(pixels.sum()) + ignored - int(counts.nodata.sum())
    unsaid = 0.0
    if labelled and not encoding.says_what_is_ignored:
        unsaid = (ignored - int(counts.nodata.sum())) / labelled
    absent = [name for name, count in zip(names, pixels, strict=True) if not count]
    if absent and present:
        return _absent_line(absent, present, unsaid, encoding)
    return f"masks: {_unsaid_line(unsaid, encoding)}" if unsaid >= _SUSPICIOUS else ""


def _ignored(counts: LabelCounts) -> int:
    return int(counts.ignored.sum())


def shifted_line(values: Collection[int], encoding: MaskEncoding) -> str | None:
    """One line about masks whose values fit the table once they are given their classes.

    Args:
        values: All that occur in the masks, of which some are outside the class table.
        encoding: How the masks were read.

    Returns:
        None if the values are not as many as the classes.
    """
    names, found = encoding.classes.names, sorted(values)
    if encoding.mask_values is not None or encoding.is_painted:
        return None
    said = (
        f"masks: hold the values {_listed(found)}, while the class table has {len(names)} classes "
        f"(ids 0 to {len(names) - 1})"
    )
    labels = [value for value in found if value != IGNORE_INDEX]
    for candidates in (labels, found):
        if len(candidates) == len(names):
            return (
                f"{said}; if they stand for its classes in this order, set "
                f"{mask_values_of(candidates, names)}, else say so with their own classes"
            )
        # With all ids of the table among them, one more that does not follow on them is a mistake.
        is_stray = set(range(len(names))) <= set(candidates) and candidates[-1] != len(names)
        if len(candidates) == len(names) + 1 and candidates[0] == 0 and not is_stray:
            return (
                f"{said}; if 0 means no label, set data.ignore_values=[0] and "
                f"{mask_values_of(candidates[1:], names)}, else add its class to the table"
            )
    return None


def _ignored_class(present: Sequence[int], ignored: int, encoding: MaskEncoding) -> str:
    """The line about masks in which 255 probably is a class; empty if it is not."""
    given = encoding.mask_values is not None or encoding.says_what_is_ignored
    if encoding.is_painted or given or not ignored or len(present) != 1:
        return ""
    names, value = encoding.classes.names, present[0]
    missing = next(index for index in range(len(names)) if index != value)
    pairs = mask_values_of((value, IGNORE_INDEX), (names[value], names[missing]))
    return (
        f"masks: hold the values {value} and {IGNORE_INDEX} only, and {IGNORE_INDEX} is ignored, "
        f"so '{names[value]}' is the one class that occurs; if {IGNORE_INDEX} stands for "
        f"'{names[missing]}', set {pairs}; if it means no label, data.ignore_values="
        f"[{IGNORE_INDEX}]"
    )


def _absent_line(
    absent: Sequence[str], present: Sequence[int], unsaid: float, encoding: MaskEncoding
) -> str:
    """The warning about classes that never occur, with the likely reason if there is one."""
    shown = ", ".join(f"'{name}'" for name in absent[:_SHOWN])
    more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
    line = f"masks: no pixel is of class {shown}{more}; a class that never occurs is not learnt"
    if unsaid:
        return f"{line}; {_unsaid_line(unsaid, encoding)}"
    if encoding.is_painted or encoding.mask_values is not None:
        return line
    names = encoding.classes.names
    if 0 not in present:
        shifted = mask_values_of(range(1, len(names) + 1), names)
        return (
            f"{line}; the masks hold {_listed(present)} and never 0: if 1 stands for "
            f"'{names[0]}', set {shifted}"
        )
    if len(present) <= _FEW < len(names):
        return f"{line}; the masks hold {_listed(present)} only: is it the right class table?"
    return line


def _unsaid_line(share: float, encoding: MaskEncoding) -> str:
    """That many pixels are ignored although nobody has said so."""
    if encoding.is_painted:
        return (
            f"{share:.2%} of the pixels are white, which is ignored; if it is a class, add it to "
            "the class table; if it means no label, set 'data.ignore_values=[[255, 255, 255]]'"
        )
    return (
        f"{share:.2%} of the pixels are {IGNORE_INDEX}, which is ignored; if it stands for a "
        f"class, say so with data.mask_values; if it means no label, set "
        f"data.ignore_values=[{IGNORE_INDEX}]"
    )


def _ignored_by(encoding: MaskEncoding) -> str:
    if encoding.is_painted:
        return "correct the masks, or the colours of the class table and of data.ignore_values"
    return (
        f"correct the masks, or say which value is which class with data.mask_values "
        f"({IGNORE_INDEX} is ignored unless it stands for a class)"
    )


def _listed(values: Sequence[int]) -> str:
    """``1, 2 and 3``; of many values the first and the last."""
    if len(values) > _SHOWN + 1:
        values_shown = [*map(str, values[: _SHOWN - 1]), "..."]
    else:
        values_shown = list(map(str, values[:-1]))
    return " and ".join(filter(None, [", ".join(values_shown), str(values[-1])]))
