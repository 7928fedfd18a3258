"""Writes a data set of scenes, completely or not at all."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.errors import DataError
from aerialseg.scenes.render import render_frame, sequence_world
from aerialseg.storage.atomic_files import building, discard

RECORD = "demo.json"
"""The file that marks a folder of generated scenes and records its parameters."""

# Increase it when the same arguments draw different images: existing folders are then rewritten.
_VERSION = 1
_QUALITY = 92
_SMALLEST = 32


@dataclass(frozen=True, slots=True)
class _Recipe:
    """The parameters of a folder of scenes."""

    version: int
    count: int
    test_count: int
    height: int
    width: int
    seed: int

    def frames(self) -> Iterator[tuple[bool, int, int]]:
        """``(is_test, sequence, frame)`` of every scene, two or three frames per sequence."""
        sequence = 0
        for is_test, count in ((False, self.count), (True, self.test_count)):
            left = count
            while left > 0:
                sequence += 1
                length = min(2 + sequence % 2, left)
                for frame in range(length):
                    yield is_test, sequence, frame
                left -= length

    def files(self) -> set[str]:
        """Relative paths of all files of the folder."""
        files = {RECORD, "train.csv", "test.csv"}
        for is_test, sequence, frame in self.frames():
            name = _name(sequence, frame)
            files.add(f"imgs/imgs/{name}.jpg")
            if not is_test:
                files.add(f"masks/masks/{name}.png")
        return files


def write_scenes(
    root: Path, *, count: int, test_count: int, size: tuple[int, int], seed: int
) -> None:
    """Writes generated drone scenes in the layout of the Kaggle drone challenge.

    The folder gets ``imgs/imgs/ID.jpg``, ``masks/masks/ID.png`` (index masks), ``train.csv``
    and ``test.csv`` with the column ``ImageID``, and ``demo.json`` with the arguments. An ID is
    SEQUENCE_FRAME: two or three consecutive frames show the same world, so a split without
    leakage keeps sequences together. Test scenes have no mask.

    A folder written with the same arguments is kept; one written with others is replaced.

    Args:
        root: The folder to write; it appears complete or not at all.
        count: Number of scenes with a mask, 1 or more.
        test_count: Number of scenes without a mask, 0 or more.
        size: Height and width in pixels, 32 or more each.
        seed: Seed of all worlds, 0 or more.

    Raises:
        DataError: If an argument is out of range, if ``root`` contains files that this function
            did not write, or if it cannot be written.
    """
    recipe = _Recipe(_VERSION, count, test_count, size[0], size[1], seed)
    _check(recipe)
    root = Path(root).resolve()
    try:
        if _is_done(root, recipe):
            return
        with building(root) as folder:
            _write(folder, recipe)
            if root.exists():
                discard(root)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            f"demo scenes: cannot write {root}: {reason}; choose another folder"
        ) from error


def _check(recipe: _Recipe) -> None:
    """Raises DataError that names every argument out of range."""
    lowest = {"count": 1, "test_count": 0, "height": _SMALLEST, "width": _SMALLEST, "seed": 0}
    values = asdict(recipe)
    problems = [
        f"demo scenes: {name} is {values[name]}; wanted {least} or more"
        for name, least in lowest.items()
        if values[name] < least
    ]
    if problems:
        raise DataError(*problems)


def _is_done(root: Path, recipe: _Recipe) -> bool:
    """Whether the folder is complete and current; raises DataError if it holds other files."""
    if not root.exists():
        return False
    if not root.is_dir():
        raise DataError(f"demo scenes: {root} is a file; wanted a folder to write the scenes into")
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}
    if not found:
        return False
    made = _read_record(root / RECORD)
    foreign = sorted(found - made.files()) if made else sorted(found)
    if foreign:
        shown = ", ".join(foreign[:3])
        raise DataError(
            f"demo scenes: {root} holds {len(foreign)} files that are not generated scenes "
            f"({shown}); choose an empty or new folder, or data=folders for images of your own"
        )
    return made == recipe and found == recipe.files()


def _read_record(path: Path) -> _Recipe | None:
    """The recipe of a folder; None if it has no valid record."""
    try:
        recipe = _Recipe(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return recipe if all(type(value) is int for value in asdict(recipe).values()) else None


def _write(folder: Path, recipe: _Recipe) -> None:
    """Writes images, masks, tables and the record into an empty folder."""
    images, masks = folder / "imgs" / "imgs", folder / "masks" / "masks"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    rows: dict[bool, list[str]] = {False: ["ImageID"], True: ["ImageID"]}
    world, latest = None, 0
    for is_test, sequence, frame in recipe.frames():
        if world is None or sequence != latest:
            world = sequence_world(recipe.seed, (recipe.height, recipe.width), sequence)
            latest = sequence
        image, mask = render_frame(world, recipe.seed, sequence, frame)
        name = _name(sequence, frame)
        rows[is_test].append(name)
        bgr = np.ascontiguousarray(image[..., ::-1])
        _encode(images / f"{name}.jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not is_test:
            _encode(masks / f"{name}.png", mask, [])
    for is_test, table in ((False, "train.csv"), (True, "test.csv")):
        (folder / table).write_bytes("".join(f"{row}\n" for row in rows[is_test]).encode())
    record = json.dumps(asdict(recipe), indent=2)
    (folder / RECORD).write_bytes(f"{record}\n".encode())


def _encode(path: Path, image: npt.NDArray[np.uint8], options: list[int]) -> None:
    # cv2.imwrite only returns False on a full disk; write_bytes raises the reason.
    path.write_bytes(cv2.imencode(path.suffix, image, options)[1].tobytes())


def _name(sequence: int, frame: int) -> str:
    return f"{sequence:06d}_{frame + 1:03d}"
