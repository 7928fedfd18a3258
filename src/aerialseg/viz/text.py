"""Text in pictures: fonts, measuring, shortening."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

ELLIPSIS = "…"


def font_for(text: str, size: int) -> Font:
    """The font that can write ``text``, ``size`` pixels high.

    Pillow's own font holds ASCII and little more, so anything else, such as an accent in a
    class name, is written in DejaVu Sans, which comes with matplotlib.
    """
    if all(character.isascii() or character == ELLIPSIS for character in text):
        return _pillow_font(size)
    return _wide_font(size)


def text_width(text: str, size: int) -> int:
    """How many pixels wide ``text`` is, rounded up."""
    return int(-(-font_for(text, size).getlength(text) // 1))


def one_line(text: str) -> str:
    """``text`` with every run of white space made one blank and control characters dropped."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def shorten(text: str, max_width: int, size: int) -> str:
    """``text`` as one line at most ``max_width`` pixels wide, cut in the middle.

    The middle goes because ids of one data set tend to differ at their ends. Where not even
    the ellipsis fits, nothing is left.
    """
    text = one_line(text)
    if text_width(text, size) <= max_width:
        return text
    kept = _longest(text, max_width, size)
    return _without_middle(text, kept) if kept >= 0 else ""


def _longest(text: str, max_width: int, size: int) -> int:
    low, high = -1, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        fits = text_width(_without_middle(text, middle), size) <= max_width
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _without_middle(text: str, kept: int) -> str:
    tail = kept // 2
    return text[: kept - tail] + ELLIPSIS + text[len(text) - tail :]


@lru_cache(maxsize=64)
def _pillow_font(size: int) -> Font:
    return ImageFont.load_default(size)


@lru_cache(maxsize=64)
def _wide_font(size: int) -> Font:
    found = find_spec("matplotlib")  # finds the folder without the import's 0.7 s
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    return _pillow_font(size)
