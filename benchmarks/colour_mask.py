"""A mask written as a png in the colours of its classes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.writing import write_mask
from benchmarks.command import run
from benchmarks.experiment import data_module
from benchmarks.images import arrays, data_root, workshop
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare


def rows(setting: Setting) -> Iterator[Row]:
    """A colour mask written as png."""
    classes = data_module(data_root(setting, train=2)).classes
    (_, mask), *_ = arrays(setting, 1)
    by_us, by_them = workshop() / "palette.png", workshop() / "rgb.png"

    def ours() -> None:
        write_mask(by_us, mask, palette=classes.palette)

    def plain() -> None:
        plain_colour_mask(mask, classes, by_them)

    ours()
    plain()
    own, theirs = (np.asarray(Image.open(path).convert("RGB")) for path in (by_us, by_them))
    check(np.array_equal(own, theirs), "colours")
    seconds = compare(plain, ours, setting, seconds=3)
    reason = "ours is compressing, and flushing the file to the disk"
    yield Row("colour mask as png", *seconds, goal=8, reason=reason)


def plain_colour_mask(mask: npt.NDArray[np.uint8], classes: ClassTable, path: Path) -> None:
    """Paints an RGB image class by class."""
    painted = np.zeros((*mask.shape, 3), dtype=np.uint8)
    for index, colour in enumerate(classes.colours):
        painted[mask == index] = colour
    Image.fromarray(painted).save(path)


if __name__ == "__main__":
    run(rows)
