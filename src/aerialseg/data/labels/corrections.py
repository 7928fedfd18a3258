"""Corrected crops of a review become new masks in a new folder; the old masks stay as they are."""

import posixpath
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.labels.corrected_crops import CorrectedCrop, corrected_files, read_corrected
from aerialseg.data.labels.correction_log import ChangedMask, log_of
from aerialseg.data.labels.mask_folders import Target
from aerialseg.data.labels.review_record import (
    ReviewedRegion,
    ReviewRecord,
    read_record,
    root_of,
)
from aerialseg.data.labels.stored_masks import StoredMask, encode_stored, read_stored_mask
from aerialseg.errors import DataError
from aerialseg.storage.atomic_files import (
    building,
    csv_text,
    hash_file,
    write_json,
    write_text,
)


@dataclass(frozen=True)
class AppliedLabels:
    """What was written.

    Attributes:
        folders: The new folders of masks.
        log: The file that says what was changed.
        setting: What ``data.layout.masks`` must be to train on them; None if the layout has none.
        as_folders: Overrides with which ``data=folders`` reads images and new masks where the
            layout has no such setting; None if it cannot.
        changed: Masks that were changed.
        copied: Masks that were copied as they were.
        pixels: Pixels that were changed.
        without_change: Corrected crops that say what the mask says.
    """

    folders: tuple[Path, ...]
    log: Path
    setting: str | None
    as_folders: tuple[str, ...] | None
    changed: int
    copied: int
    pixels: int
    without_change: tuple[str, ...]


def apply_corrections(review: Path, masks: str | None = None) -> AppliedLabels:
    """Writes all masks of a reviewed data set anew, with the corrections of a review.

    Everything is checked before anything is written, and new folders appear complete or not at all.

    Args:
        review: The review folder, whose folder ``corrected`` holds corrected crops of masks.
        masks: The new folder, as ``data.layout.masks`` will name it: below the data's root; None
            for the name of the old one with ``_corrected``.

    Raises:
        DataError: With one line each, if there are no corrections, one has another name, size or
            class than the crops of the masks, a mask has changed since the review, two crops
            contradict each other, a mask cannot be written again, or the new folder is there.
    """
    record = read_record(review)
    root, new = root_of(record, review), _new_name(record, masks)
    files = corrected_files(review, record)
    places = {name: _placed(root, new, t) for name, t in _targets(record).items()}
    folders = {root / before / new: before for before, _ in record.folders.targets}
    log = root / f"{new}.json"
    tables = _tables(record, root, new)
    _check_new(root, [*folders, log, *tables])
    changed, unchanged = _changed(root, files, record.reading)
    _write(root, places, list(folders), {each.name: each for each in changed}, record.reading)
    for path, content in tables.items():
        write_text(path, content)
    write_json(log, log_of(review, record, changed, places, root))
    return AppliedLabels(
        folders=tuple(folders),
        log=log,
        setting=_setting(record, new),
        as_folders=_as_folders(record, root, new),
        changed=len(changed),
        copied=len(record.masks) - len(changed),
        pixels=sum(crop.pixels for each in changed for crop in each.crops),
        without_change=unchanged,
    )


def _targets(record: ReviewRecord) -> Mapping[str, Target]:
    return dict(zip(record.masks, record.folders.targets, strict=True))


def _new_name(record: ReviewRecord, given: str | None) -> str:
    """The new folder below the root, or below each part of it."""
    if record.folders.refusal:
        raise DataError(record.folders.refusal)
    name = posixpath.normpath(given or record.folders.default)
    is_whole = all(not before for before, _ in record.folders.targets)
    leaves = Path(name).is_absolute() or name == "." or name.startswith("..")
    may_leave = is_whole and record.folders.patterns == ("",) and name.startswith("../")
    if leaves and not may_leave:
        raise DataError(
            f"task.masks: {given} is not below {record.root}, where data.layout.masks is looked "
            "for; give the name of a new folder"
        )
    return name


def _placed(root: Path, new: str, target: Target) -> Path:
    return root / f"{target[0]}{new}{target[1]}"


def _check_new(root: Path, paths: Iterable[Path]) -> None:
    """Raises DataError if something is where a folder or the log will be."""
    if there := [str(path) for path in paths if path.exists() or path.is_symlink()]:
        raise DataError(
            *(
                f"task.masks: {path} is there already; choose another name with "
                "task.masks=NAME, or remove it first"
                for path in there
            )
        )


def _changed(
    root: Path, files: Sequence[tuple[ReviewedRegion, Path]], reading: Reading
) -> tuple[list[ChangedMask], tuple[str, ...]]:
    """The masks with their corrections, and the crops that correct nothing."""
    by_mask: dict[str, list[tuple[ReviewedRegion, Path]]] = {}
    for region, path in files:
        by_mask.setdefault(region.mask, []).append((region, path))
    problems: list[str] = []
    found: list[tuple[str, StoredMask, list[CorrectedCrop]]] = []
    for name, each in by_mask.items():
        try:
            found.append((name, *_crops(root / name, each, reading)))
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*problems)
    unchanged = [c.path.name for _, _, crops in found for c in crops if not c.pixels]
    changed = [
        _corrected(root, name, before, crops)
        for name, before, crops in found
        if any(crop.pixels for crop in crops)
    ]
    if not changed:
        raise DataError(
            f"{files[0][1].parent}: says what the masks say, so nothing would change; edit the "
            "crops, or copy those of the folder suggested there"
        )
    return changed, tuple(unchanged)


def _crops(
    path: Path, files: Sequence[tuple[ReviewedRegion, Path]], reading: Reading
) -> tuple[StoredMask, list[CorrectedCrop]]:
    """A mask as it was reviewed, and its corrected crops."""
    if not path.is_file():
        raise DataError(f"{path}: is not there any more; inspect again")
    sha256, reviewed = hash_file(path), files[0][0].mask_sha256
    if sha256 != reviewed:
        raise DataError(
            f"{path}: has changed since the review (sha256 {sha256[:12]}..., was "
            f"{reviewed[:12]}...); inspect again, and correct that"
        )
    before = read_stored_mask(path, reading)
    problems: list[str] = []
    crops = []
    for region, file in files:
        try:
            crops.append(read_corrected(region, file, before, reading))
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*problems)
    return before, crops


def _corrected(
    root: Path, name: str, before: StoredMask, crops: Sequence[CorrectedCrop]
) -> ChangedMask:
    """A mask with its corrections."""
    path = root / name
    most = max(int(crop.mask.pixels.max(initial=0)) for crop in crops)
    wide = before.pixels.dtype if most <= np.iinfo(before.pixels.dtype).max else np.uint16
    pixels, ids = before.pixels.astype(wide), before.ids.copy()
    source = np.full(ids.shape, -1, dtype=np.int32)
    for number, crop in enumerate(crops):
        box = crop.region.crop
        here = np.s_[box.top : box.top + box.height, box.left : box.left + box.width]
        clash = crop.changed & (source[here] >= 0) & (ids[here] != crop.mask.ids)
        if clash.any():
            other = crops[int(source[here][clash][0])]
            raise DataError(
                f"{crop.path}: gives {np.count_nonzero(clash)} pixels of {path} another class than "
                f"{other.path.name} does; correct one of the two"
            )
        pixels[here][crop.changed] = crop.mask.pixels[crop.changed]
        ids[here][crop.changed] = crop.mask.ids[crop.changed]
        source[here][crop.changed] = number
    after = replace(before, pixels=pixels, ids=ids)
    return ChangedMask(name, after, encode_stored(after, path), hash_file(path), crops)


def _write(
    root: Path,
    places: Mapping[str, Path],
    folders: Sequence[Path],
    changed: Mapping[str, ChangedMask],
    reading: Reading,
) -> None:
    """Writes the new folders: changed masks, and copies of all others."""
    try:
        with ExitStack() as stack:
            temporary = {folder: stack.enter_context(building(folder)) for folder in folders}
            for name, place in places.items():
                folder = next(each for each in folders if place.is_relative_to(each))
                file = temporary[folder] / place.relative_to(folder)
                file.parent.mkdir(parents=True, exist_ok=True)
                if name not in changed:
                    shutil.copyfile(root / name, file)
                    continue
                file.write_bytes(changed[name].data)
                _check_written(file, root / name, changed[name].mask, reading)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise DataError(
            f"task.masks: {folders[0]} cannot be written: {reason}; choose another folder"
        ) from error


def _check_written(file: Path, path: Path, wanted: StoredMask, reading: Reading) -> None:
    """Reads a new mask, so that no format changes a value in silence."""
    found = read_stored_mask(file, reading)
    if not (np.array_equal(found.ids, wanted.ids) and np.array_equal(found.pixels, wanted.pixels)):
        raise DataError(
            f"{path}: cannot be written again as {wanted.kind} without a loss; export the masks as "
            "PNG, and inspect again"
        )


def _tables(record: ReviewRecord, root: Path, new: str) -> dict[Path, str]:
    """The classes and the split for ``data=folders``, where no setting chooses the new masks."""
    found = record.as_folders
    if found is None:
        return {}
    classes = yaml.safe_dump(dict(record.classes), sort_keys=False, allow_unicode=True)
    tables = {root / f"{new}.yaml": classes}
    if found.splits:
        tables[root / f"{new}.csv"] = csv_text(("image", "split"), found.splits)
    return tables


def _as_folders(record: ReviewRecord, root: Path, new: str) -> tuple[str, ...] | None:
    """What is typed behind ``data=folders``."""
    found = record.as_folders
    if found is None:
        return None
    split = (f"data.layout.split={new}.csv",) if found.splits else ()
    return (
        f"data.root={root}",
        f"data.classes={root / f'{new}.yaml'}",
        f"data.layout.images={found.images}",
        f"data.layout.masks={new}",
        *split,
        *found.settings,
    )


def _setting(record: ReviewRecord, new: str) -> str | None:
    """What ``data.layout.masks`` must be, as it is typed."""
    if record.folders.patterns is None:
        return None
    whole = [f"{new}{pattern}" for pattern in record.folders.patterns]
    return whole[0] if len(whole) == 1 else f"[{','.join(whole)}]"
