import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerialseg.viz.scale import blues, contrast, readable_on, shade


def test_the_scale_darkens_at_every_step_from_near_white():
    scale = blues()
    luminance = [contrast((0, 0, 0), tuple(map(int, colour))) for colour in scale]

    assert scale.shape == (256, 3)
    assert (scale[0] > 240).all()
    assert (np.diff(luminance) <= 0).all()
    assert len(set(luminance)) > 200
    assert (scale[40:, 2] > scale[40:, 0]).all()


def test_values_beyond_the_ends_take_the_ends():
    assert shade(-1) == shade(0)
    assert shade(2) == shade(1)


@given(colour=st.tuples(*[st.integers(0, 255)] * 3))
def test_text_can_be_read_on_any_colour(colour):
    assert contrast(readable_on(colour), colour) >= 3.5


def test_text_is_white_on_the_dark_part_of_the_scale_and_black_on_the_light_one():
    assert [readable_on(shade(f)) for f in (0.0, 0.3, 0.5)] == [(0, 0, 0)] * 3
    assert [readable_on(shade(f)) for f in (0.6, 0.7, 1.0)] == [(255, 255, 255)] * 3


def test_contrast_is_that_of_the_standard():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
