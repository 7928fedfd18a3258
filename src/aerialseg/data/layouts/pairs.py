"""The layout of public data sets: images and masks that are paired by patterns of their paths."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from aerialseg.data.layouts.listing import (
    IMAGE_SUFFIXES,
    Listing,
    Sample,
    Split,
    Unused,
    check_pairs,
    count,
    require_folder,
    warn_of_unlisted,
)
from aerialseg.data.layouts.official_splits import by_lists
from aerialseg.data.layouts.path_patterns import PART, Match, PathPattern
from aerialseg.data.layouts.published_splits import published_split
from aerialseg.data.notices import say_once
from aerialseg.errors import ConfigError, DataError
from aerialseg.storage.names import composed

logger = logging.getLogger(__name__)

Patterns: TypeAlias = str | Sequence[str]
"""A pattern of paths, or several of which the first that fits any file counts."""

_Assigned: TypeAlias = Mapping[str, tuple[Split | None, str]]
"""The split of each id, None where images are to be divided, and where it is listed."""

_PAGE = "docs/public_data.md shows the folders"


@dataclass(frozen=True)
class _Found:
    """The files of a data set by id, and the part that the path of each image names."""

    images: Mapping[str, Path]
    masks: Mapping[str, Path]
    parts: Mapping[str, str]


def pairs(
    root: Path,
    cache_dir: Path,
    *,
    images: Patterns,
    masks: Patterns,
    source: str,
    parts: Mapping[str, Split] | None = None,
    split: str | Mapping[str, str] | None = None,
    others: Sequence[str] = (),
    leave_out: Sequence[str] = (),
) -> Listing:
    """A published data set as its archive unpacks: images and masks by patterns of their paths.

    ``{part}/src/{name}`` and ``{part}/gt/{name}_label`` pair ``train/src/7.jpg`` with
    ``train/gt/7_label.png``; both have the id ``train/7``, what the placeholders stand for. Images
    of the split ``test`` may have masks or none.

    Args:
        root: The folder that the patterns start from.
        cache_dir: Unused; nothing is unpacked.
        images: The pattern of the images, without a suffix. Of several the first that fits counts.
        masks: The pattern of the masks, with the same placeholders. What fits it, or one of
            ``others``, is no image.
        source: Where to get the data set, for errors.
        parts: The split of each folder that the placeholder ``part`` stands for. No other
            folder is looked into.
        split: The official split, where no folder says it: lists below root with an id a line, as
            in ``{train: train.txt, val: val.txt}``, or the name of one that was published outside
            the archive: ``potsdam``, ``vaihingen`` or ``dronedeploy``. None: by ``parts``, or by
            ``data.val_fraction`` where there are none.
        others: Patterns of files beside the images that are not used.
        leave_out: Ids of images that are not used, such as one with a damaged mask.

    Raises:
        ConfigError: If a pattern or ``split`` is not of its form.
        DataError: If nothing or not every part is found, or an image or a mask is unpaired.
    """
    advice = f"get the data set from {source} and give its folder: data.root=PATH ({_PAGE})"
    require_folder(root, advice)
    patterns = _parsed(images, masks, needs_part=bool(parts))
    found = _find(root, patterns, others, list(parts) if parts else None, advice)
    assigned, by = _assigned(root, found, parts, split)
    samples = _samples(root, found, assigned, is_listed=split is not None, leave_out=set(leave_out))
    sizes = Counter(sample.split for sample in samples)
    _check_parts(root, parts or {}, sizes, advice)
    if by:
        say_once(logger, logging.INFO, f"{root}: official split by {by}: {_counts(sizes)}")
    return Listing(tuple(samples))


def _check_parts(
    root: Path, parts: Mapping[str, Split], sizes: Mapping[Split | None, int], advice: str
) -> None:
    """Raises a DataError if a split that the folders promise has no image, ``test`` excepted."""
    if missing := {*parts.values()} - {"test"} - sizes.keys():
        folders = " or ".join(name for name, part in parts.items() if part in missing)
        raise DataError(
            f"{root}: has no images of {' and '.join(sorted(missing))} ({folders}); {advice}"
        )


def _counts(sizes: Mapping[Split | None, int]) -> str:
    """``train 20, val 5, test 9``, or ``test 9; 25 are divided by data.val_fraction``."""
    order: tuple[Split, ...] = ("train", "val", "test")
    text = ", ".join(f"{part} {sizes[part]}" for part in order if part in sizes)
    return f"{text}; {sizes[None]} are divided by data.val_fraction" if None in sizes else text


def _parsed(
    images: Patterns, masks: Patterns, *, needs_part: bool
) -> tuple[list[PathPattern], list[PathPattern]]:
    """The patterns of images and of masks; ConfigError unless all have the same placeholders."""
    each = [[PathPattern(t) for t in ([p] if isinstance(p, str) else p)] for p in (images, masks)]
    if not all(each):
        raise ConfigError("data.layout: images and masks each need a pattern, as in images/{name}")
    wanted = set(each[0][0].placeholders)
    for pattern in (*each[0], *each[1]):
        if set(pattern.placeholders) != wanted:
            raise ConfigError(
                f"data.layout: '{pattern.text}' has not the placeholders of "
                f"'{each[0][0].text}'; images and masks are paired by them, so use the same"
            )
    if needs_part and PART not in wanted:
        raise ConfigError(
            f"data.layout.parts: says what {{{PART}}} stands for, but '{each[0][0].text}' has no "
            f"{{{PART}}}; put it in the place of the folder's name, or set parts to null"
        )
    return each[0], each[1]


def _find(
    root: Path,
    patterns: tuple[list[PathPattern], list[PathPattern]],
    others: Sequence[str],
    parts: Sequence[str] | None,
    advice: str,
) -> _Found:
    """The files below a root; DataError if there are no images, or two files with one id."""
    order = patterns[0][0].placeholders
    masks = _first_that_fits(root, patterns[1], parts)
    known = [m for other in others for m in PathPattern(other).files(root, parts)]
    no_images = {match.path for match in (*masks, *known)}
    images = [m for m in _first_that_fits(root, patterns[0], parts) if m.path not in no_images]
    if not images:
        raise DataError(
            f"{root}: has no images {_wanted(patterns[0], parts)}; "
            f"{_elsewhere(root, patterns[0], parts) or advice}"
        )
    _warn_of_unused(root, [*images, *masks], no_images)
    return _Found(
        _by_id(root, images, order),
        _by_id(root, masks, order),
        {_id(match, order): match.values.get(PART, "") for match in images},
    )


def _warn_of_unused(root: Path, matches: Sequence[Match], known: set[Path]) -> None:
    """Says in one line what else lies in the folders of images and masks."""
    used, unused = {match.path for match in matches} | known, Unused(root)
    for folder in sorted({match.path.parent for match in matches}):
        for path in sorted(folder.iterdir()):
            if path not in used and not path.name.startswith(".") and not path.is_dir():
                suffix = path.suffix.lower()
                is_image = suffix in IMAGE_SUFFIXES
                unused.add("fits no pattern" if is_image else f"suffix {suffix or 'none'}", path)
    unused.warn()


def _first_that_fits(
    root: Path, patterns: Iterable[PathPattern], parts: Sequence[str] | None
) -> list[Match]:
    found = (list(pattern.files(root, parts)) for pattern in patterns)
    return next((matches for matches in found if matches), [])


def _wanted(patterns: Sequence[PathPattern], parts: Sequence[str] | None) -> str:
    """``at {part}/src/{name}, where {part} is train or val``."""
    places = " or ".join(pattern.text for pattern in patterns)
    return f"at {places}" + (f", where {{{PART}}} is {' or '.join(parts)}" if parts else "")


def _elsewhere(root: Path, patterns: Sequence[PathPattern], parts: Sequence[str] | None) -> str:
    """The root that was probably meant, a level below or above; empty if none can be found."""
    try:
        below = sorted(path for path in root.iterdir() if path.is_dir())
        for folder in (*below, root.resolve().parent):
            if any(next(pattern.files(folder, parts), None) for pattern in patterns):
                return f"{folder} has: set data.root={folder}"
    except (OSError, DataError):  # a folder nearby that may not be read is no help
        return ""
    return ""


def _id(match: Match, order: Sequence[str]) -> str:
    return composed("/".join(match.values[name] for name in order))


def _by_id(root: Path, matches: Iterable[Match], order: Sequence[str]) -> dict[str, Path]:
    """The files by id; DataError if two have one id, or one cannot be printed."""
    found: dict[str, Path] = {}
    twice: dict[str, None] = {}
    for match in matches:
        key = _id(match, order)
        if key in found:
            twice[key] = None
        found[key] = match.path
    if odd := [key for key in found if not key.isprintable()]:
        raise DataError(f"{root}: {count(odd, 'name')} that cannot be printed; rename it")
    if twice:
        raise DataError(f"{root}: more than one file for {count(twice, 'id')}; keep one of each")
    return found


def _assigned(
    root: Path,
    found: _Found,
    parts: Mapping[str, Split] | None,
    split: str | Mapping[str, str] | None,
) -> tuple[_Assigned, str]:
    """The split of each id, and what says so; empty if nothing does."""
    if isinstance(split, Mapping):
        return by_lists(root, split, found.images), ", ".join(split.values())
    if split is not None:
        table = published_split(split)
        return {key: (table[key], "") for key in found.images if key in table}, "published lists"
    if parts:
        return {key: (parts[part], "") for key, part in found.parts.items()}, "folders"
    return dict.fromkeys(found.images, (None, "")), ""


def _samples(
    root: Path, found: _Found, assigned: _Assigned, *, is_listed: bool, leave_out: set[str]
) -> list[Sample]:
    """The paired samples of a split, without those that are left out."""
    if left := sorted(leave_out & assigned.keys()):
        line = f"{root}: {count(left, 'image')} left out by data.layout.leave_out"
        say_once(logger, logging.INFO, line)
    kept = {key: place for key, place in assigned.items() if key not in leave_out}
    if is_listed:
        warn_of_unlisted(root, {**found.masks, **found.images}, assigned)
    unused = (found.masks.keys() - kept.keys()) if is_listed else leave_out
    masks = {key: path for key, path in found.masks.items() if key not in unused}
    test = {key for key, (part, _) in kept.items() if part == "test"}
    needless = set() if test & masks.keys() else test & found.images.keys()
    paired = {**masks, **{key: found.images[key] for key in needless}}
    both = check_pairs(root, kept, found.images, paired)
    return [Sample(key, found.images[key], masks.get(key), *kept[key]) for key in both]
