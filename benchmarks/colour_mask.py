"""A mask written as a PNG in class colours."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.writing import write_mask
from benchmarks.command import run
from benchmarks.experiment import data_module
from benchmarks.images import arrays, data_root, temporary_folder
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare


def rows(setting: Setting) -> Iterator[Row]:
    """A colour mask written as PNG."""
    classes = data_module(data_root(setting, train=2)).classes
    (_, mask), *_ = arrays(setting, 1)
    our_file, plain_file = temporary_folder() / "palette.png", temporary_folder() / "rgb.png"

    def ours() -> None:
        write_mask(our_file, mask, palette=classes.palette)

    def plain() -> None:
        plain_colour_mask(mask, classes, plain_file)

    ours()
    plain()
    our_pixels, plain_pixels = (
        np.asarray(Image.open(path).convert("RGB")) for path in (our_file, plain_file)
    )
    check(np.array_equal(our_pixels, plain_pixels), "colours")
    seconds = compare(plain, ours, setting, seconds=3)
    reason = "compressing, and flushing the file to disk, take most of our time"
    yield Row("colour mask as png", *seconds, goal=8, reason=reason)


def plain_colour_mask(mask: npt.NDArray[np.uint8], classes: ClassTable, path: Path) -> None:
    """Paints an RGB image class by class."""
    painted = np.zeros((*mask.shape, 3), dtype=np.uint8)
    for index, colour in enumerate(classes.colours):
        painted[mask == index] = colour
    Image.fromarray(painted).save(path)


if __name__ == "__main__":
    run(rows)
