"""Seamless noise, from which grass, ripples, leaves and clouds are made."""

from functools import cache

import numpy as np
import numpy.typing as npt

TILE = 512
"""Edge of a noise tile in texels."""


@cache
def noise_tile(slope: float, variant: int = 0) -> npt.NDArray[np.float32]:
    """A square of noise whose edges meet, always the same for the same arguments.

    White noise is shaped in the frequency domain, where every picture is periodic.

    Args:
        slope: How fast amplitude falls with frequency: 0 is grain, 1 is grass, 2 is clouds.
        variant: Which of the squares of this slope.

    Returns:
        ``(TILE, TILE)`` float32 of mean 0 and standard deviation 1, not to be written to.
    """
    grain = np.random.default_rng([variant, 7]).standard_normal((TILE, TILE))
    across, down = np.fft.rfftfreq(TILE), np.fft.fftfreq(TILE)
    frequency = np.hypot(across[None, :], down[:, None])
    frequency[0, 0] = np.inf
    shaped = np.fft.irfft2(np.fft.rfft2(grain) * frequency**-slope, s=(TILE, TILE))
    tile = np.asarray((shaped - shaped.mean()) / shaped.std(), dtype=np.float32)
    tile.setflags(write=False)
    return tile
