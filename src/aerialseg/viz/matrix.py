"""The confusion matrix as an image."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from aerialseg.viz.numbers import row_shares, short_count, short_percent
from aerialseg.viz.scale import readable_on, shade
from aerialseg.viz.text import load_font, shorten, text_width
from aerialseg.viz.theme import DASH, FAINT, INK, MUTED, PANEL, PAPER, Colour, RGBImage

_MARGIN = 20
_NAME_WIDTH = 150
_TOTALS = "pixels"
_TOTALS_WIDTH = 68


def draw_confusion_matrix(
    matrix: npt.NDArray[np.integer], class_names: Sequence[str], *, normalise: bool
) -> RGBImage:
    """Draws the matrix: a row for each true class, a column for each predicted class.

    The shade of a cell is its share of the row even where counts are written; shading by counts
    would hide the small classes. The row of a class that is absent from the truth is grey. The
    last column holds the number of true pixels of each row.

    Args:
        matrix: ``(C, C)`` pixel counts, ``[truth, prediction]``.
        class_names: ``C`` names in the order of the ids.
        normalise: Whether a cell shows its percentage of the row instead of a pixel count.

    Returns:
        ``(H, W, 3)`` uint8 RGB; about 1000 pixels wide for twelve classes.

    Raises:
        ValueError: If the matrix does not have one row and one column for each name.
    """
    count = len(class_names)
    if count < 1 or matrix.shape != (count, count):
        raise ValueError(f"the matrix is {matrix.shape} and there are {count} class names")
    plan = _plan(class_names)
    sheet = Image.new("RGB", (plan.width, plan.height), PAPER)
    _write_titles(sheet, plan, normalise)
    _write_names(sheet, plan)
    _draw_cells(sheet, plan, matrix, normalise)
    _write_totals(sheet, plan, matrix.sum(axis=1))
    return np.array(sheet)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Layout of the drawing, in pixels."""

    names: tuple[str, ...]
    cell: int
    size: int
    left: int
    top: int
    width: int
    height: int
    slanted: bool

    @property
    def right(self) -> int:
        return self.left + self.cell * len(self.names)

    @property
    def bottom(self) -> int:
        return self.top + self.cell * len(self.names)


def _plan(class_names: Sequence[str]) -> _Plan:
    """Chooses cell size, text size and margins by the number and the length of the names."""
    count = len(class_names)
    cell = 72 if count <= 6 else 62 if count <= 12 else 46 if count <= 20 else 36
    size = 15 if count <= 12 else 13
    names = tuple(shorten(name, _NAME_WIDTH, size) for name in class_names)
    longest = max(text_width(name, size) for name in names)
    slanted = longest > cell - 8
    slope = round((longest + size) * 0.71)
    left = _MARGIN + 34 + longest + 10
    top = _MARGIN + 84 + (slope if slanted else size + 8)
    grid = cell * count
    width = max(left + grid + max(_TOTALS_WIDTH, slope) + _MARGIN, 520)
    return _Plan(names, cell, size, left, top, width, top + grid + _MARGIN, slanted)


def _write_titles(sheet: Image.Image, plan: _Plan, normalise: bool) -> None:
    """Writes the title and the names of both axes."""
    draw = ImageDraw.Draw(sheet)
    title = "Confusion matrix, " + ("% of each true class" if normalise else "pixels")
    draw.text((_MARGIN, _MARGIN), title, INK, load_font(20), anchor="lt")
    middle = ((plan.left + plan.right) / 2, _MARGIN + 56)
    draw.text(middle, "prediction", MUTED, load_font(16), anchor="mm")
    truth = _stamp("truth", 16).rotate(90, expand=True)
    corner = (_MARGIN, (plan.top + plan.bottom - truth.height) // 2)
    sheet.paste(MUTED, corner, truth)


def _write_names(sheet: Image.Image, plan: _Plan) -> None:
    draw = ImageDraw.Draw(sheet)
    for i, name in enumerate(plan.names):
        centre = (i + 0.5) * plan.cell
        row_end = (plan.left - 10, plan.top + centre)
        draw.text(row_end, name, INK, load_font(plan.size), anchor="rm")
        _write_name(sheet, name, plan, plan.left + centre, INK)


def _write_name(sheet: Image.Image, name: str, plan: _Plan, centre: float, ink: Colour) -> None:
    """Writes a name above the column at ``centre``, slanted if the names are wider than a cell."""
    if not plan.slanted:
        foot = (centre, plan.top - 10)
        ImageDraw.Draw(sheet).text(foot, name, ink, load_font(plan.size), anchor="ms")
        return
    straight = _stamp(name, plan.size)
    slanted = straight.rotate(45, Image.Resampling.BICUBIC, expand=True)
    half = straight.height * 0.35  # half the text's height at 45 degrees
    sheet.paste(ink, (round(centre - half), round(plan.top - 5 - slanted.height)), slanted)


def _draw_cells(
    sheet: Image.Image, plan: _Plan, matrix: npt.NDArray[np.integer], normalise: bool
) -> None:
    """Fills every cell with its shade and writes its number in the largest size that fits all."""
    draw = ImageDraw.Draw(sheet)
    shares = row_shares(matrix)
    texts = {
        place: _cell_text(int(count), float(shares[place]), plan, normalise)
        for place, count in np.ndenumerate(matrix)
    }
    size = _fitting_size(set(texts.values()), plan)
    side = plan.cell - 2
    for place, text in texts.items():
        left, top = plan.left + place[1] * plan.cell, plan.top + place[0] * plan.cell
        fill = PANEL if text == DASH else shade(float(shares[place]))
        faint = text == DASH or matrix[place] == 0
        draw.rectangle((left, top, left + side, top + side), fill)
        ink = FAINT if faint else readable_on(fill)
        middle = (left + side / 2, top + side / 2)
        draw.text(middle, text, ink, load_font(size), anchor="mm")


def _cell_text(count: int, share: float, plan: _Plan, normalise: bool) -> str:
    if np.isnan(share):
        return DASH
    if not normalise:
        return short_count(count)
    return short_percent(share, decimals=1 if plan.cell >= 40 else 0)


def _fitting_size(texts: Collection[str], plan: _Plan) -> int:
    size = plan.size
    while size > 8 and max(text_width(text, size) for text in texts) > plan.cell - 8:
        size -= 1
    return size


def _write_totals(sheet: Image.Image, plan: _Plan, totals: npt.NDArray[np.integer]) -> None:
    draw = ImageDraw.Draw(sheet)
    centre = plan.right + _TOTALS_WIDTH / 2
    _write_name(sheet, _TOTALS, plan, centre, MUTED)
    for row, total in enumerate(totals):
        text = short_count(int(total))
        middle = (centre, plan.top + (row + 0.5) * plan.cell)
        draw.text(middle, text, MUTED, load_font(plan.size), anchor="mm")


def _stamp(text: str, size: int) -> Image.Image:
    """The text as an ``L`` image whose values are the ink's opacity, to be rotated and pasted."""
    stamp = Image.new("L", (text_width(text, size) + 2, round(size * 1.3)), 0)
    ImageDraw.Draw(stamp).text((1, stamp.height / 2), text, 255, load_font(size), anchor="lm")
    return stamp
