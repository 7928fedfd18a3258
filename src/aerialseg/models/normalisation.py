"""Normalisation of uint8 images, shared by training and inference."""

from collections.abc import Sequence

import torch
from torch import Tensor

from aerialseg.errors import ConfigError

_RGB = 3


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Scales to 0..1, subtracts the mean and divides by the standard deviation.

    Runs on the device, so that images are transferred as uint8. The result is channels-last, in
    which convolutions are faster.

    Args:
        images: ``(N, B, H, W)`` uint8, RGB or other bands.
        mean: ``(B,)`` on the 0 to 1 scale.
        std: ``(B,)`` on the 0 to 1 scale.

    Returns:
        ``(N, B, H, W)`` float32.
    """
    scaled = images.to(torch.float32, memory_format=torch.channels_last)
    shift = (mean * 255).view(1, -1, 1, 1)
    scale = (std * 255).reciprocal().view(1, -1, 1, 1)
    return (scaled - shift) * scale


def for_bands(numbers: Sequence[float], bands: int, key: str) -> list[float]:
    """A mean or standard deviation of RGB for images of so many bands.

    The first three bands keep the numbers of red, green and blue; any other one, and each of fewer
    than three, gets their mean, as its weights begin with the mean of theirs.

    Args:
        numbers: Three, or one for each band, which stay as they are.
        bands: The channels of the images.
        key: The setting, for the error.

    Raises:
        ConfigError: If there are neither three numbers nor one for each band.
    """
    if len(numbers) == bands:
        return list(numbers)
    if len(numbers) != _RGB:
        raise ConfigError(
            f"{key}: has {len(numbers)} numbers for {bands} {'band' if bands == 1 else 'bands'}; "
            f"wanted {bands}, one for each of data.bands, or three of red, green and blue"
        )
    mean = round(sum(numbers) / _RGB, 6)
    return [*(numbers if bands > _RGB else ()), *[mean] * (bands - _RGB if bands > _RGB else bands)]
