"""Samples with their masks and a legend on one sheet."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.patches import Patch
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.images.writing import write_image
from aerialseg.viz.sheets import SampleRow, sample_sheet
from benchmarks.command import run
from benchmarks.experiment import data_module
from benchmarks.images import arrays, data_root, temporary_folder
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare


def rows(setting: Setting) -> Iterator[Row]:
    """Three samples with masks and a legend, written as PNG."""
    mpl.use("Agg")
    classes = data_module(data_root(setting, train=2)).classes
    samples = [SampleRow(str(i), *pair) for i, pair in enumerate(arrays(setting, 3))]
    our_file, plain_file = temporary_folder() / "sheet.png", temporary_folder() / "figure.png"

    def ours() -> None:
        write_image(our_file, sample_sheet(samples, classes))

    def plain() -> None:
        plain_sheet(samples, classes, plain_file)

    ours()
    plain()
    pixels = [image.width * image.height for image in map(Image.open, (our_file, plain_file))]
    check(setting.quick or max(pixels) < 2 * min(pixels), "pixels of the sheet")
    reason = "compressing the PNG takes most of our time"
    yield Row("sample sheet with legend", *compare(plain, ours, setting), goal=10, reason=reason)


def plain_sheet(samples: Sequence[SampleRow], classes: ClassTable, path: Path) -> None:
    """A matplotlib figure of images beside their masks, with a legend."""
    size = (9.1, 2.7 * len(samples))  # inches; images are then 320 pixels wide, like ours
    figure, axes = plt.subplots(len(samples), 2, figsize=size)
    for (left, right), sample in zip(axes, samples, strict=True):
        left.imshow(sample.image)
        left.set_title(sample.id)
        right.imshow(classes.palette[sample.mask])
        left.axis("off"), right.axis("off")
    patches = [
        Patch(color=(red / 255, green / 255, blue / 255), label=name)
        for name, (red, green, blue) in zip(classes.names, classes.colours, strict=True)
    ]
    figure.legend(handles=patches, loc="lower center", ncol=4)
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    run(rows)
