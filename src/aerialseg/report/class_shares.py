"""The classes of converted masks as a table: id, colour, share of the pixels, images."""

import numpy as np
import numpy.typing as npt
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from aerialseg.classes import ClassTable
from aerialseg.durations import counted
from aerialseg.report.printing import print_whole


def show_class_shares(classes: ClassTable, counts: npt.NDArray[np.int64], pixels: int) -> None:
    """Prints a row for each class, and one for ignored pixels if there are any.

    Args:
        classes: The class table.
        counts: ``(images, classes)``: the pixels of each class in each mask.
        pixels: Of all masks, ignored ones too.
    """
    table = Table(title="Classes", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("id", justify="right")
    table.add_column("class")
    table.add_column("colour")
    table.add_column("pixels", justify="right")
    table.add_column(f"of {counted(len(counts), 'image')}", justify="right")
    present = (counts > 0).sum(axis=0).tolist()
    totals = counts.sum(axis=0).tolist()
    rows = zip(classes.names, classes.colours, totals, present, strict=True)
    for index, (name, rgb, total, images) in enumerate(rows):
        hexadecimal = "#{:02x}{:02x}{:02x}".format(*rgb)
        swatch = Text("██ ", style=hexadecimal) + Text(hexadecimal, style="default")
        table.add_row(str(index), Text(name), swatch, f"{total / pixels:.2%}", str(images))
    if ignored := pixels - sum(totals):
        table.add_row("255", "ignored", "", f"{ignored / pixels:.2%}", "")
    print_whole(table)
