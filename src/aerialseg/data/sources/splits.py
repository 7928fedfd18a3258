"""The split into training and validation: made once, the same everywhere, leak-free."""

import csv
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.store import go_without
from aerialseg.data.layouts.listing import Sample, Split
from aerialseg.data.notices import say_once
from aerialseg.data.sources.split_groups import grouped_by_pattern, groups_of, marked
from aerialseg.errors import AerialsegError, ConfigError, DataError
from aerialseg.storage.atomic_files import csv_text, write_text
from aerialseg.storage.fingerprints import fingerprint

logger = logging.getLogger(__name__)

BOTH_GROUPS = (
    "data.groups: is set, and data.group_pattern too, so it is not clear which images belong "
    "together; add data.group_pattern=null to go by the table, or leave data.groups out"
)
"""What is wrong if a split has both."""

_METHOD = 1  # goes into the fingerprint; a new number remakes every cached split
_FLIPS = 200  # improvements after the first pass; a data set of 3,000 images takes a few dozen


@dataclass(frozen=True)
class SplitSettings:
    """How samples without an official split are divided.

    Attributes:
        val_fraction: Share of the images that validate, above 0 and below 1.
        group_pattern: Regular expression with one group, searched in the id; what it captures
            is the id's group. Ids it does not match are groups of their own, as all are for None.
        seed: Another seed makes another split.
        groups: CSV file with the group of each image, instead of the pattern; None for none.
    """

    val_fraction: float
    group_pattern: str | None
    seed: int
    groups: Path | None = None

    @property
    def groups_images(self) -> bool:
        """Whether images are kept together at all."""
        return self.group_pattern is not None or self.groups is not None

    @property
    def grouped_by(self) -> str:
        """What keeps images together, as it is typed; empty if nothing does."""
        if self.groups is not None:
            return f"data.groups={self.groups.name}"
        return "" if self.group_pattern is None else f"data.group_pattern={self.group_pattern}"

    def groups_of_ids(self, ids: Sequence[str]) -> dict[str, str]:
        """The group of each of all ids, whatever split an image has.

        Raises:
            DataError: If the table of groups does not fit them.
        """
        if self.groups is not None:
            return groups_of(ids, None, self.groups)
        return marked(grouped_by_pattern(ids, self.group_pattern))

    def groups_among(self, samples: Sequence[Sample]) -> dict[str, str]:
        """The group of each sample without an official split, by id.

        Raises:
            ConfigError: As :func:`~aerialseg.data.sources.split_groups.groups_of`.
            DataError: Likewise.
        """
        divided = [sample.id for sample in samples if sample.split is None]
        known = [sample.id for sample in samples]
        if not divided:  # whatever pattern or table may say
            return {}
        return groups_of(divided, self.group_pattern, self.groups, known=known)


def split_samples(
    samples: Sequence[Sample],
    presence: npt.NDArray[np.bool_],
    settings: SplitSettings,
    *,
    cache_dir: Path,
) -> tuple[Sample, ...]:
    """Gives each sample without an official split to training or validation.

    Neighbouring frames show the same place, so whole groups go to one side; groups are chosen so
    that each class occurs in about ``val_fraction`` of its images on the validation side, and
    on both sides wherever it occurs in two groups. The result does not depend on the order of
    ``samples``, and is kept as a CSV file below ``cache_dir``.

    Args:
        samples: Those with a split keep it.
        presence: ``(len(samples), num_classes)`` bool: which class occurs in which mask.
        settings: How they are divided.
        cache_dir: The file is ``splits/FINGERPRINT.csv`` in it.

    Raises:
        ConfigError: If ``val_fraction`` or ``group_pattern`` is not of its kind, if the pattern
            fits no id, or if there is a table of groups beside it.
        DataError: If training or validation is left without a sample, or the table of groups is
            not one of these images.
    """
    _check_arguments(settings)
    open_rows = [row for row, sample in enumerate(samples) if sample.split is None]
    chosen: dict[str, Split] = {}
    if open_rows:
        groups = settings.groups_among(samples)
        _check_groups(set(groups.values()), settings)
        made_from = [_METHOD, sorted(groups.items()), settings.val_fraction, settings.seed]
        by_id = sorted(open_rows, key=lambda row: samples[row].id)
        key = fingerprint(made_from, np.packbits(presence[by_id]).tobytes())
        path = cache_dir / "splits" / f"{key[:32]}.csv"
        found = _read(path, groups)
        chosen = found or _make(groups, samples, presence, settings)
        if found is None:
            _keep(path, chosen, cache_dir)
    elif settings.groups is not None:
        line = f"data.groups: {settings.groups} is not used, as all images have an official split"
        say_once(logger, logging.WARNING, line)
    result = tuple(replace(s, split=chosen[s.id]) if s.split is None else s for s in samples)
    _check_not_empty(result)
    return result


def _make(
    groups: dict[str, str],
    samples: Sequence[Sample],
    presence: npt.NDArray[np.bool_],
    settings: SplitSettings,
) -> dict[str, Split]:
    """The side of each sample in ``groups``, which says the group of each."""
    names = sorted(set(groups.values()))
    place = {name: number for number, name in enumerate(names)}
    # Column 0 counts images, the others the images in which each class occurs.
    table = np.zeros((len(names), 1 + presence.shape[1]), dtype=np.int64)
    for row, sample in enumerate(samples):
        if sample.id in groups:
            table[place[groups[sample.id]]] += [1, *presence[row]]
    in_val = choose_groups(table[:, table.any(axis=0)], settings.val_fraction, settings.seed)
    return {key: "val" if in_val[place[name]] else "train" for key, name in sorted(groups.items())}


def choose_groups(
    table: npt.NDArray[np.int64], val_fraction: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Picks the groups that validate.

    Begins with the one group that serves best. A pass in random order takes each group that
    brings the shares closer to ``val_fraction``; then the change of one group that helps most is
    made, until none helps.

    Args:
        table: ``(groups, 1 + classes)`` int64: images, and images with each class; at least
            two groups, and no column of zeros.
        val_fraction: The share of every column that is wanted.
        seed: Decides the order of the pass, and between groups that serve equally well.

    Returns:
        ``(groups,)`` bool, True for at least one group and False for at least one.
    """
    order = np.random.default_rng(seed).permutation(len(table))
    table = table[order]
    total = table.sum(axis=0)
    on_two_sides = (table > 0).sum(axis=0) > 1

    def costs(sums: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        squares = (sums / total - val_fraction) ** 2
        squares[..., 0] *= table.shape[1]  # the number of images weighs as much as all classes
        one_sided = ((sums == 0) | (sums == total)) & on_two_sides
        result: npt.NDArray[np.float64] = (squares + one_sided).sum(axis=-1)
        return np.where(one_sided[..., 0], np.inf, result)  # neither side may be empty

    first = int(costs(table).argmin())
    in_val: npt.NDArray[np.bool_] = np.arange(len(table)) == first
    sums = table[first]
    for group in range(len(table)):
        if not in_val[group] and costs(sums + table[group]) < costs(sums):
            in_val[group] = True
            sums = sums + table[group]
    for _ in range(_FLIPS):
        flipped = sums + np.where(in_val, -1, 1)[:, None] * table
        after = costs(flipped)
        best = int(after.argmin())
        if after[best] >= costs(sums) - 1e-12:
            break
        in_val[best] = not in_val[best]
        sums = flipped[best]
    result = np.empty_like(in_val)
    result[order] = in_val
    return result


def _read(path: Path, groups: dict[str, str]) -> dict[str, Split] | None:
    """The split of these samples from its file; None if there is none or it is damaged."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if len(row) == 2][1:]
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (OSError, ValueError, csv.Error):
        rows = []
    chosen: dict[str, Split] = {key: "val" if side == "val" else "train" for key, side in rows}
    if list(chosen) == sorted(groups) and {side for _, side in rows} == {"train", "val"}:
        return chosen
    logger.warning("%s is damaged; the split is made again", path)
    return None


def _keep(path: Path, chosen: dict[str, Split], cache_dir: Path) -> None:
    try:
        write_text(path, csv_text(("id", "split"), chosen.items()))
    except AerialsegError as error:  # made anew it is the same
        go_without(cache_dir, error)


def _check_arguments(settings: SplitSettings) -> None:
    """Raises ConfigError if the fraction or the pattern is invalid."""
    val_fraction, group_pattern = settings.val_fraction, settings.group_pattern
    if not 0 < val_fraction < 1:
        raise ConfigError(
            f"data.val_fraction: is {val_fraction}, wanted more than 0 and less than 1"
        )
    if group_pattern is not None and settings.groups is not None:
        raise ConfigError(BOTH_GROUPS)
    try:
        groups = 1 if group_pattern is None else re.compile(group_pattern).groups
    except re.error as error:
        raise ConfigError(
            f"data.group_pattern: {group_pattern!r} is no regular expression: {error}"
        ) from None
    if groups != 1:
        raise ConfigError(
            f"data.group_pattern: {group_pattern!r} has {groups} groups in round brackets, "
            r"wanted one, as in '^(.+)_\d+$'"
        )


def _check_groups(names: set[str], settings: SplitSettings) -> None:
    """Raises DataError if there is nothing to divide."""
    if len(names) > 1:
        return
    if settings.groups is not None:
        raise DataError(
            f"the split needs two groups of images, found one in data.groups={settings.groups}; "
            "add images or change the table"
        )
    pattern = settings.group_pattern
    why = "" if pattern is None else f" under data.group_pattern={pattern}"
    raise DataError(
        f"the split needs two groups of images, found {len(names)}{why}; "
        "add images or change data.group_pattern"
    )


def _check_not_empty(samples: Sequence[Sample]) -> None:
    """Raises DataError if training or validation has no sample."""
    splits = {sample.split for sample in samples}
    wanted: tuple[Split, ...] = ("train", "val")
    problems = [
        f"the {split} split is empty: none of {len(samples)} samples is in it; "
        "check the data set's lists"
        for split in wanted
        if split not in splits
    ]
    if problems:
        raise DataError(*problems)
