"""What a data set holds, as a table: images, groups, and the classes in training and validation."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from aerialseg.data.cache.value_ranges import range_warnings
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts.listing import Split, count
from aerialseg.data.notices import say_once
from aerialseg.data.sources.class_map import ClassMap
from aerialseg.data.sources.contents import Contents
from aerialseg.data.sources.data_sources import Source
from aerialseg.durations import counted
from aerialseg.report.crop_scale import crop_facts, crop_warnings
from aerialseg.report.printing import print_whole

logger = logging.getLogger(__name__)

_SIDES: tuple[Split, Split] = ("train", "val")
_PURPOSES: Mapping[Split, str] = {"train": "to train", "val": "to validate", "test": "to test"}
_shown: set[tuple[str, str]] = set()


def show_data(data: AerialSegDataModule) -> None:
    """Prints the table of the data, and warnings about them, once in a process.

    The stages of a chain share their data; the table of the first is that of all.
    """
    shown = (data.place, data.fingerprint)
    if shown in _shown:
        return
    _shown.add(shown)
    sources = data.sources.by_name
    bands = _bands(data)
    facts = [line for name, source in sources.items() for line in _facts(name, source, bands)]
    print_whole(_table(data), *facts, *_weights(data), *crop_facts(data))
    place = "the data sets together" if data.sources.are_several else data.place
    lines = [f"{place}: {line}" for line in _warnings(data.contents, data.classes.names)]
    lines += range_warnings(data.contents.of("train"), data.reading, data.cache_dir)
    lines += crop_warnings(data)
    for line in [*_unlabelled(sources), *lines]:
        say_once(logger, logging.WARNING, line)


def _facts(name: str, source: Source, bands: str) -> list[str]:
    """Where a data set lies, what it holds, and what its classes become."""
    place = f"{name} ({source.root})" if name else str(source.root)
    images = _images(source.contents, source.groups())
    key = f"data.parts.{name}.map_classes" if name else "data.map_classes"
    mapped = [f"{key}: {line}" for line in _mapped(source.class_map)]
    return [f"{place}: {images}; {_sizes(source.contents)}{_windows(source)}{bands}", *mapped]


def _unlabelled(sources: Mapping[str, Source]) -> Iterable[str]:
    """The classes that one of several data sets does not label at all, one line a set."""
    for name, source in sources.items():
        known = set(source.class_map.ids)
        if missing := [c for i, c in enumerate(source.class_map.trained.names) if i not in known]:
            what = "it" if len(missing) == 1 else "them"
            yield (
                f"{name}: does not label {', '.join(missing)}; what its images show of {what} "
                "counts as what it is labelled there"
            )


def _mapped(classes: ClassMap) -> list[str]:
    """One line about what the classes of the masks become, if they become others."""
    made = dict(classes.merged)
    ignored = made.pop("", [])
    parts = [f"{name} = {' + '.join(sources)}" for name, sources in made.items()]
    parts += [f"ignored: {', '.join(ignored)}"] if ignored else []
    return ["; ".join(parts)] if parts else []


def _weights(data: AerialSegDataModule) -> list[str]:
    """One line about how often an epoch shows each of several data sets, if that was said."""
    if data.sources.weights is None:
        return []
    samples, shown = data.samples("train"), data.shown_in_epoch
    sizes = Counter(sample.data_set for sample in samples)
    what = "windows and images" if any(sample.window for sample in samples) else "images"
    parts = [f"{n} of {name}, each {n / sizes[name]:.3g} times" for name, n in shown.items()]
    return [f"data.weights: of {len(samples)} {what} that an epoch shows, {'; '.join(parts)}"]


def _bands(data: AerialSegDataModule) -> str:
    """The bands that are used, and the values that become 0 and 255, where they were named."""
    reading = data.served
    if reading.bands is None:
        return ""
    ranges = reading.ranges or ((0.0, 255.0),) * len(reading.bands)
    parts = [
        f"{band} ({low:.6g} to {high:.6g})"
        for band, (low, high) in zip(reading.bands, ranges, strict=True)
    ]
    return f"; bands {', '.join(parts)} of {data.contents.file_kind(reading)}"


def _table(data: AerialSegDataModule) -> Table:
    """For each class its share of the pixels, and the images that it occurs in.

    Of several data sets each has a column, in which a class that it does not label has no number.
    """
    table = Table(title="Data", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("class")
    columns = []
    for split in _SIDES:
        present = data.contents.counts[data.contents.rows(split)] > 0
        counts = data.counts_in_training() if split == "train" else data.counts_of(split)
        columns += [_shares(counts), [str(n) for n in present.sum(axis=0)]]
        table.add_column(f"{split}: pixels", justify="right")
        table.add_column(f"of {counted(len(present), 'image')}", justify="right")
    for name, source in data.sources.by_name.items():
        if name:
            known = set(source.class_map.ids)
            shares = _shares(source.contents.counts)
            columns.append([share if i in known else "-" for i, share in enumerate(shares)])
            table.add_column(escape(f"{name}: pixels"), justify="right")
    for name, *cells in zip(data.classes.names, *columns, strict=True):
        table.add_row(escape(name), *cells)
    return table


def _shares(counts: npt.NDArray[np.number]) -> list[str]:
    """The share of each class in all pixels, for ``(N, num_classes)`` pixels."""
    return [f"{share:.2%}" for share in counts.sum(axis=0) / max(1, counts.sum())]


def _images(contents: Contents, groups: Mapping[str, str]) -> str:
    """How many images, and in how many groups, each split has.

    Args:
        contents: Of one data set.
        groups: The group of each sample that was divided by ``data.group_pattern``.
    """
    parts = []
    for split, what in _PURPOSES.items():
        chosen = contents.of(split)
        note = ""
        if groups and split in _SIDES:
            together = {groups[sample.id] for sample in chosen if sample.id in groups}
            note = f" in {counted(len(together), 'group')}"
        unlabelled = sum(sample.mask is None for sample in chosen)
        note += f" ({unlabelled} without masks)" if unlabelled else ""
        if chosen:
            images = f"{counted(len(chosen), 'image')}{windows_note(contents, split)}"
            parts.append(f"{images} {what}{note}")
    return ", ".join(parts)


def images_to_learn_from(data: AerialSegDataModule) -> str:
    """How many images train and validate, as ``24 images (864 windows), 6 to validate``."""
    train, val = (len(data.contents.of(split)) for split in _SIDES)
    in_train, in_val = (windows_note(data.contents, split) for split in _SIDES)
    return f"{counted(train, 'image')}{in_train}, {val}{in_val} to validate"


def windows_note(contents: Contents, split: Split) -> str:
    """How many windows the images of a split are served in; empty if none is cut."""
    cut, windows = contents.cut(split)
    whole = len(contents.of(split)) - cut
    rest = f" and {whole} whole" if whole else ""
    return f" ({counted(windows, 'window')}{rest})" if windows else ""


def _sizes(contents: Contents) -> str:
    """The sizes of the images, and the share of the pixels of masks that are ignored."""
    sizes = contents.images.sizes
    (low_height, low_width), (height, width) = sizes.min(axis=0), sizes.max(axis=0)
    text = f"{width}x{height} pixels"
    if (low_height, low_width) != (height, width):
        number = len(np.unique(sizes, axis=0))
        text = f"{number} sizes, {low_width} to {width} wide and {low_height} to {height} high"
    pixels, left_out = int(contents.counts.sum()), int(contents.labels.ignored.sum())
    ignored = left_out / max(1, pixels + left_out)
    text += f"; {ignored:.2%} of the pixels of masks ignored"
    nodata = int(contents.labels.nodata.sum())
    if nodata:
        images = counted(len({sample.image for sample in contents.lacking_data()}), "image")
        text += f"; nodata: {nodata / (pixels + left_out):.2%} of the area, in {images}"
    return text


def _windows(source: Source) -> str:
    """The size of windows, where images are served in some."""
    if source.window is None or not any(sample.window for sample in source.contents.served):
        return ""
    height, width = source.window
    return f"; cut into windows of {width}x{height} pixels"


def _warnings(contents: Contents, names: Sequence[str]) -> Iterable[str]:
    """What makes scores of some classes mean nothing, or all scores too good."""
    for name in names:
        alike = [other for other in names if other.casefold() == name.casefold()]
        if len(alike) > 1 and name == alike[0]:
            yield f"classes {' and '.join(alike)} differ only in the case of letters; one class?"
    in_train, in_val = (contents.counts[contents.rows(s)].any(axis=0) for s in _SIDES)
    present = contents.counts.any(axis=0)  # of those that are not, other lines have warned
    for missing, where in (
        (present & ~in_train, "no mask to train on"),
        (present & ~in_val, "no mask to validate on"),
    ):
        if found := [names[index] for index in np.flatnonzero(missing).tolist()]:
            yield f"{_classes(found)} in {where}"
    train, val = (contents.ids_by_digest(split) for split in _SIDES)
    if twice := sorted(name for digest, ids in val.items() if digest in train for name in ids):
        yield (
            f"{count(twice, 'image')} to validate on also lies among those to train on, as a copy "
            "under another name; remove one of each"
        )
    if shared := _shared(contents):
        yield (
            f"{count(shared, 'image')} in more than one data set, each time with the labels of "
            "that set, is shown and counted for each of them; remove one of each"
        )


def _shared(contents: Contents) -> list[str]:
    """Images that several data sets train on, or validate on, by their ids in each of them."""
    found = []
    for split in _SIDES:
        images: dict[str, dict[str, str]] = {}
        for row in contents.rows(split).tolist():
            sample = contents.samples[row]
            of_sets = images.setdefault(contents.images.digests[row], {})
            of_sets.setdefault(sample.data_set, sample.id)
        found += [" = ".join(ids.values()) for ids in images.values() if len(ids) > 1]
    return found


def _classes(names: Sequence[str]) -> str:
    verb = "is" if len(names) == 1 else "are"
    return f"{'class' if len(names) == 1 else 'classes'} {', '.join(names)} {verb}"
