"""Tileable noise: the texture of ground, leaves and clouds."""

from functools import cache

import numpy as np
import numpy.typing as npt

TILE = 512
"""Edge length of a noise tile in texels."""


@cache
def noise_tile(slope: float, variant: int = 0) -> npt.NDArray[np.float32]:
    """A tileable square of noise that depends on its arguments only.

    White noise is filtered in the frequency domain, which makes it periodic.

    Args:
        slope: Exponent with which amplitude falls with frequency: 0 is white noise, 1 resembles
            grass, 2 resembles clouds.
        variant: Seed of the noise.

    Returns:
        ``(TILE, TILE)`` float32 of mean 0 and standard deviation 1, read-only.
    """
    grain = np.random.default_rng([variant, 7]).standard_normal((TILE, TILE))
    across, down = np.fft.rfftfreq(TILE), np.fft.fftfreq(TILE)
    frequency = np.hypot(across[None, :], down[:, None])
    frequency[0, 0] = np.inf
    shaped = np.fft.irfft2(np.fft.rfft2(grain) * frequency**-slope, s=(TILE, TILE))
    tile = np.asarray((shaped - shaped.mean()) / shaped.std(), dtype=np.float32)
    tile.setflags(write=False)
    return tile
