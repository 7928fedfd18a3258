"""Where images and masks come from: one data set on disk, or several with one class table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from aerialseg.classes import ClassTable
from aerialseg.data.images.mask_encoding import IgnoreValues, MaskEncoding, MaskFormat
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts.listing import Layout, Listing, Sample, listed
from aerialseg.data.notices import about
from aerialseg.data.sources.class_map import ClassMap, class_map
from aerialseg.data.sources.contents import Contents, joined, read_contents
from aerialseg.data.sources.cutting import image_id
from aerialseg.data.sources.joint_classes import UNION, ClassSource, joint_table
from aerialseg.data.sources.splits import SplitSettings
from aerialseg.errors import AerialsegError, ConfigError, DataError
from aerialseg.storage.fingerprints import fingerprint

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Source:
    """One data set on disk: how it is listed, read and split.

    Args:
        root: Its folder or archive.
        layout: Says where the files lie.
        cache_dir: Where counts, splits and unpacked archives are kept.
        classes: The table that its masks were labelled with.
        map_classes: What classes of the table become.
        masks: ``mask_format``, ``mask_values`` and ``ignore_values`` of the encoding.
        files: How files are read, but for what the class table decides.
        split: How samples without an official split are divided.
        window: Height and width of the windows of larger labelled images; None cuts nothing.
        table: The classes that are trained, if other data sets have a say; None: its own, mapped.
    """

    root: Path
    layout: Layout
    cache_dir: Path
    classes: ClassSource
    map_classes: Mapping[str, str | None] | None
    masks: tuple[MaskFormat, Mapping[int, str] | None, IgnoreValues | None]
    files: Reading
    split: SplitSettings
    window: tuple[int, int] | None = None
    table: ClassTable | None = None

    @cached_property
    def class_map(self) -> ClassMap:
        """What its classes become; DataError if its table is missing or breaks the rules of one."""
        own = class_map(ClassTable.load(self.classes), self.map_classes)
        return own if self.table is None else own.onto(self.table)

    @cached_property
    def reading(self) -> Reading:
        """How its files are read; ConfigError if what was said of masks does not fit."""
        mapped = self.class_map
        encoding = MaskEncoding(mapped.own, *self.masks)
        return replace(self.files, encoding=encoding, class_map=mapped if mapped.changes else None)

    @cached_property
    def labelled(self) -> Contents:
        """The data set, listed, checked and counted by the classes of its masks; not split."""
        listing = listed(self.layout, self.root, self.cache_dir)
        return read_contents(listing, self.reading, window=self.window, cache_dir=self.cache_dir)

    @cached_property
    def checked(self) -> Contents:
        """The same, counted by the classes that are trained."""
        return self.labelled.mapped(self.reading.class_map)

    @cached_property
    def contents(self) -> Contents:
        """The data set, checked and split; the split does not depend on what classes become."""
        split = self.labelled.divided(self.split, self.cache_dir)
        return split.mapped(self.reading.class_map)

    def groups(self) -> dict[str, str]:
        """The group of each sample that was divided by pattern or table, by id."""
        return self.split.groups_among(self.labelled.samples) if self.split.groups_images else {}

    def limited_to(self, max_megapixels: float) -> "Source":
        """The same with another limit for the size of images and masks."""
        return replace(self, files=replace(self.files, max_megapixels=max_megapixels))

    def reduced(self, samples_per_split: int, cache_dir: Path) -> "Source":
        """The same with a few samples of training and validation."""
        part = self.listing(self.contents.reduced(samples_per_split))
        return replace(part, cache_dir=cache_dir)

    def listing(self, listing: Listing) -> "Source":
        """The same with other samples than its layout finds."""
        return replace(self, layout=lambda root, cache_dir: listing)


@dataclass(frozen=True, eq=False)
class Sources:
    """One data set, or several that are trained on together.

    The ids of several begin with the names of their sets; each set is split by its own rule, so
    that its images are divided as where it is trained alone.

    Args:
        given: The data sets by name; the name of the only one is empty.
        classes: The table that several are trained on: a table, the path of one, ``union`` for all
            classes of all sets, None if the sets have the same classes.
        weights: The share of each in an epoch of training, by name; None shows all samples once.
    """

    given: Mapping[str, Source]
    classes: ClassSource | None = None
    weights: Mapping[str, float] | None = None

    @property
    def are_several(self) -> bool:
        """Whether the data sets have names."""
        return "" not in self.given

    @property
    def place(self) -> str:
        """Where the data lie, for messages."""
        named = (f"{name} ({each.root})" if name else str(each.root) for name, each in self._items)
        return ", ".join(named)

    @cached_property
    def by_name(self) -> Mapping[str, Source]:
        """The data sets with the classes that are trained."""
        if not self.are_several:
            return self.given
        maps = self._of_each(self.given, lambda source: source.class_map)
        table = joint_table({name: each.trained for name, each in maps.items()}, self.classes)
        return {name: replace(source, table=table) for name, source in self._items}

    @cached_property
    def table(self) -> ClassTable:
        """The classes that are trained."""
        maps = self._of_each(self.by_name, lambda source: source.class_map)
        return next(iter(maps.values())).trained

    @cached_property
    def readings(self) -> Mapping[str, Reading]:
        """How the files of each data set are read, by its name."""
        return self._of_each(self.by_name, lambda source: source.reading)

    @cached_property
    def reading(self) -> Reading:
        """How files are read; of several data sets, what they agree in."""
        if not self.are_several:
            return self.readings[""]
        _check_agreement(self.readings)
        # None says that no image had an orientation. Where sets differ, predictions apply it.
        said = {reading.exif_orientation for reading in self.readings.values()} - {None}
        first = next(iter(self.readings.values()))
        turned = "apply" if len(said) > 1 else next(iter(said), None)
        return replace(first, encoding=None, class_map=None, exif_orientation=turned)

    @cached_property
    def checked(self) -> Contents:
        """All samples, listed, checked and counted, but not split."""
        return self._joined(lambda source: source.checked)

    @cached_property
    def contents(self) -> Contents:
        """All samples, checked and split."""
        return self._joined(lambda source: source.contents)

    def fingerprint(self, image_min_size: int | None) -> str:
        """Sha256 of what is learnt from; a copy of the folders has the same."""
        prints = {
            name: source.contents.fingerprint(source.reading, image_min_size, source.window)
            for name, source in self.by_name.items()
        }
        return fingerprint(list(prints.items())) if self.are_several else prints[""]

    @property
    def grouped_by(self) -> list[str]:
        """What says which images belong together, as it is typed; empty if nothing does."""
        said = (source.split.grouped_by for source in self.given.values())
        return list(dict.fromkeys(each for each in said if each))

    def groups_of(self, samples: Sequence[Sample]) -> list[str]:
        """The group of each image, with an official split or not; an image alone is its own."""
        groups: dict[str, str] = {}
        for name, source in self.given.items():
            prefix = f"{name}/" if name else ""
            known = [sample.id for sample in source.labelled.samples]
            found = source.split.groups_of_ids(known)
            groups |= {f"{prefix}{key}": f"{prefix}{group}" for key, group in found.items()}
        return [groups[image_id(sample)] for sample in samples]

    def scored_with(self, trained: ClassTable) -> "Sources":
        """The same with the class table of a network where theirs follows from the data sets.

        Some of the sets that it was trained on have other classes together, or the same in another
        order. A table that was given is kept.
        """
        if not self.are_several or self.classes not in (UNION, None):
            return self
        if self.classes is None and set(self.table.names) != set(trained.names):
            return self
        return replace(self, classes=trained.to_mapping())

    def reduced(self, samples_per_split: int, cache_dir: Path | None) -> "Sources":
        """The same with a few samples of training and validation of each data set.

        All of them are shown once an epoch: few could not be shown in proportion to weights.
        """
        return replace(
            self,
            weights=None,
            given={
                name: source.reduced(samples_per_split, cache_dir or source.cache_dir)
                for name, source in self.by_name.items()
            },
            classes=self.table.to_mapping(),
        )

    def _joined(self, ask: Callable[[Source], Contents]) -> Contents:
        """The contents of all data sets as one, once their files are of one kind."""
        contents = self._of_each(self.by_name, ask)
        if self.are_several:
            _check_file_kinds(contents, self.reading)
        return joined(contents)

    @property
    def _items(self) -> list[tuple[str, Source]]:
        return list(self.given.items())

    def _of_each(self, sources: Mapping[str, Source], ask: Callable[[Source], T]) -> dict[str, T]:
        """What each data set answers; the problems of all are raised at once."""
        answers: dict[str, T] = {}
        problems: list[AerialsegError] = []
        for name, source in sources.items():
            try:
                with about(name):
                    answers[name] = ask(source)
            except (ConfigError, DataError) as error:
                problems.append(error)
        if len(problems) == 1:
            raise problems[0]
        if problems:
            kinds = {type(error) for error in problems}
            kind = DataError if DataError in kinds else ConfigError
            raise kind(*(line for error in problems for line in error.problems))
        return answers


def _check_agreement(readings: Mapping[str, Reading]) -> None:
    """Raises ConfigError if data sets differ in what predictions are made with one choice of."""
    first, *others = readings
    problems = []
    for key, value in _ONE_CHOICE.items():
        wanted = value(readings[first])
        problems += [
            f"data.parts.{name}.{key}: is {_shown(found)}, but data.parts.{first}.{key} is "
            f"{_shown(wanted)}; data sets that are trained on together need the same"
            for name in others
            if (found := value(readings[name])) != wanted
        ]
    if problems:
        raise ConfigError(*problems)


_ONE_CHOICE: Mapping[str, Callable[[Reading], object]] = {
    "bands": lambda reading: reading.bands,
    "value_range": lambda reading: reading.ranges or reading.percentiles,
    "nodata": lambda reading: reading.nodata,
}
"""Keys of a data set that decide what images are, as checkpoints hold it."""


def _check_file_kinds(contents: Mapping[str, Contents], reading: Reading) -> None:
    """Raises DataError if the bands of data sets are not of one number and type."""
    if reading.bands is None:
        return
    kinds = {name: each.file_kind(reading) for name, each in contents.items()}
    first = next(iter(kinds))
    if other := next((name for name in kinds if kinds[name] != kinds[first]), None):
        raise DataError(
            f"{other}: its files have {kinds[other]}, those of {first} {kinds[first]}; data sets "
            "that are trained on together need the same"
        )


def _shown(value: object) -> str:
    return "null" if value is None else str(list(value) if isinstance(value, tuple) else value)
