"""The few colours and shapes every picture shares: light, calm, no frills."""

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""``(H, W, 3)`` uint8 RGB."""

Mask = npt.NDArray[np.integer]
"""``(H, W)`` class ids of any integer type; ids of no class count as ignored."""

Colour = tuple[int, int, int]

PAPER: Colour = (252, 252, 253)
PANEL: Colour = (237, 239, 243)
LINE: Colour = (211, 216, 223)
FAINT: Colour = (164, 171, 182)
MUTED: Colour = (112, 120, 131)
INK: Colour = (30, 35, 42)
DASH = "\u2013"
"""What stands where there is no value."""
STRIPE: Colour = (178, 185, 196)
WRONG: Colour = (214, 40, 57)


def blank(width: int, height: int, colour: Colour = PAPER) -> Picture:
    """A ``(height, width, 3)`` picture of one colour."""
    row = np.tile(np.array(colour, dtype=np.uint8), width)
    return np.tile(row, (height, 1)).reshape(height, width, 3)  # by rows: pixels take much longer


def text_size(tile_width: int) -> int:
    """The text height in pixels that suits tiles of that width: 12 to 17."""
    return min(17, max(12, round(tile_width / 21)))
