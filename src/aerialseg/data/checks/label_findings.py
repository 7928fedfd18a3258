"""Findings about the labels of a data set: what no single mask can show."""

from collections.abc import Iterator, Sequence

import numpy as np

from aerialseg.data.checks.finding import Finding, found
from aerialseg.data.checks.inspected import Examined, InspectedImage
from aerialseg.data.checks.label_checks import LabelCounts, label_error, label_warning
from aerialseg.data.checks.label_tags import nodata_tag_line
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.layouts.listing import Split
from aerialseg.durations import counted

_MOSTLY = 0.9  # of the pixels of a mask, from which on it teaches next to nothing


def label_findings(examined: Sequence[Examined], encoding: MaskEncoding) -> Iterator[Finding]:
    """Classes that never occur, and ids that may mean something else.

    Args:
        examined: The samples of one data set.
        encoding: How their masks are read.
    """
    labelled = [e for e in examined if e.counts is not None and e.sample.mask is not None]
    if not labelled:
        return
    rows = np.array([each.counts for each in labelled])
    counts = LabelCounts(rows[:, :-2], rows[:, -2], rows[:, -1])
    ids = [each.sample.id for each in labelled]
    if line := label_error(counts, encoding):
        yield found("error", "nothing_to_learn", line, ids)
    elif line := label_warning(counts, encoding):
        is_absent = not counts.classes.sum(axis=0).all()
        yield found("warning", "class_absent" if is_absent else "many_ignored", line)
    masks = (each.sample.mask for each in labelled if each.sample.mask is not None)
    if line := nodata_tag_line(masks, encoding):
        yield found("warning", "nodata_tag", line)


def ignored_findings(images: Sequence[InspectedImage]) -> Iterator[Finding]:
    """Masks of which nearly all pixels are ignored."""
    shares = [(each.sample.id, each.ignored_share or 0.0) for each in images]
    if ids := [key for key, share in shares if share >= _MOSTLY]:
        yield found(
            "note",
            "mostly_ignored",
            f"{counted(len(ids), 'image')} of which at least {_MOSTLY:.0%} of the pixels are "
            "ignored, so that they teach next to nothing; label them, or leave them out",
            ids,
        )


def side_findings(images: Sequence[InspectedImage], names: Sequence[str]) -> Iterator[Finding]:
    """Classes that one side of the split lacks although the other has them.

    Args:
        images: Of all data sets.
        names: Of the classes that are trained.
    """
    present = {split: _present(images, split, len(names)) for split in ("train", "val")}
    lacking: tuple[tuple[Split, Split, str], ...] = (
        ("train", "val", "it is not learnt, and its score is 0"),
        ("val", "train", "it has no score"),
    )
    for split, other, why in lacking:
        if not any(each.sample.split == split for each in images):
            continue
        for index in np.flatnonzero(present[other] & ~present[split]).tolist():
            with_it = [
                each.sample.id
                for each in images
                if each.pixels is not None and each.pixels[index] and each.sample.split == other
            ]
            yield found(
                "warning",
                f"class_absent_from_{split}",
                f"class '{names[index]}' is in no mask of {split}, so {why} ({other} has it in "
                f"{counted(len(with_it), 'image')}); label more images with it, or try another "
                "data.split_seed or data.val_fraction",
                with_it,
            )


def _present(images: Sequence[InspectedImage], split: str, classes: int) -> np.ndarray:
    """``(classes,)`` bool: which classes occur in a split."""
    found_in = np.zeros(classes, dtype=bool)
    for each in images:
        if each.sample.split == split and each.pixels is not None:
            found_in |= each.pixels > 0
    return found_in
