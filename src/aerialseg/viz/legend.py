"""The legend: a swatch and a name for every class."""

from collections.abc import Collection, Mapping

import numpy as np
from PIL import Image, ImageDraw

from aerialseg.classes import ClassTable
from aerialseg.viz.colours import hatch
from aerialseg.viz.text import load_font, shorten, text_width
from aerialseg.viz.theme import INK, LINE, MUTED, PAPER, WRONG, Colour, RGBImage

IGNORED_NAME = "ignored"
WRONG_NAME = "wrong"


def draw_legend(
    classes: ClassTable,
    *,
    width: int,
    present: Collection[int] | None = None,
    with_errors: bool = False,
    marks: Mapping[str, Colour] | None = None,
    size: int = 14,
) -> RGBImage:
    """Draws swatches and names in even columns.

    Args:
        classes: The class table; every class is listed.
        width: Width of the legend in pixels.
        present: Ids that occur in the images above the legend: they come first, the others
            follow in grey. An id outside the table adds a hatched swatch for ignored pixels.
            ``None`` lists every class alike.
        with_errors: Whether the red of wrong pixels is listed.
        marks: Other colours that are listed behind the classes, by name.
        size: Height of the text in pixels.

    Returns:
        ``(H, width, 3)`` uint8 RGB; ``H`` follows from the number of classes.
    """
    entries = _entries(
        classes, present, {**({WRONG_NAME: WRONG} if with_errors else {}), **(marks or {})}
    )
    swatch, gap = round(size * 1.1), round(size * 0.5)
    longest = max(text_width(name, size) for name, _, _ in entries)
    column = min(width, swatch + gap + longest + round(size * 1.6))
    columns = max(1, min(len(entries), width // column))
    row = round(size * 1.75)
    sheet = Image.new("RGB", (width, row * -(-len(entries) // columns)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (name, colour, ink) in enumerate(entries):
        left, top = place % columns * column, place // columns * row
        corner = (left, top + (row - swatch) // 2)
        _swatch(sheet, corner, swatch, colour)
        name = shorten(name, column - swatch - gap, size)
        middle = (left + swatch + gap, top + row / 2)
        draw.text(middle, name, ink, load_font(size), anchor="lm")
    return np.array(sheet)


def _entries(
    classes: ClassTable, present: Collection[int] | None, marks: Mapping[str, Colour]
) -> list[tuple[str, Colour | None, Colour]]:
    """Name, swatch colour (``None`` for the hatch) and text colour of each entry, in order."""
    ids = range(len(classes))
    shown = ids if present is None else [i for i in ids if i in present]
    faded = [i for i in ids if i not in shown]
    entries: list[tuple[str, Colour | None, Colour]] = [
        (classes.names[i], classes.colours[i], INK) for i in shown
    ]
    if present is not None and any(i not in ids for i in present):
        entries.append((IGNORED_NAME, None, INK))
    entries += [(name, colour, INK) for name, colour in marks.items()]
    return entries + [(classes.names[i], classes.colours[i], MUTED) for i in faded]


def _swatch(sheet: Image.Image, corner: tuple[int, int], side: int, colour: Colour | None) -> None:
    if colour is None:
        square = Image.fromarray(hatch(side, side))
    else:
        square = Image.new("RGB", (side, side), colour)
    sheet.paste(square, corner)
    right, bottom = corner[0] + side - 1, corner[1] + side - 1
    ImageDraw.Draw(sheet).rectangle((*corner, right, bottom), outline=LINE)
