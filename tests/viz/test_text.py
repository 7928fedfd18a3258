import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from aerialseg.viz.text import load_font, one_line, shorten, text_width


@settings(deadline=None)
@given(text=st.text(max_size=60), max_width=st.integers(0, 200), size=st.integers(8, 20))
def test_a_shortened_text_fits_and_keeps_both_its_ends(text, max_width, size):
    short = shorten(text, max_width, size)

    assert text_width(short, size) <= max_width
    whole = one_line(text)
    if short != whole and short:
        head, _, tail = short.partition("…")
        assert whole.startswith(head)
        assert whole.endswith(tail)
        assert len(head) - len(tail) in (0, 1)


def test_a_text_that_fits_is_left_alone_and_one_that_does_not_is_cut_in_the_middle():
    assert shorten("000017_044", 500, 14) == "000017_044"
    cut = shorten("sequence_17_of_the_long_flight_044", 120, 14)
    assert cut.startswith("sequ")
    assert cut.endswith("044")
    assert text_width(cut, 14) > 100


def test_texts_become_one_line_without_control_characters():
    assert one_line(" a\n\tb\x00c ") == "a bc"


@pytest.mark.parametrize("name", ["Gebäude", "forêt", "дорога"])
def test_letters_outside_ascii_are_drawn_as_letters(name):
    def drawn(text):
        sheet = Image.new("L", (40, 40))
        ImageDraw.Draw(sheet).text((20, 20), text, 255, load_font(24), anchor="mm")
        return np.asarray(sheet)

    unknown = drawn("\U000f0000")
    for letter in name:
        assert (drawn(letter) != unknown).any()
