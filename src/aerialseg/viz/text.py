"""Text in images: the font, measuring, shortening."""

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

ELLIPSIS = "…"

_FONT_FILE = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"


@lru_cache(maxsize=64)
def load_font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, ``size`` pixels high.

    The font ships with the package because Pillow's own has hardly a letter outside ASCII, while
    class names and ids may hold accents, Greek or Cyrillic. Text looks the same with every Pillow.
    """
    return ImageFont.truetype(str(_FONT_FILE), size)


def text_width(text: str, size: int) -> int:
    """How many pixels wide ``text`` is, rounded up."""
    return int(-(-load_font(size).getlength(text) // 1))


def one_line(text: str) -> str:
    """``text`` with runs of white space collapsed to one space and control characters removed."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def shorten(text: str, max_width: int, size: int) -> str:
    """``text`` on one line at most ``max_width`` pixels wide, with its middle cut out if needed.

    The middle is cut because ids of one data set tend to differ at their ends. The result is
    empty if not even the ellipsis fits.
    """
    text = one_line(text)
    if text_width(text, size) <= max_width:
        return text
    kept = _longest(text, max_width, size)
    return _without_middle(text, kept) if kept >= 0 else ""


def _longest(text: str, max_width: int, size: int) -> int:
    """The largest number of characters that can be kept; -1 if not even the ellipsis fits."""
    low, high = -1, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        fits = text_width(_without_middle(text, middle), size) <= max_width
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _without_middle(text: str, kept: int) -> str:
    tail = kept // 2
    return text[: kept - tail] + ELLIPSIS + text[len(text) - tail :]
