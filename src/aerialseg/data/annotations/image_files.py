"""Finds the image files that annotations name."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from aerialseg.data.annotations.findings import Findings, stop_at
from aerialseg.data.annotations.shapes import AnnotatedImage, Annotations
from aerialseg.data.layouts.listing import IMAGE_SUFFIXES, count
from aerialseg.storage.names import composed

_FOLDER = "images"
"""The usual name of a folder of images beside annotations."""
_BY_NAME = "images found by their file name, not in the folder that the annotations name"
_GIVE = "give the folder of the images: task.images=FOLDER"


def locate_images(
    annotations: Annotations, source: Path, folder: Path | None, findings: Findings
) -> list[Path]:
    """The file of each annotated image, in their order.

    A name is looked up from the folder of its annotation file, and from ``images`` in it and beside
    it. Where it is not there, as with names from another machine, the file is taken whose path ends
    most like the name, if there is one such file.

    Args:
        annotations: What was read.
        source: The annotation file, or the folder of all of them.
        folder: Where the images are; None to look around the annotations.
        findings: Where to note images that were found elsewhere, and those without annotations.

    Raises:
        DataError: If an image is missing, could be one of several files, or is described twice.
    """
    roots = _roots(source, folder)
    index = _index(roots)
    base_names = Counter(PurePosixPath(composed(each.name)).name for each in annotations.images)
    found: list[Path] = []
    missing, several = [], []
    for image in annotations.images:
        places = _places(image, roots, is_given=folder is not None)
        if annotations.format == "LabelMe":
            places = places[:1]  # its names begin at its file
        if not places:
            name = PurePosixPath(composed(image.name))
            places = _most_alike(name, index.get(name.name, ()), base_names)
            if places and "/" in image.name:
                findings.add(_BY_NAME, image.name)
        if len(places) == 1:
            found.append(places[0])
        elif places:
            found_in = " or ".join(map(str, places))
            several.append(f"{image.file}: {image.name} could be {found_in}; {_GIVE}")
        else:
            missing.append(image.name)
    problems = several
    if missing:
        looked = ", ".join(map(str, roots))
        problems.append(f"{count(missing, 'image')} not found in {looked}; {_GIVE}")
    stop_at(problems)
    _check_once(annotations.images, found)
    known = {_absolute(path) for path in found}
    for paths in index.values():
        for path in (each for each in paths if _absolute(each) not in known):
            findings.add("images without annotations, left out", path.name)
    return found


def names_of(paths: Sequence[Path]) -> list[str]:
    """The name of each image below the folder that all of them share, with its suffix.

    Raises:
        DataError: If a name cannot be that of an image in a data set, or two would share a mask.
    """
    base = Path(os.path.commonpath([_absolute(path.parent) for path in paths]))
    names = [_absolute(path).relative_to(base).as_posix() for path in paths]
    problems = []
    for name in names:
        parts = PurePosixPath(name).parts
        if any(part.startswith(".") for part in parts) or not name.isprintable():
            problems.append(f"{base}: {name!r} is hidden or cannot be printed; rename it")
        elif PurePosixPath(name).suffix.lower() not in IMAGE_SUFFIXES:
            wanted = ", ".join(sorted(IMAGE_SUFFIXES))
            problems.append(
                f"{base}: the name {name} does not end in {wanted}; rename or convert it"
            )
    by_id: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_id[str(PurePosixPath(name).with_suffix("")).casefold()].append(name)
    for alike in by_id.values():
        if len(alike) > 1:
            problems.append(
                f"{base}: {' and '.join(alike)} would have one mask (on some systems); rename one"
            )
    stop_at(problems)
    return names


def _roots(source: Path, folder: Path | None) -> list[Path]:
    """The folders below which images are looked for."""
    if folder is not None:
        return [folder]
    near = source if source.is_dir() else source.parent
    beside = _absolute(near).parent / _FOLDER
    return [near, *([beside] if beside.is_dir() and _absolute(near) != beside else [])]


def _places(image: AnnotatedImage, roots: Sequence[Path], *, is_given: bool) -> list[Path]:
    """The files that a name leads to, each once; a LabelMe file's own folder first."""
    starts = [] if is_given else [image.file.parent, image.file.parent / _FOLDER]
    found = {
        _absolute(path): path
        for start in (*starts, *roots, *(root / _FOLDER for root in roots))
        if (path := start / image.name).is_file()
    }
    return list(found.values())


def _index(roots: Iterable[Path]) -> Mapping[str, list[Path]]:
    """Every image file below some folders by its composed file name; hidden ones are left out."""
    found: dict[str, list[Path]] = defaultdict(list)
    seen: set[Path] = set()
    for root in roots:
        for place, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(place, name)
                is_image = path.suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".")
                if is_image and _absolute(path) not in seen:
                    seen.add(_absolute(path))
                    found[composed(name)].append(path)
    return found


def _most_alike(
    name: PurePosixPath, paths: Sequence[Path], base_names: Mapping[str, int]
) -> list[Path]:
    """The files whose paths have most of a name's last parts."""
    equal = [_equal_parts(name.parts, [*map(composed, path.absolute().parts)]) for path in paths]
    most = max(equal, default=0)
    # Cameras number the images of each flight alike: the file name alone says little then.
    if most == 1 and len(name.parts) > 1 and base_names[name.name] > 1:
        return []
    return [path for path, number in zip(paths, equal, strict=True) if number == most]


def _equal_parts(first: Sequence[str], second: Sequence[str]) -> int:
    pairs = list(zip(reversed(first), reversed(second), strict=False))
    return next((i for i, (one, other) in enumerate(pairs) if one != other), len(pairs))


def _check_once(images: Sequence[AnnotatedImage], paths: Sequence[Path]) -> None:
    """Checks that no file is described twice."""
    first: dict[Path, AnnotatedImage] = {}
    problems = []
    for image, path in zip(images, paths, strict=True):
        other = first.setdefault(path.resolve(), image)
        if other is not image:
            problems.append(
                f"{path}: is described by {other.file} ({other.name}) and by {image.file} "
                f"({image.name}); take one of them out"
            )
    stop_at(problems)


def _absolute(path: Path) -> Path:
    """The absolute path without ``..``."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps '..'
