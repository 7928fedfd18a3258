"""The data that variants are compared on, with their folds written as tables of a split."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from aerialseg.data.sources.split_groups import groups_of
from aerialseg.data.sources.splits import SplitSettings
from aerialseg.scenes import write_scenes
from aerialseg.storage.atomic_files import csv_text, write_text
from benchmarks.experiment import ROOT
from benchmarks.recipes.folds import held_out, split_of_fold

SCENES_SIZE = (192, 256)
"""Height and width of the demo's scenes."""
_DUBAI_PLACES = r"^(tile(?=[13]_)|til(?=e[78]_)|tile\d+(?=_))"
DEMO_WEIGHTS = ROOT / "weights" / "demo_backbone.pth"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a data set is read, as its experiment in ``conf/experiment`` does.

    Attributes:
        images: Folder of the images below the root.
        masks: Folder of the masks.
        classes: The class table in ``conf/data/classes``.
        group_pattern: Finds the place in an id.
        val_fraction: Share of what is not held out that validates.
        options: Other settings below ``data``, by key.
    """

    images: str
    masks: str
    classes: str
    group_pattern: str
    val_fraction: float
    options: Mapping[str, object]

    @property
    def overrides(self) -> tuple[str, ...]:
        """What is typed to read it, without root and split."""
        return (
            "data=folders",
            f"data/classes={self.classes}",
            f"data.layout.images={self.images}",
            f"data.layout.masks={self.masks}",
            f"data.group_pattern={self.group_pattern}",
            *(f"data.{key}={value}" for key, value in self.options.items()),
        )


@dataclass(frozen=True, slots=True)
class Fold:
    """What is held out, and the table that says so.

    Attributes:
        number: From 0.
        table: CSV file with the split of each image.
        places: Those of the test part.
        images: Number of images by split.
    """

    number: int
    table: Path
    places: tuple[str, ...]
    images: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data set that is ready for runs.

    Attributes:
        overrides: What is typed to read it, without the split.
        images: How many there are.
        folds: All of them.
        weights: Name and digest of the given weights; empty if the default ones are used.
    """

    overrides: tuple[str, ...]
    images: int
    folds: tuple[Fold, ...]
    weights: str


def scenes(size: tuple[int, int]) -> Kind:
    """The project's generated scenes; a place is a sequence of two or three frames."""
    options = {"image_min_size": min(size), "batch_size": 4, "num_workers": 0}
    return Kind("imgs/imgs", "masks/masks", "aeroscapes", r"^(.+)_\d+$", 0.2, options)


def dubai() -> Kind:
    """Satellite images ``tileN_partMMM``; a place is a tile, or two that overlap."""
    options = {"image_min_size": 256, "batch_size": 4}
    return Kind("imgs", "masks", "dubai", _DUBAI_PLACES, 0.2, options)


def prepare_scenes(
    work: Path, *, count: int, size: tuple[int, int], weights: Path | None, folds: int
) -> Prepared:
    """Draws the scenes and their folds below ``work``, unless they are there.

    Raises:
        ValueError: If there are fewer places than folds.
        AerialsegError: If they cannot be written or split.
    """
    folder = work / f"scenes_{count}_{size[0]}x{size[1]}"
    root = folder / "data"
    write_scenes(root, count=count, test_count=0, size=size, seed=0)
    # The demo's own weights are no choice, so records do not name them.
    typed = (*_with_root(scenes(size), root), f"model.weights={weights or DEMO_WEIGHTS}")
    found = _folds(scenes(size), root, folder, folds)
    return Prepared(typed, count, found, _named(weights))


def prepare_dubai(work: Path, *, root: Path, weights: Path | None, folds: int) -> Prepared:
    """The folds of a folder with ``imgs`` and ``masks``; tables are written below ``work``.

    Raises:
        ValueError: If there are fewer places than folds.
        AerialsegError: If it cannot be read or split.
    """
    found = _folds(dubai(), root, work / "dubai", folds)
    typed = _with_root(dubai(), root)
    typed += () if weights is None else (f"model.weights={weights}",)
    return Prepared(typed, sum(found[0].images.values()), found, _named(weights))


PREPARE: Mapping[str, Callable[..., Prepared]] = {"scenes": prepare_scenes, "dubai": prepare_dubai}
"""The data sets by name."""


def _with_root(kind: Kind, root: Path) -> tuple[str, ...]:
    return (*kind.overrides, f"data.root={root}")


def _named(weights: Path | None) -> str:
    """``name (digest)``; empty for none."""
    if weights is None:
        return ""
    return f"{weights.name} ({hashlib.sha256(weights.read_bytes()).hexdigest()[:12]})"


def _folds(kind: Kind, root: Path, folder: Path, count: int) -> tuple[Fold, ...]:
    """All folds, with their tables in ``folder``."""
    data = AerialSegDataModule(
        root,
        partial(folders, images=kind.images, masks=kind.masks, split="random"),
        classes=str(ROOT / "conf" / "data" / "classes" / f"{kind.classes}.yaml"),
        cache_dir=folder / "cache",
        image_min_size=None,
        batch_size=1,
        num_workers=0,
    )
    samples, presence = data.checked.samples, data.checked.counts > 0
    groups = groups_of([sample.id for sample in samples], kind.group_pattern)
    places = {key: group.removeprefix("group ") for key, group in groups.items()}
    settings = SplitSettings(kind.val_fraction, kind.group_pattern, 0)
    found = []
    for number, test in enumerate(held_out(places, count)):
        split = split_of_fold(samples, presence, places, test, settings, cache_dir=folder / "cache")
        table = folder / f"fold_{number + 1}_of_{count}.csv"
        write_text(table, csv_text(("image", "split"), sorted(split.items())))
        found.append(Fold(number, table, tuple(sorted(test)), dict(Counter(split.values()))))
    return tuple(found)
