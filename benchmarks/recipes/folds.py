"""Folds over places: what is tested, and how the rest is split into training and validation."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.layouts.listing import Sample
from aerialseg.data.sources.splits import SplitSettings, split_samples


def held_out(places: Mapping[str, str], count: int) -> list[frozenset[str]]:
    """The places of each fold's test part: each place in one fold, images spread evenly.

    Args:
        places: The place of each image by its id.
        count: The number of folds, 2 or more.

    Raises:
        ValueError: If there are fewer places than folds.
    """
    sizes = Counter(places.values())
    if not 2 <= count <= len(sizes):
        raise ValueError(
            f"--folds {count}: there are {len(sizes)} places to hold out; wanted 2 to {len(sizes)}"
        )
    folds: list[set[str]] = [set() for _ in range(count)]
    images = [0] * count
    for place, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        smallest = min(range(count), key=lambda fold: (images[fold], fold))
        folds[smallest].add(place)
        images[smallest] += size
    return [frozenset(fold) for fold in folds]


def split_of_fold(
    samples: Sequence[Sample],
    presence: npt.NDArray[np.bool_],
    places: Mapping[str, str],
    test: Set[str],
    settings: SplitSettings,
    *,
    cache_dir: Path,
) -> dict[str, str]:
    """``train``, ``val`` or ``test`` by id; the first two as the product splits what is left.

    Args:
        samples: All of them; a split that they have counts for nothing.
        presence: ``(len(samples), num_classes)`` bool: which class occurs in which mask.
        places: The place of each id.
        test: The places of the test part.
        settings: How the others are split.
        cache_dir: Where the product keeps the split.

    Raises:
        DataError: If training or validation is left without an image.
    """
    rows = [row for row, sample in enumerate(samples) if places[sample.id] not in test]
    others = [replace(samples[row], split=None) for row in rows]
    split = split_samples(others, presence[rows], settings, cache_dir=cache_dir)
    sides = {sample.id: str(sample.split) for sample in split}
    return {sample.id: sides.get(sample.id, "test") for sample in samples}
