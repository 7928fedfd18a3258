"""Findings about images of one place: copies, and places on both sides of a split."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from aerialseg.data.checks.finding import Finding, Severity, found
from aerialseg.data.checks.inspected import InspectedImage
from aerialseg.data.checks.overlaps import Overlap
from aerialseg.data.layouts.listing import Split
from aerialseg.durations import counted

_NEARLY_ALL = 0.9  # of the smaller image that the other shows too: hardly a new view
_SHOWN = 2  # pairs that a message names


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images of one place.

    Attributes:
        one: An image.
        other: Another.
        share: The part of the smaller image that the other shows too; 1 for copies of a file.
        is_copy: Whether their files have the same bytes.
    """

    one: InspectedImage
    other: InspectedImage
    share: float
    is_copy: bool

    @property
    def sides(self) -> set[str]:
        """The sides of the split that they are on; of images that are not split, none."""
        return {each.sample.split for each in (self.one, self.other) if each.sample.split}

    @property
    def data_sets(self) -> set[str]:
        """Names of their data sets."""
        return {self.one.sample.data_set, self.other.sample.data_set}


Advice = Callable[[str], str]
"""What to do about images of one data set, by its name, that are on both sides of its split."""


def pairs_of_one_place(images: Sequence[InspectedImage], overlaps: Sequence[Overlap]) -> list[Pair]:
    """All pairs: copies, and images that overlap.

    Args:
        images: Of all data sets.
        overlaps: Indices into ``images``.
    """
    by_digest: dict[str, list[InspectedImage]] = {}
    for image in images:
        if image.measured is not None:
            by_digest.setdefault(image.measured.digest, []).append(image)
    pairs = [
        Pair(same[0], other, 1.0, is_copy=True) for same in by_digest.values() for other in same[1:]
    ]
    for each in overlaps:
        one, other = images[each.first], images[each.second]
        if one.measured is not None and other.measured is not None:
            is_copy = one.measured.digest == other.measured.digest
            if not is_copy:
                pairs.append(Pair(one, other, each.share, is_copy=False))
    return pairs


def copy_findings(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Files with the same bytes."""
    copies = [pair for pair in pairs if pair.is_copy]
    across = [pair for pair in copies if len(pair.sides) > 1]
    kinds: tuple[tuple[str, Severity, list[Pair], str], ...] = (
        ("copy_across_split", "error", across, "on another side of the split"),
        ("copy", "warning", [pair for pair in copies if pair not in across], "in the data"),
    )
    for code, severity, chosen, where in kinds:
        if chosen:
            shown = ", ".join(_names(pair) for pair in chosen[:_SHOWN])
            more = ", ..." if len(chosen) > _SHOWN else ""
            verb = "is" if len(chosen) == 1 else "are"
            line = f"{counted(len(chosen), 'image')} {verb} once more {where}, byte for byte"
            line, step = f"{line} ({shown}{more})", "remove one of each"
            names = _pairs_of(chosen)
            yield found(severity, code, line, _ids(chosen), next_step=step, pairs=names)


def leakage_findings(pairs: Sequence[Pair], advice: Advice) -> Iterator[Finding]:
    """Places that images on several sides of a split show.

    Args:
        pairs: All pairs.
        advice: What to do about those of one data set.
    """
    views = [pair for pair in pairs if not pair.is_copy]
    sets: dict[tuple[str, ...], list[Pair]] = {}
    for pair in views:
        if pair.sides == {"train", "val"}:
            sets.setdefault(tuple(sorted(pair.data_sets)), []).append(pair)
    for names, chosen in sets.items():
        held = _held_out(chosen, "val")
        step = "leave one of each out of its data set" if len(names) > 1 else advice(names[0])
        line, names_held = _leak(held, "validate on", "to train on"), _pairs_held(held)
        yield found("error", "leakage", line, list(held), next_step=step, pairs=names_held)
    yield from _test_findings(views)
    near = [p for p in views if p.share >= _NEARLY_ALL and len(p.sides) < 2]
    if near:
        yield found(
            "note",
            "near_copy",
            f"{counted(len(near), 'pair')} of images that show nearly the same on one side of the "
            f"split (the first: {_names(near[0])}), which count twice",
            _ids(near),
            next_step="leave one of each out where that is not meant",
            pairs=_pairs_of(near),
        )


def _test_findings(views: Sequence[Pair]) -> Iterator[Finding]:
    """Places of test images that other images show too."""
    for side, purpose in (("train", "to train on"), ("val", "to validate on")):
        chosen = [pair for pair in views if pair.sides == {side, "test"}]
        if not chosen:
            continue
        held = _held_out(chosen, "test")
        is_scored = any(p.one.pixels is not None and p.other.pixels is not None for p in chosen)
        level: Severity = "error" if is_scored and side == "train" else "warning"
        step = "move them out of the test split, or these others out of theirs"
        line, kind = _leak(held, "test on", purpose), level if is_scored else "note"
        code, names = f"leakage_{side}_test", _pairs_held(held)
        yield found(kind, code, line, list(held), next_step=step, pairs=names)


def _held_out(pairs: Sequence[Pair], split: Split) -> dict[str, tuple[str, float]]:
    """By id of an image of a split, the image of another that shows most of it, and how much."""
    best: dict[str, tuple[str, float]] = {}
    for pair in pairs:
        one, other = pair.one.sample, pair.other.sample
        mine, theirs = (one, other) if one.split == split else (other, one)
        if pair.share > best.get(mine.id, ("", 0.0))[1]:
            best[mine.id] = (theirs.id, pair.share)
    return dict(sorted(best.items()))


def _leak(held: Mapping[str, tuple[str, float]], purpose: str, others: str) -> str:
    """``3 images to validate on show places that images to train on show too (...)``."""
    worst = sorted(held.items(), key=lambda item: -item[1][1])[:_SHOWN]
    shown = ", ".join(f"{key} = {other}, overlap {share:.0%}" for key, (other, share) in worst)
    verb = "shows a place" if len(held) == 1 else "show places"
    more = ", ..." if len(held) > _SHOWN else ""
    return (
        f"{counted(len(held), 'image')} to {purpose} {verb} that images {others} show too "
        f"({shown}{more}), so scores are too good"
    )


def _names(pair: Pair) -> str:
    return f"{pair.one.sample.id} = {pair.other.sample.id}"


def _pairs_of(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """The ids of pairs, those that share most first."""
    ranked = sorted(pairs, key=lambda pair: -pair.share)
    return [(pair.one.sample.id, pair.other.sample.id) for pair in ranked]


def _pairs_held(held: Mapping[str, tuple[str, float]]) -> list[tuple[str, str]]:
    """Each image that is held out with the one that shows most of it, the worst first."""
    ranked = sorted(held.items(), key=lambda item: -item[1][1])
    return [(key, other) for key, (other, _) in ranked]


def _ids(pairs: Sequence[Pair]) -> list[str]:
    return sorted({each.sample.id for pair in pairs for each in (pair.one, pair.other)})
