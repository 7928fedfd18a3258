"""A colour scale of one hue, and text colours that are readable on it."""

from functools import cache

import numpy as np
import numpy.typing as npt

from aerialseg.viz.theme import Colour

_HUE = np.deg2rad(252.0)
_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)
_ENOUGH = 3.5

# Björn Ottosson, "A perceptual color space for image processing" (2020): Oklab to linear sRGB.
_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@cache
def blues() -> npt.NDArray[np.uint8]:
    """``(256, 3)`` uint8 RGB from near white to deep blue, in even steps of lightness.

    The steps are even in Oklab, so twice the value looks twice as dark; the hue is constant.
    """
    t = np.linspace(0.0, 1.0, 256)
    lightness = 0.985 - 0.60 * t
    chroma = 0.005 + 0.125 * np.sin(np.pi * 0.72 * t)
    lab = np.stack([lightness, chroma * np.cos(_HUE), chroma * np.sin(_HUE)], axis=1)
    linear = np.clip((lab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(encoded * 255), dtype=np.uint8)


def shade(fraction: float) -> Colour:
    """The colour of a value from 0 to 1."""
    red, green, blue = blues()[round(min(1.0, max(0.0, fraction)) * 255)]
    return int(red), int(green), int(blue)


def readable_on(background: Colour) -> Colour:
    """White where it contrasts with a colour by at least 3.5 to 1, black on lighter ones.

    The ratio of WCAG 2.1 would prefer black up to a luminance of 0.18, which eyes find harder to
    read than white on a mid-dark blue.
    """
    return _WHITE if contrast(_WHITE, background) >= _ENOUGH else _BLACK


def contrast(one: Colour, other: Colour) -> float:
    """The WCAG 2.1 contrast ratio of two colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    parts = np.array(colour) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
