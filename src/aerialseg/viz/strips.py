"""The horizontal strips of a sheet: header, captions and rows of tiles, stacked above a legend."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from aerialseg.viz.text import load_font, shorten, text_width
from aerialseg.viz.theme import INK, LINE, MUTED, RGBImage, blank, text_size
from aerialseg.viz.tiles import TileSize

_GUTTER = 6
_MARGIN = 16
_BLANKS = {"word": 5, "score": 16}

Score = tuple[str, str]
"""Name and formatted value."""


def header_strip(headings: Sequence[str], tile: TileSize) -> RGBImage:
    """One heading above each column of tiles, underlined."""
    size = text_size(tile[0])
    height = round(size * 1.9)
    sheet = Image.fromarray(blank(_strip_width(len(headings), tile), height))
    draw = ImageDraw.Draw(sheet)
    for column, heading in enumerate(headings):
        text = shorten(heading, tile[0], size)
        left = column * (tile[0] + _GUTTER)
        draw.text((left, height * 0.4), text, MUTED, load_font(size), anchor="lm")
    draw.line((0, height - 1, sheet.width, height - 1), LINE)
    return np.array(sheet)


def caption_strip(title: str, scores: Sequence[Score], width: int, size: int) -> RGBImage:
    """The title on the left; the scores on the right, or on a second line if they need the room."""
    row = round(size * 1.7)
    needed = _scores_width(scores, size)
    beside = needed <= 0.7 * width
    sheet = Image.fromarray(blank(width, row if beside else 2 * row))
    text = shorten(title, width - (needed + 2 * size if scores and beside else 0), size)
    ImageDraw.Draw(sheet).text((0, row / 2), text, INK, load_font(size), anchor="lm")
    _write_scores(sheet, scores, size, (width - needed, row / 2) if beside else (0, row * 1.5))
    return np.array(sheet)


def tile_strip(tiles: Sequence[RGBImage]) -> RGBImage:
    """Tiles of one size side by side."""
    gutter = blank(_GUTTER, tiles[0].shape[0])
    parts = [part for tile in tiles for part in (gutter, tile)]
    return np.concatenate(parts[1:], axis=1)


def stack(header: RGBImage, blocks: Sequence[Sequence[RGBImage]], legend: RGBImage) -> RGBImage:
    """Stacks header, blocks and legend vertically, with a margin around them.

    A block is a caption followed by its strips of tiles.
    """
    width = header.shape[1]
    gutter = blank(width, _GUTTER)
    parts = [header]
    for caption, *strips in blocks:
        parts += [gutter, caption, *(part for strip in strips for part in (strip, gutter))]
    parts += [blank(width, _MARGIN // 2), blank(width, 1, LINE), blank(width, _MARGIN // 2), legend]
    sheet = np.concatenate(parts, axis=0)
    framed = blank(sheet.shape[1] + 2 * _MARGIN, sheet.shape[0] + 2 * _MARGIN)
    framed[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = sheet
    return framed


def _strip_width(columns: int, tile: TileSize) -> int:
    return columns * tile[0] + (columns - 1) * _GUTTER


def _scores_width(scores: Sequence[Score], size: int) -> int:
    words = sum(text_width(name, size) + text_width(value, size) for name, value in scores)
    return words + len(scores) * _BLANKS["word"] + max(0, len(scores) - 1) * _BLANKS["score"]


def _write_scores(
    sheet: Image.Image, scores: Sequence[Score], size: int, start: tuple[float, float]
) -> None:
    """Writes names in grey and values in dark text, from ``start`` (left, middle) to the right."""
    draw = ImageDraw.Draw(sheet)
    left, middle = start
    for name, value in scores:
        for text, colour, after in ((name, MUTED, "word"), (value, INK, "score")):
            draw.text((left, middle), text, colour, load_font(size), anchor="lm")
            left += text_width(text, size) + _BLANKS[after]
