"""Array types, colours and sizes shared by everything that is drawn."""

import numpy as np
import numpy.typing as npt

RGBImage = npt.NDArray[np.uint8]
"""``(H, W, 3)`` uint8 RGB."""

Mask = npt.NDArray[np.integer]
"""``(H, W)`` class ids of any integer type; ids outside the class table count as ignored."""

Colour = tuple[int, int, int]

PAPER: Colour = (252, 252, 253)
PANEL: Colour = (237, 239, 243)
LINE: Colour = (211, 216, 223)
FAINT: Colour = (164, 171, 182)
MUTED: Colour = (112, 120, 131)
INK: Colour = (30, 35, 42)
DASH = "\u2013"
"""Written where there is no value."""
STRIPE: Colour = (178, 185, 196)
WRONG: Colour = (214, 40, 57)
ONLY_A: Colour = (42, 120, 214)
ONLY_B: Colour = (224, 138, 30)
"""Where one of two predictions alone is right; told apart without seeing red or green."""


def blank(width: int, height: int, colour: Colour = PAPER) -> RGBImage:
    """A ``(height, width, 3)`` image of one colour."""
    # Repeating a row of pixels is much faster than repeating single pixels.
    row = np.tile(np.array(colour, dtype=np.uint8), width)
    return np.tile(row, (height, 1)).reshape(height, width, 3)


def text_size(tile_width: int) -> int:
    """The text height in pixels for tiles of that width: 12 to 17."""
    return min(17, max(12, round(tile_width / 21)))
